//! Segments of the past, sent to a server at the pace at which they closed.

use std::time::Duration;

use anyhow::{Context, Result};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMillisecondType;
use indicatif::ProgressBar;
use skillscope_replay::{PlanRunner, Playback};
use skillscope_segment::column;
use skillscope_store::{Appended, Clock, LinkedCopy};
use tokio::runtime::Handle;

use super::{complain_of_skipped, show};
use crate::archive;
use crate::arguments::{ReplayArguments, scope};
use crate::escaped::Escaped;
use crate::output;
use crate::remote::RemoteServer;

/// How long to wait when no segment is due.
const PERIOD: Duration = Duration::from_millis(100);

/// The most segments in one request: about half a megabyte.
const MAX_ROWS: usize = 1 << 12;

/// Sends segments to a server, each when it closes by the clock of the playback. Returns a sentence that says how many.
pub(super) fn play(arguments: &ReplayArguments, url: &str, runtime: &Handle) -> Result<String> {
    let server = RemoteServer::at(url, &arguments.client)?;
    let (mut playback, _copy) = runtime.block_on(playback(arguments))?;
    let mut sent = Sent {
        url,
        accepted: 0,
        refused: 0,
        bar: show(ProgressBar::new_spinner(), "{elapsed_precise} {spinner} {msg}")?,
    };
    while let Some(rows) = runtime.block_on(playback.next())? {
        let mut first = 0;
        while first < rows.num_rows() {
            let due = due(&rows, first, Clock::System.now())?;
            if due == 0 {
                std::thread::sleep(PERIOD);
            } else {
                sent.count(&server.append(&rows.slice(first, due))?);
                first += due;
            }
        }
    }
    sent.bar.finish_and_clear();
    complain_of_skipped(playback.skipped());
    Ok(format!("sent {} segments to {url}, which refused {}", sent.accepted, sent.refused))
}

/// The segments in order, and what they are read from where a server has their directory open.
async fn playback(arguments: &ReplayArguments) -> Result<(Playback, Option<LinkedCopy>)> {
    let scope = scope(arguments.account.as_ref());
    let (archive, copy) = archive::open(&arguments.archive, arguments.keep_going).await?;
    let (range, speed) = ((arguments.from, arguments.to), arguments.speed.0);
    let playback = Playback::new(archive, PlanRunner::local()?, scope, range, Clock::System.now(), speed).await?;
    Ok((playback, copy))
}

/// What became of the segments so far, and the progress bar that shows it.
struct Sent<'u> {
    url: &'u str,
    accepted: usize,
    refused: usize,
    bar: ProgressBar,
}

impl Sent<'_> {
    /// Adds the outcome of a request. The first segment that is refused is told with its reason.
    fn count(&mut self, appended: &Appended) {
        if let Some(row) = appended.refused.first().filter(|_| self.refused == 0) {
            let (url, reason) = (self.url, Escaped(&row.reason));
            self.bar.suspend(|| output::complain(&format!("{url} refuses segments, such as one because: {reason}")));
        }
        self.accepted = self.accepted.saturating_add(appended.accepted);
        self.refused = self.refused.saturating_add(appended.refused_count);
        self.bar.set_message(format!("{} segments sent", self.accepted));
    }
}

/// How many of the rows from `first` on have closed by `now`, but no more than one request takes. The rows are in the
/// order of their end times.
fn due(rows: &RecordBatch, first: usize, now: i64) -> Result<usize> {
    let ends = rows.column_by_name(column::END_TIME).context("segments have end times")?;
    let ends = ends.as_primitive::<TimestampMillisecondType>().values();
    let rest = ends.get(first..).unwrap_or_default();
    Ok(rest.partition_point(|end| *end <= now).min(MAX_ROWS))
}
