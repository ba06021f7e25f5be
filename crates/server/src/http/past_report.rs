//! The route of the report at an instant of the past.

use std::borrow::Cow;
use std::ops::Range;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use skillscope_query::{Error, ReportRequest};
use skillscope_segment::{END_OF_TIME, parse_instant};

use super::openapi::{ReportBody, problem_responses};
use super::path_variables::PathVariables;
use super::problem::Problem;
use super::report::{ReportMemory, respond};
use crate::App;
use crate::caller::Caller;
use crate::memory_budget::Owners;

const AT: &str = "at";
const AS_KNOWN: &str = "asKnown";

/// From 1970 to 2199, as the times of segments are.
const INSTANTS: Range<i64> = 0..END_OF_TIME;

problem_responses! {
    PastReportProblems {
        400: "The account is not one, or a parameter is missing or not allowed.",
        503: "A file that the report needs cannot be read now, or too many large reports are under way.",
    }
}

/// The report as it would have been at an instant of the past.
///
/// Its parameters and its body are those of the report, and its timeframe ends at `at`. All that is stored counts, also
/// what came later; with `asKnown=true`, what had arrived by then, as the report was answered at that instant.
#[utoipa::path(get, path = "/v1/accounts/{account}/report", operation_id = "past_report", tag = "report",
    params(
        ("account" = String, Path, pattern = "^[A-Za-z0-9._-]{1,64}$",
            description = "The brand's account; one that has no segments gives an empty report."),
        ("at" = String, Query,
            format = "instant",
            description = "The instant, from 1970 to 2199: RFC 3339, or milliseconds since the epoch."),
        ("asKnown" = Option<bool>, Query,
            description = "Whether to count what had arrived by the instant, and not what has come since. Segments that \
                do not tell when they arrived always count. Absent, it means `false`."),
        ("timeframe" = i64, Query, minimum = 1, maximum = 1440, description = "How many minutes to look back."),
        ("v" = i64, Query, minimum = 1, maximum = 1, description = "The version of the API: 1."),
        ("skillIds" = Option<String>, Query, pattern = "^(all|-?[0-9]{1,18}(,-?[0-9]{1,18})*)$",
            description = "Skills separated by commas, or `all`. Absent, it means `all`."),
        ("interval" = Option<i64>, Query, minimum = 5, maximum = 1440,
            description = "Minutes of an interval; it divides the timeframe. Absent, there are no intervals."),
        ("userType" = Option<String>, Query, pattern = "^(human|bot|all)$",
            description = "Only segments whose agents were all human, or all bots. Absent, it means `all`."),
    ),
    responses(
        (status = 200, description = "The report.", body = ReportBody),
        PastReportProblems,
    ))]
pub(super) async fn get(
    State(app): State<App>,
    State(memory): State<ReportMemory>,
    caller: Caller,
    PathVariables(account): PathVariables<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let parameters: Vec<(Cow<'_, str>, Cow<'_, str>)> = form_urlencoded::parse(query.as_bytes()).collect();
    let account = caller.account(&account)?;
    let at = instant(only(&parameters, AT)?)?;
    let mut request = ReportRequest::from_parameters(account.as_str(), at, &parameters)?;
    if as_known(only(&parameters, AS_KNOWN)?)? {
        request = request.as_known();
    }
    respond(app, memory, &Owners::of(Some(&account), caller.holder()), request).await
}

/// The value of a parameter, which may be given once.
fn only<'p>(parameters: &'p [(Cow<'_, str>, Cow<'_, str>)], name: &'static str) -> Result<Option<&'p str>, Error> {
    let mut values = parameters.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_ref());
    let value = values.next();
    match values.next() {
        Some(second) => Err(refused(name, Some(second), "it is given more than once; give it once")),
        None => Ok(value),
    }
}

fn instant(value: Option<&str>) -> Result<i64, Error> {
    const RULE: &str = "it is an instant from 1970 to 2199: RFC 3339, such as 2026-01-31T14:05:00Z, or milliseconds since \
                        the epoch";
    let Some(text) = value else { return Err(refused(AT, None, &format!("the parameter is required: {RULE}"))) };
    // A plus that is not escaped comes as a space.
    let parsed = parse_instant(text).or_else(|_| parse_instant(&text.replace(' ', "+")));
    parsed.ok().filter(|at| INSTANTS.contains(at)).ok_or_else(|| refused(AT, value, RULE))
}

fn as_known(value: Option<&str>) -> Result<bool, Error> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(refused(AS_KNOWN, value, "it is true or false")),
    }
}

fn refused(parameter: &'static str, value: Option<&str>, rule: &str) -> Error {
    Error::Parameter { parameter, value: value.map(str::to_owned), rule: rule.to_owned() }
}
