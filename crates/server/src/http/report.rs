//! The route of the report.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures::{StreamExt, stream};
use skillscope_query::ReportRequest;
use utoipa::IntoParams;

use super::feed_headers;
use super::followed_report::FollowedReport;
use super::openapi::{ReportBody, problem_responses};
use super::options::HttpOptions;
use super::path_variables::PathVariables;
use super::problem::Problem;
use super::query_parameters::query_parameters;
use super::streams::{self, Feeds, StreamQuery};
use crate::App;
use crate::caller::Caller;
use crate::memory_budget::{Budget, MemoryBudget, Owners, Share};
use crate::once_per_minute::OncePerMinute;
use crate::threads::NotComputed;

/// Reports that are larger are written while they are sent.
const STREAMED_BYTES: usize = 1 << 20;

/// A report of at most so many cells, which are the metrics of a skill in an interval, takes less than a millisecond.
/// It is computed where it was asked for: going to another thread and back would take a small one longer than it takes
/// itself.
pub(super) const SMALL_CELLS: u64 = 2048;

/// About the memory of a cell: its row of the plan's answer, and its place in the report.
const BYTES_PER_CELL: u64 = 300;

/// How long a large report waits for others.
const PATIENCE: Duration = Duration::from_secs(30);

problem_responses! {
    ReportProblems {
        400: "The account is not one, or a parameter is missing or not allowed.",
        503: "A file that the report needs cannot be read now, or too many large reports are under way.",
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct ReportAccount {
    /// The brand's account; one that has no segments gives an empty report.
    #[param(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    account: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct ReportQuery {
    /// How many minutes to look back.
    #[param(minimum = 1, maximum = 1440)]
    timeframe: i64,
    /// The version of the API: 1.
    #[param(minimum = 1, maximum = 1)]
    v: i64,
    /// Skills separated by commas, or `all`. Absent, it means `all`.
    #[param(pattern = "^(all|-?[0-9]{1,18}(,-?[0-9]{1,18})*)$")]
    skill_ids: Option<String>,
    /// Minutes of an interval; it divides the timeframe. Absent, there are no intervals.
    #[param(minimum = 5, maximum = 1440)]
    interval: Option<i64>,
    /// Only segments whose agents were all human, or all bots. Absent, it means `all`.
    #[param(pattern = "^(human|bot|all)$")]
    user_type: Option<String>,
}

/// Count an account's closed skill segments of the last minutes, by skill and by interval.
///
/// The timeframe ends at the instant of the request. Intervals are cut from its start and listed newest first; skills
/// without segments do not appear.
#[utoipa::path(get, path = "/operations/api/account/{account}/msgskillsegments", operation_id = "report", tag = "report",
    params(
        ReportAccount,
        ReportQuery,
        StreamQuery,
    ),
    responses(
        (status = 200, description = "The report. For `Accept: text/event-stream`, the report at once and then every so \
            many seconds, as the data of events called `report` whose `id` is the instant in milliseconds since the epoch; an \
            event `problem` stands for a report that could not be made, and `end` says why the stream ends.", content(
            (ReportBody = "application/json"),
            (String = "text/event-stream"),
        ), headers(
            ("Data-Until" = String, description = "The latest event or end of a segment that there is of the account, as an HTTP date. Absent where nothing ever came."),
            ("Last-Arrival" = String, description = "When something was accepted of the account last, as an HTTP date. Absent where nothing ever came."),
        )),
        ReportProblems,
    ))]
pub(super) async fn get(
    State(app): State<App>,
    State(memory): State<ReportMemory>,
    State(feeds): State<Feeds<FollowedReport>>,
    caller: Caller,
    PathVariables(account): PathVariables<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let parameters = query_parameters(&query);
    let account = caller.account(&account)?;
    let request = ReportRequest::from_parameters(account.as_str(), app.engine().clock().now(), &parameters)?;
    if streams::are_wanted(&headers) {
        return streams::follow(&feeds, FollowedReport::new(account, &request), &parameters, caller);
    }
    respond(app, memory, &Owners::of(Some(&account), caller.holder()), request).await
}

/// The report that is asked for, computed where there is room for it.
pub(super) async fn respond(
    app: App,
    memory: ReportMemory,
    owners: &Owners,
    request: ReportRequest,
) -> Result<Response, Problem> {
    // Before the report is computed, so that its headers promise nothing that is not in it.
    let feed = app.store().feed(request.account());
    let cells = app.engine().report_cells(&request);
    // What was known then is not looked up but counted row by row.
    let (body, place) = if cells <= SMALL_CELLS && !request.is_as_known() {
        (answer(&app, &request, None).await?, None)
    } else {
        let share = memory.take(owners, cells).await?;
        let threads = app.clone();
        let answered =
            threads.threads().reports.run(cells, async move { answer(&app, &request, Some(share)).await }).await;
        let (body, place) = answered?;
        (body?, Some(place))
    };
    let mut response = feed_headers::json(body, feed);
    if let Some(place) = place {
        response.extensions_mut().insert(place);
    }
    Ok(response)
}

impl From<NotComputed> for Problem {
    fn from(not_computed: NotComputed) -> Self {
        match not_computed {
            NotComputed::Overloaded => Self::busy("more reports are asked for than can be computed; ask again"),
            NotComputed::GivenUp => Self::internal("the report stopped; the server's log says why"),
        }
    }
}

/// The memory that large reports share.
#[derive(Clone)]
pub(super) struct ReportMemory(Arc<MemoryBudget>);

impl ReportMemory {
    pub(super) fn new(options: &HttpOptions) -> Self {
        let turned_away = OncePerMinute::new(|number| {
            tracing::warn!(number, "reports were turned away: others had the memory for them; see --report-memory");
        });
        Self(MemoryBudget::new(options.report_memory, PATIENCE, turned_away))
    }

    /// How much of it there is, and is taken.
    pub(super) fn budget(&self) -> Budget {
        self.0.read()
    }

    /// The memory of a report with so many cells.
    pub(super) async fn take(&self, owners: &Owners, cells: u64) -> Result<Share, Problem> {
        let mut share = self.0.share(owners);
        let bytes = usize::try_from(cells.saturating_mul(BYTES_PER_CELL)).unwrap_or(usize::MAX);
        share.grow(bytes).await.map_err(|_| {
            Problem::busy("other large reports have the memory that there is for them (--report-memory); ask again")
        })?;
        Ok(share)
    }
}

/// Computes and writes a report. What is written while it is sent holds its share until then.
async fn answer(app: &App, request: &ReportRequest, share: Option<Share>) -> Result<Body, Problem> {
    let report = app.engine().report(request).await?;
    if report.json_bytes() > STREAMED_BYTES {
        let pieces = Arc::new(report).json_stream(app.threads().reports.handle());
        let held = stream::unfold((Box::pin(pieces), share), |(mut pieces, share)| async move {
            Some((pieces.next().await?, (pieces, share)))
        });
        // Compression asks again after the end.
        return Ok(Body::from_stream(held.fuse()));
    }
    let mut body = Vec::new();
    report.write_json(&mut body);
    Ok(Body::from(body))
}
