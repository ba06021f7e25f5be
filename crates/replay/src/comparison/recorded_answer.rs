//! A line with a recorded answer: what was asked, when, and what the answer was.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use skillscope_query::ReportParameters;
use skillscope_segment::{AccountId, format_instant, parse_instant};
use url::form_urlencoded;

use super::recorded_report::{RecordedBreakdown, RecordedInterval, RecordedReport};
use super::told::whole;
use crate::{Error, Result};

/// Instants before 1973 are seconds that were taken for milliseconds.
const FIRST_INSTANT: i64 = 100_000_000_000;

/// 2200-01-01T00:00:00Z. No segment ends then or later.
const END_OF_INSTANTS: i64 = 7_258_118_400_000;

/// A recorded answer, and the question that it answers.
#[derive(Debug)]
pub(super) struct RecordedAnswer {
    pub(super) account: AccountId,
    /// What was asked, at the instant at which it was answered.
    pub(super) parameters: ReportParameters,
    /// How long after the recorded instant the timestamps of intervals put the answer, in milliseconds; `None` where
    /// there are no timestamps or no recorded instant.
    pub(super) delay: Option<i64>,
    /// Whether the instant is the one that timestamps tell.
    pub(super) is_by_timestamps: bool,
    pub(super) summary: RecordedBreakdown,
    /// Each interval, the newest first; empty where none were asked for.
    pub(super) intervals: Vec<RecordedBreakdown>,
}

/// A line as it is written.
#[derive(Deserialize)]
struct Line {
    now: Option<Value>,
    account: Option<Value>,
    query: Option<String>,
    url: Option<String>,
    #[serde(alias = "body")]
    report: Option<Value>,
}

impl RecordedAnswer {
    /// Reads a line. An answer that names no account is of `account`.
    ///
    /// # Errors
    /// [`Error::Recording`] where it is no recorded answer to a question that the endpoint takes.
    pub(super) fn read(line: &[u8], account: Option<&AccountId>) -> Result<Self> {
        let line = serde_json::from_slice::<Line>(line);
        let line = line.map_err(|error| Error::recording(format!("it is no record in JSON: {error}")))?;
        let (path, query) = asked(&line)?;
        let account = account_of(path, line.account.as_ref(), account)?;
        let now = line.now.as_ref().map(instant).transpose()?;
        let body = line.report.as_ref().ok_or_else(|| Error::recording("there is no report"))?;
        let report = RecordedReport::read(body)?;
        let asked = parameters(query)?;
        let Some(length) = asked.interval_ms() else {
            if report.intervals.is_some() {
                return Err(Error::recording("the report has intervals, and the query asks for none"));
            }
            let end = now.ok_or_else(no_instant)?;
            let summary = report.summary;
            let (delay, is_by_timestamps, intervals) = (None, false, Vec::new());
            return Ok(Self { account, parameters: asked.at(end), delay, is_by_timestamps, summary, intervals });
        };
        let Some(listed) = report.intervals else {
            return Err(Error::recording("the query asks for intervals, and the report has none"));
        };
        let range = asked.range();
        let count = range.end.saturating_sub(range.start) / length.max(1);
        let told = told_end(&listed, now, length, count);
        let end = told.or(now).ok_or_else(no_instant)?;
        check_instant(end)?;
        Ok(Self {
            account,
            parameters: asked.at(end),
            delay: told.zip(now).map(|(told, now)| told.saturating_sub(now)),
            is_by_timestamps: told.is_some(),
            summary: report.summary,
            intervals: placed(listed, end, length, count)?,
        })
    }
}

fn no_instant() -> Error {
    Error::recording("there is no now, and no timestamp that tells the instant")
}

/// The path of the URL that was asked, and the query.
fn asked(line: &Line) -> Result<(Option<&str>, &str)> {
    let url = line.url.as_deref().map(|url| url.split_once('#').map_or(url, |(url, _)| url));
    let (path, of_url) = match url {
        Some(url) => url.split_once('?').map_or((Some(url), None), |(path, query)| (Some(path), Some(query))),
        None => (None, None),
    };
    let query = line.query.as_deref().map(|query| query.trim_start_matches('?')).or(of_url);
    Ok((path, query.ok_or_else(|| Error::recording("there is no query, and no url with one"))?))
}

/// The account that the path names, or else the record, or else the command.
fn account_of(path: Option<&str>, told: Option<&Value>, given: Option<&AccountId>) -> Result<AccountId> {
    let parse = |id: &str| AccountId::parse(id).map_err(|error| Error::recording(error.to_string()));
    if let Some((_, rest)) = path.and_then(|path| path.split_once("/account/")) {
        return parse(rest.split('/').next().unwrap_or_default());
    }
    match (told, given) {
        (Some(Value::String(id)), _) => parse(id),
        (Some(Value::Number(id)), _) => parse(&id.to_string()),
        (Some(_), _) => Err(Error::recording("the account is neither text nor a number")),
        (None, Some(given)) => Ok(given.clone()),
        (None, None) => Err(Error::recording("there is no account, and no url with one; --account names one for all")),
    }
}

