//! Sending segments, events and message history to a server, in requests that it takes.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use arrow::array::RecordBatch;
use serde::Deserialize;
use skillscope_segment::{Event, EventBatch, Format, SegmentBatchBuilder, SegmentRows, SegmentWriter, ToldRecord};
use skillscope_store::{Appended, RefusedRow};
use ureq::http::StatusCode;

use super::server::{ARROW_STREAM, RemoteServer};

/// The largest request that is sent. A server that takes less may hang up on a larger one before it says so.
const MAX_REQUEST_BYTES: usize = 1 << 20;

/// The server's answer to a batch of records.
#[derive(Deserialize)]
struct Answer {
    accepted: usize,
    duplicates: usize,
    rejected_count: usize,
    /// Of message history alone.
    #[serde(default)]
    followed: usize,
    rejected: Vec<RejectedRecord>,
}

#[derive(Deserialize)]
struct RejectedRecord {
    /// 1-based number of the record in the request.
    line: usize,
    error: String,
}

/// The records of one account in a batch.
struct Upload<'b> {
    account: String,
    /// The last part of the route's path.
    records: &'static str,
    content_type: &'static str,
    /// Makes the body of a request from some rows of the batch.
    encode: &'b dyn Fn(&[usize]) -> Result<Vec<u8>>,
}

impl RemoteServer {
    /// Sends the segments of `batch`, in a request for each account.
    pub(crate) fn append(&self, batch: &RecordBatch) -> Result<Appended> {
        let segments = SegmentRows::new(batch)?;
        let account_of = |row| Ok(segments.segment(row)?.account_id.into_owned());
        let mut appended = Appended::default();
        for (account, rows) in rows_by_account(segments.len(), account_of)? {
            let encode = |rows: &[usize]| arrow_stream(&segments, rows);
            let upload = Upload { account, records: "segments", content_type: ARROW_STREAM, encode: &encode };
            self.send_rows(&upload, &rows, &mut appended)?;
        }
        Ok(appended)
    }

    /// Sends events, in a request for each account. Those of one account stay in their order.
    pub(crate) fn append_events(&self, events: &EventBatch) -> Result<Appended> {
        let events: Vec<Event<&str>> = events.iter().collect();
        let account_of =
            |row: usize| events.get(row).map(|event| event.account_id.to_owned()).context("there are no more events");
        let mut appended = Appended::default();
        for (account, rows) in rows_by_account(events.len(), account_of)? {
            let encode = |rows: &[usize]| ndjson(&events, rows);
            let upload = Upload { account, records: "events", content_type: "application/x-ndjson", encode: &encode };
            self.send_rows(&upload, &rows, &mut appended)?;
        }
        Ok(appended)
    }

    /// Sends the records of a message history, in a request for each account. What the server refuses of a record is
    /// told of the row of `lines` that has its number.
    pub(crate) fn append_history(&self, lines: &[u64], told: &[ToldRecord]) -> Result<Appended> {
        let account_of = |row: usize| {
            told.get(row).map(|record| record.told.account.to_string()).context("there are no more records")
        };
        let mut appended = Appended::default();
        for (account, rows) in rows_by_account(told.len(), account_of)? {
            let encode = |rows: &[usize]| records(told, rows);
            let upload = Upload { account, records: "history", content_type: "application/json", encode: &encode };
            self.send_rows(&upload, &rows, &mut appended)?;
        }
        for refused in &mut appended.refused {
            let number = told.get(refused.row).map(|record| record.line);
            refused.row = lines.iter().position(|line| Some(*line) == number).unwrap_or(usize::MAX);
        }
        Ok(appended)
    }

    /// Sends some rows of an upload, in halves if they are too many for one request.
    fn send_rows(&self, upload: &Upload<'_>, rows: &[usize], appended: &mut Appended) -> Result<()> {
        let Some(answer) = self.ingest(upload, rows)? else {
            if rows.len() < 2 {
                bail!("{} takes no request that is large enough for one record", self.url());
            }
            let (first, second) = rows.split_at(rows.len() / 2);
            self.send_rows(upload, first, appended)?;
            return self.send_rows(upload, second, appended);
        };
        appended.accepted = appended.accepted.saturating_add(answer.accepted);
        appended.duplicates = appended.duplicates.saturating_add(answer.duplicates);
        appended.followed = appended.followed.saturating_add(answer.followed);
        appended.refused_count = appended.refused_count.saturating_add(answer.rejected_count);
        for RejectedRecord { line, error } in answer.rejected {
            let row = line.checked_sub(1).and_then(|row| rows.get(row));
            let row = *row.with_context(|| format!("{} rejects record {line}, which it was not sent", self.url()))?;
            appended.refused.push(RefusedRow { row, reason: error });
        }
        Ok(())
    }

    /// Sends some rows in one request; `None` if they are too large for one.
    fn ingest(&self, upload: &Upload<'_>, rows: &[usize]) -> Result<Option<Answer>> {
        let body = (upload.encode)(rows)?;
        if body.len() > MAX_REQUEST_BYTES && rows.len() > 1 {
            return Ok(None);
        }
        let path = format!("/v1/accounts/{}/{}", upload.account, upload.records);
        let response = self.post(&path, upload.content_type, &body)?;
        if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Ok(None);
        }
        let refused = || format!("{} takes no {}", self.url(), upload.records);
        let response = self.accepted(response).with_context(refused)?;
        let answer = serde_json::from_slice(&self.read(response)?);
        answer.map(Some).with_context(|| format!("{} is not a skillscope server", self.url()))
    }
}

/// Encodes some rows, with nothing of the others in their dictionaries.
fn arrow_stream(segments: &SegmentRows, rows: &[usize]) -> Result<Vec<u8>> {
    let mut builder = SegmentBatchBuilder::with_capacity(rows.len());
    for row in rows {
        builder.append(&segments.segment(*row)?);
    }
    let mut writer = SegmentWriter::new(Format::Arrow, Vec::new())?;
    writer.write(&builder.finish()?)?;
    Ok(writer.finish()?)
}

/// Records of a message history, one a line.
fn records(told: &[ToldRecord], rows: &[usize]) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for record in rows.iter().filter_map(|row| told.get(*row)) {
        lines.extend_from_slice(record.json.as_deref().context("a record was not kept")?.as_bytes());
        lines.push(b'\n');
    }
    Ok(lines)
}

fn ndjson(events: &[Event<&str>], rows: &[usize]) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for event in rows.iter().filter_map(|row| events.get(*row)) {
        event.write_line(&mut lines)?;
    }
    Ok(lines)
}

/// Groups the rows 0 to `count` by their accounts.
fn rows_by_account(count: usize, account_of: impl Fn(usize) -> Result<String>) -> Result<BTreeMap<String, Vec<usize>>> {
    let mut accounts = BTreeMap::<String, Vec<usize>>::new();
    for row in 0..count {
        accounts.entry(account_of(row)?).or_default().push(row);
    }
    Ok(accounts)
}
