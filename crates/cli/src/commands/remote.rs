use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use arrow::array::RecordBatch;
use serde::Deserialize;
use skillscope_segment::{Event, EventBatch, Format, SegmentBatchBuilder, SegmentRows, SegmentWriter};
use skillscope_store::{Appended, RefusedRow};
use ureq::Agent;
use ureq::http::StatusCode;

use crate::output::Usage;

/// The largest request that is tried: a server that refuses a larger one may hang up before it says so.
const MAX_REQUEST_BYTES: usize = 1 << 20;

/// A running server that records are sent to.
pub(crate) struct RemoteStore {
    url: String,
    agent: Agent,
}

/// The server's answer to a batch of records.
#[derive(Deserialize)]
struct Answer {
    accepted: usize,
    duplicates: usize,
    rejected_count: usize,
    rejected: Vec<RejectedRecord>,
}

#[derive(Deserialize)]
struct RejectedRecord {
    line: usize,
    error: String,
}

/// The part of a problem document that is for people.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// The URL of a server, without a slash at its end.
pub(crate) fn server_url(url: &str) -> Result<String> {
    if !url.starts_with("http://") {
        return Err(Usage::error(format!("{url} is not the URL of a server: it begins with http://")));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

impl RemoteStore {
    pub(crate) fn new(url: &str) -> Result<Self> {
        let agent = Agent::config_builder().http_status_as_error(false).build().into();
        Ok(Self { url: server_url(url)?, agent })
    }

    /// Sends the rows of `batch`, one request for each account in it.
    pub(crate) fn append(&self, batch: &RecordBatch) -> Result<Appended> {
        let mut appended = Appended::default();
        let segments = SegmentRows::new(batch)?;
        let account_of = |row| Ok(segments.segment(row)?.account_id.into_owned());
        for (account, rows) in rows_by_account(segments.len(), account_of)? {
            let target = Target { account: &account, records: "segments", content_type: ARROW_STREAM };
            self.send(&target, &rows, &|rows| arrow_stream(&segments, rows), &mut appended)?;
        }
        Ok(appended)
    }

    /// Sends events, those of each account in their order.
    pub(crate) fn append_events(&self, events: &EventBatch) -> Result<Appended> {
        let mut appended = Appended::default();
        let events: Vec<Event<&str>> = events.iter().collect();
        let account_of =
            |row: usize| events.get(row).map(|event| event.account_id.to_owned()).context("there are no more events");
        for (account, rows) in rows_by_account(events.len(), account_of)? {
            let target = Target { account: &account, records: "events", content_type: "application/x-ndjson" };
            self.send(&target, &rows, &|rows| ndjson(&events, rows), &mut appended)?;
        }
        Ok(appended)
    }

    /// Sends some rows of one account, in halves where they are too many for one request.
    fn send(
        &self,
        target: &Target<'_>,
        rows: &[usize],
        body_of: &dyn Fn(&[usize]) -> Result<Vec<u8>>,
        appended: &mut Appended,
    ) -> Result<()> {
        let Some(answer) = self.post(target, &body_of(rows)?)? else {
            if rows.len() < 2 {
                bail!("{} takes no request that is large enough for one record", self.url);
            }
            let (first, second) = rows.split_at(rows.len() / 2);
            self.send(target, first, body_of, appended)?;
            return self.send(target, second, body_of, appended);
        };
        appended.accepted += answer.accepted;
        appended.duplicates += answer.duplicates;
        appended.refused_count += answer.rejected_count;
        for record in answer.rejected {
            let row = record.line.checked_sub(1).and_then(|row| rows.get(row));
            let row =
                *row.with_context(|| format!("{} rejects record {}, which it was not sent", self.url, record.line))?;
            appended.refused.push(RefusedRow { row, reason: record.error });
        }
        Ok(())
    }

    /// The server's answer to `body`; `None` where that is too large for it.
    fn post(&self, target: &Target<'_>, body: &[u8]) -> Result<Option<Answer>> {
        if body.len() > MAX_REQUEST_BYTES {
            return Ok(None);
        }
        let url = format!("{}/v1/accounts/{}/{}", self.url, target.account, target.records);
        let request = self.agent.post(&url).content_type(target.content_type);
        let mut response = request.send(body).with_context(|| format!("cannot reach {url}"))?;
        let status = response.status();
        let text = response.body_mut().read_to_string().with_context(|| format!("cannot read the answer of {url}"))?;
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            return Ok(None);
        }
        if !status.is_success() {
            let detail = serde_json::from_str::<Problem>(&text).map_or(text, |problem| problem.detail);
            bail!("{url} answers {status}: {detail}");
        }
        serde_json::from_str(&text).map(Some).with_context(|| format!("{url} is not a skillscope server"))
    }
}

/// Where records are sent to.
struct Target<'t> {
    account: &'t str,
    records: &'static str,
    content_type: &'static str,
}

const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// Some rows, with nothing of the others in their dictionaries.
fn arrow_stream(segments: &SegmentRows, rows: &[usize]) -> Result<Vec<u8>> {
    let mut builder = SegmentBatchBuilder::with_capacity(rows.len());
    for row in rows {
        builder.append(&segments.segment(*row)?);
    }
    let mut writer = SegmentWriter::new(Format::Arrow, Vec::new())?;
    writer.write(&builder.finish()?)?;
    Ok(writer.finish()?)
}

fn ndjson(events: &[Event<&str>], rows: &[usize]) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for event in rows.iter().filter_map(|row| events.get(*row)) {
        event.write_line(&mut lines)?;
    }
    Ok(lines)
}

/// The rows of each account.
fn rows_by_account(count: usize, account_of: impl Fn(usize) -> Result<String>) -> Result<BTreeMap<String, Vec<usize>>> {
    let mut accounts = BTreeMap::<String, Vec<usize>>::new();
    for row in 0..count {
        accounts.entry(account_of(row)?).or_default().push(row);
    }
    Ok(accounts)
}