fn instant(value: &Value) -> Result<i64> {
    let instant = match value {
        Value::String(text) => parse_instant(text.trim()).map_err(|error| Error::recording(error.to_string()))?,
        other => whole(other).ok_or_else(|| {
            Error::recording("now is neither a whole number of milliseconds since the epoch nor RFC 3339")
        })?,
    };
    check_instant(instant)?;
    Ok(instant)
}

fn check_instant(instant: i64) -> Result<()> {
    if (FIRST_INSTANT..END_OF_INSTANTS).contains(&instant) {
        return Ok(());
    }
    let shown = format_instant(instant);
    Err(Error::recording(format!(
        "the instant {instant} is {shown}; instants are milliseconds since the epoch, from 1973 to 2199"
    )))
}

/// The parameters of a query, at the instant 0. A query without the API's version is of the one that there
/// is.
fn parameters(query: &str) -> Result<ReportParameters> {
    let mut parameters: Vec<(Cow<'_, str>, Cow<'_, str>)> = form_urlencoded::parse(query.as_bytes()).collect();
    if !parameters.iter().any(|(name, _)| name == "v") {
        parameters.push(("v".into(), "1".into()));
    }
    ReportParameters::parse(0, &parameters).map_err(|error| Error::recording(error.to_string()))
}

/// The instant of the answer that the timestamps of its intervals tell. Where intervals are left out, the newest may be
/// among them; then the recorded instant says which one the newest of the list is.
fn told_end(listed: &[RecordedInterval], now: Option<i64>, length: i64, count: i64) -> Option<i64> {
    let newest = listed.iter().map(|interval| interval.timestamp).max()?;
    let are_all = i64::try_from(listed.len()).is_ok_and(|listed| listed >= count);
    let behind = match now {
        Some(now) if !are_all => {
            let nearest = now.saturating_sub(newest).saturating_add(length / 2).div_euclid(length.max(1));
            nearest.clamp(1, count.max(1))
        }
        _ => 1,
    };
    Some(newest.saturating_add(behind.saturating_mul(length)))
}

