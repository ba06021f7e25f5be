use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use arrow::array::RecordBatch;
use serde::Deserialize;
use skillscope_segment::{Format, SegmentBatchBuilder, SegmentRows, SegmentWriter};
use skillscope_store::{Appended, RefusedRow};
use ureq::Agent;
use ureq::http::StatusCode;

use crate::output::Usage;

/// The largest request that is tried: a server that refuses a larger one may hang up before it says so.
const MAX_REQUEST_BYTES: usize = 1 << 20;

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
        for (account, rows) in rows_by_account(&segments)? {
            self.append_rows(&segments, &account, &rows, &mut appended)?;
        }
        Ok(appended)
    }

    /// Sends some rows of one account, in halves where they are too many for one request.
    fn append_rows(
        &self,
        segments: &SegmentRows,
        account: &str,
        rows: &[usize],
        appended: &mut Appended,
    ) -> Result<()> {
        let Some(answer) = self.post(account, &rows_of(segments, rows)?)? else {
            if rows.len() < 2 {
                bail!("{} takes no request that is large enough for one segment", self.url);
            }
            let (first, second) = rows.split_at(rows.len() / 2);
            self.append_rows(segments, account, first, appended)?;
            return self.append_rows(segments, account, second, appended);
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

    /// The server's answer to `batch`; `None` where that is too large for it.
    fn post(&self, account: &str, batch: &RecordBatch) -> Result<Option<Answer>> {
        let mut writer = SegmentWriter::new(Format::Arrow, Vec::new())?;
        writer.write(batch)?;
        let body = writer.finish()?;
        if body.len() > MAX_REQUEST_BYTES {
            return Ok(None);
        }
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

/// A batch of some rows, with nothing of the others in its dictionaries.
fn rows_of(segments: &SegmentRows, rows: &[usize]) -> Result<RecordBatch> {
    let mut builder = SegmentBatchBuilder::with_capacity(rows.len());
    for row in rows {
        builder.append(&segments.segment(*row)?);
    }
    Ok(builder.finish()?)
}

/// The rows of each account.
fn rows_by_account(segments: &SegmentRows) -> Result<BTreeMap<String, Vec<usize>>> {
    let mut accounts = BTreeMap::<String, Vec<usize>>::new();
    for row in 0..segments.len() {
        let segment = segments.segment(row)?;
        match accounts.get_mut(segment.account_id.as_ref()) {
            Some(rows) => rows.push(row),
            None => {
                accounts.insert(segment.account_id.into_owned(), vec![row]);
            }
        }
    }
    Ok(accounts)
}
