use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use serde::Deserialize;
use skillscope_segment::{Format, SegmentRows, SegmentWriter};
use skillscope_store::{Appended, RefusedRow};
use ureq::Agent;
use ureq::http::StatusCode;

use crate::output::Usage;

/// A running server that segments are sent to.
pub(crate) struct RemoteStore {
    url: String,
    agent: Agent,
}

/// The server's answer to a batch of segments.
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

impl RemoteStore {
    pub(crate) fn new(url: &str) -> Result<Self> {
        if !url.starts_with("http://") {
            return Err(Usage::error(format!("{url} is not the URL of a server: it begins with http://")));
        }
        let agent = Agent::config_builder().http_status_as_error(false).build().into();
        Ok(Self { url: url.trim_end_matches('/').to_owned(), agent })
    }

    /// Sends the rows of `batch`, one request for each account in it.
    pub(crate) fn append(&self, batch: &RecordBatch) -> Result<Appended> {
        let mut appended = Appended::default();
        for (account, rows) in rows_by_account(batch)? {
            self.append_rows(batch, &account, &rows, &mut appended)?;
        }
        Ok(appended)
    }

    /// Sends some rows of `batch`, in halves where the server finds them too many for one request.
    fn append_rows(&self, batch: &RecordBatch, account: &str, rows: &[u32], appended: &mut Appended) -> Result<()> {
        let part = take_record_batch(batch, &UInt32Array::from(rows.to_vec()))?;
        let Some(answer) = self.post(account, &part)? else {
            if rows.len() < 2 {
                bail!("{} takes no request that is large enough for one segment", self.url);
            }
            let (first, second) = rows.split_at(rows.len() / 2);
            self.append_rows(batch, account, first, appended)?;
            return self.append_rows(batch, account, second, appended);
        };
        appended.accepted += answer.accepted;
        appended.duplicates += answer.duplicates;
        appended.refused_count += answer.rejected_count;
        for record in answer.rejected {
            let row = record.line.checked_sub(1).and_then(|row| rows.get(row));
            let row =
                *row.with_context(|| format!("{} rejects record {}, which it was not sent", self.url, record.line))?;
            appended.refused.push(RefusedRow { row: row as usize, reason: record.error });
        }
        Ok(())
    }

    /// The server's answer to `batch`; `None` where that is too large for it.
    fn post(&self, account: &str, batch: &RecordBatch) -> Result<Option<Answer>> {
        let mut writer = SegmentWriter::new(Format::Arrow, Vec::new())?;
        writer.write(batch)?;
        let body = writer.finish()?;
        let url = format!("{}/v1/accounts/{account}/segments", self.url);
        let request = self.agent.post(&url).content_type("application/vnd.apache.arrow.stream");
        let mut response = request.send(&body).with_context(|| format!("cannot reach {url}"))?;
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

/// The rows of each account in `batch`.
fn rows_by_account(batch: &RecordBatch) -> Result<BTreeMap<String, Vec<u32>>> {
    let segments = SegmentRows::new(batch)?;
    let mut accounts = BTreeMap::<String, Vec<u32>>::new();
    for (row, number) in (0..segments.len()).zip(0..) {
        let segment = segments.segment(row)?;
        match accounts.get_mut(segment.account_id.as_ref()) {
            Some(rows) => rows.push(number),
            None => {
                accounts.insert(segment.account_id.into_owned(), vec![number]);
            }
        }
    }
    Ok(accounts)
}