/// Every interval of the timeframe, the newest first. Those that are not listed are empty.
fn placed(listed: Vec<RecordedInterval>, end: i64, length: i64, count: i64) -> Result<Vec<RecordedBreakdown>> {
    let mut intervals: Vec<Option<RecordedBreakdown>> = (0..count).map(|_| None).collect();
    for RecordedInterval { timestamp, breakdown } in listed {
        let behind = end.saturating_sub(timestamp);
        let place = usize::try_from(behind / length.max(1) - 1).ok().filter(|_| behind % length.max(1) == 0);
        let Some(free) = place.and_then(|place| intervals.get_mut(place)) else {
            let instant = format_instant(timestamp);
            return Err(Error::recording(format!("no interval of the query begins at the timestamp {instant}")));
        };
        if free.replace(breakdown).is_some() {
            return Err(Error::recording(format!("the timestamp {timestamp} is there twice")));
        }
    }
    Ok(intervals.into_iter().map(|interval| interval.unwrap_or_else(RecordedBreakdown::empty)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_516_265_515_679;
    const HALF_HOUR: i64 = 1_800_000;
    const EMPTY: &str = r#"{"skillsMetrics":{},"metricsTotal":{}}"#;

    fn read(line: &str) -> Result<RecordedAnswer> {
        RecordedAnswer::read(line.as_bytes(), Some(&AccountId::parse("given").unwrap()))
    }

    fn intervals(timestamps: &[i64]) -> String {
        let intervals: Vec<String> = timestamps
            .iter()
            .map(|timestamp| format!(r#"{{"timestamp":{timestamp},"skillsMetrics":{{}},"metricsTotal":{{}}}}"#))
            .collect();
        format!(r#"{{"metricsByIntervals":[{}],"timeframeSummary":{EMPTY}}}"#, intervals.join(","))
    }

    #[test]
    fn account_and_query_come_from_the_url_or_stand_by_themselves() {
        for (line, account) in [
            (format!(r#"{{"now":{NOW},"query":"timeframe=60&v=1","report":{EMPTY}}}"#), "given"),
            (format!(r#"{{"now":"{NOW}","query":"?timeframe=60","account":"acme","body":{EMPTY}}}"#), "acme"),
            (
                format!(r#"{{"now":"2018-01-18T08:51:55.679Z","query":"timeframe=60","account":12,"body":{EMPTY}}}"#),
                "12",
            ),
            (
                format!(
                    r#"{{"now":{NOW},"url":"https://h/operations/api/account/34/msgskillsegments?v=1&timeframe=60","report":{EMPTY}}}"#
                ),
                "34",
            ),
            (
                format!(
                    r#"{{"now":{NOW},"account":"x","url":"/operations/api/account/34/msgskillsegments/?timeframe=60#a","report":{}}}"#,
                    Value::from(EMPTY)
                ),
                "34",
            ),
        ] {
            let answer = read(&line).unwrap();
            assert_eq!(answer.account.as_str(), account, "{line}");
            assert_eq!(answer.parameters.range(), NOW - 3_600_000..NOW, "{line}");
            assert!(!answer.is_by_timestamps && answer.delay.is_none());
        }
    }

    #[test]
    fn timestamps_of_intervals_tell_the_instant() {
        let told = NOW + 250;
        let line = |timestamps: &[i64], now: Option<i64>| {
            let now = now.map_or(String::new(), |now| format!(r#""now":{now},"#));
            let report = intervals(timestamps);
            let answer =
                read(&format!(r#"{{{now}"query":"timeframe=90&interval=30&v=1","report":{report}}}"#)).unwrap();
            assert_eq!(answer.intervals.len(), 3);
            (answer.parameters.range().end, answer.is_by_timestamps, answer.delay)
        };
        let ago = |intervals: i64| told - intervals * HALF_HOUR;
        assert_eq!(line(&[ago(1), ago(2), ago(3)], Some(NOW)), (told, true, Some(250)));
        assert_eq!(line(&[ago(3), ago(1), ago(2)], None), (told, true, None), "in any order, and without now");
        assert_eq!(line(&[ago(2), ago(3)], Some(NOW)), (told, true, Some(250)), "the newest is left out");
        assert_eq!(line(&[ago(3)], Some(NOW)), (told, true, Some(250)));
        assert_eq!(line(&[], Some(NOW)), (NOW, false, None));
    }

    #[test]
    fn what_is_no_recorded_answer_is_refused_with_the_reason() {
        let with = |query: &str, report: &str| format!(r#"{{"now":{NOW},"query":"{query}","report":{report}}}"#);
        let far = intervals(&[NOW - HALF_HOUR, NOW - HALF_HOUR - 1]);
        let twice = intervals(&[NOW - HALF_HOUR, NOW - HALF_HOUR]);
        for (line, problem) in [
            ("{".to_owned(), "it is no record in JSON"),
            ("[1]".to_owned(), "it is no record in JSON"),
            (format!(r#"{{"now":{NOW},"report":{EMPTY}}}"#), "there is no query"),
            (format!(r#"{{"now":{NOW},"query":"timeframe=60"}}"#), "there is no report"),
            (format!(r#"{{"query":"timeframe=60","report":{EMPTY}}}"#), "there is no now"),
            (format!(r#"{{"now":1516265515,"query":"timeframe=60","report":{EMPTY}}}"#), "is 1970-01-18T"),
            (format!(r#"{{"now":"soon","query":"timeframe=60","report":{EMPTY}}}"#), "soon"),
            (format!(r#"{{"now":true,"query":"timeframe=60","report":{EMPTY}}}"#), "now is neither"),
            (format!(r#"{{"now":{NOW},"account":"a/b","query":"timeframe=60","report":{EMPTY}}}"#), "a/b"),
            (with("v=1", EMPTY), "timeframe"),
            (with("timeframe=60&v=2", EMPTY), "v=2"),
            (with("timeframe=60", r#"{"error":"too many requests"}"#), "this is no report"),
            (with("timeframe=60", r#""<html>""#), "text that is no JSON"),
            (with("timeframe=60", "[]"), "the report is no object"),
            (with("timeframe=60", r#"{"skillsMetrics":{"a":{}}}"#), "the skill \"a\" is no number"),
            (with("timeframe=60", &intervals(&[NOW - HALF_HOUR])), "the query asks for none"),
            (with("timeframe=60&interval=30", EMPTY), "the report has none"),
            (with("timeframe=60&interval=30", &far), "no interval of the query begins at"),
            (with("timeframe=60&interval=30", &twice), "there twice"),
            (with("timeframe=60&interval=30", r#"{"metricsByIntervals":[]}"#), "no timeframeSummary"),
            (with("timeframe=60&interval=30", r#"{"metricsByIntervals":[{}],"timeframeSummary":{}}"#), "no timestamp"),
            (with("timeframe=60&interval=30", &intervals(&[i64::MAX, i64::MIN])), "instant"),
        ] {
            let told = read(&line).unwrap_err().to_string();
            assert!(told.contains(problem), "{line}: {told}");
        }
        let line = format!(r#"{{"now":{NOW},"query":"timeframe=60","report":{EMPTY}}}"#);
        let told = RecordedAnswer::read(line.as_bytes(), None).unwrap_err().to_string();
        assert!(told.contains("--account"), "{told}");
    }
}
