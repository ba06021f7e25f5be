//! Makes reports of counted segments, and writes them to the output.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use tokio::sync::mpsc;

use crate::archive::SkippedFile;
use crate::output::{Checkpoint, Form, Output};
use crate::question::Question;
use crate::skill_index::SkillIndex;
use crate::sliding_windows::SlidingWindows;
use crate::timeline::Timeline;
use crate::{Error, Result};

/// The time until the first checkpoint. Each later one comes after twice the time of the last, up to
/// [`CHECKPOINT_PERIOD`].
const FIRST_CHECKPOINT: Duration = Duration::from_millis(500);

/// The longest time between checkpoints. This much work may be lost by an interruption.
const CHECKPOINT_PERIOD: Duration = Duration::from_secs(8);

/// The progress of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The number of instants whose reports are written.
    pub done: u64,
    /// The number of all instants.
    pub instants: u64,
}

/// The counts of a stretch of time.
pub(crate) struct CountedStretch {
    /// The end of the stretch.
    pub(crate) end: i64,
    pub(crate) rows: Vec<RecordBatch>,
    /// The files that have been left out so far.
    pub(crate) skipped: Vec<SkippedFile>,
}

/// Makes reports of counts, and writes them.
pub(crate) struct ReportWriter {
    question: Question,
    skills: SkillIndex,
    form: Form,
    path: PathBuf,
    checkpoint: Checkpoint,
}

impl ReportWriter {
    pub(crate) fn new(question: Question, skills: SkillIndex, form: Form, path: &Path, checkpoint: Checkpoint) -> Self {
        Self { question, skills, form, path: path.to_owned(), checkpoint }
    }

    /// Writes the reports of all instants after the checkpoint, and returns the number of reports in the whole output.
    ///
    /// # Errors
    /// [`Error::BrokenOff`] where the counts end before the last instant, and failures of the output.
    pub(crate) fn write(
        mut self,
        mut stretches: mpsc::Receiver<CountedStretch>,
        progress: impl Fn(Progress),
    ) -> Result<u64> {
        let mut output = Output::open(self.form, &self.path, self.checkpoint.position)?;
        if self.checkpoint.done == 0 {
            // The output of an earlier checkpoint is overwritten from now on.
            Checkpoint::remove(&self.path)?;
        }
        let mut timeline = Timeline::default();
        let mut windows = SlidingWindows::new(self.question.timeframe(), self.question.interval());
        let instants = self.question.instants().count();
        let (mut synced, mut period) = (Instant::now(), FIRST_CHECKPOINT);
        while let Some(CountedStretch { end, rows, skipped }) = stretches.blocking_recv() {
            self.checkpoint.skipped = skipped;
            timeline.extend(&mut self.skills, &rows)?;
            drop(rows);
            while self.checkpoint.done < instants && self.question.instants().at(self.checkpoint.done) <= end {
                let now = self.question.instants().at(self.checkpoint.done);
                windows.slide(&mut timeline, &self.skills, now);
                for account in self.skills.accounts() {
                    output.write(&account.account, now, &windows.report(account, now))?;
                }
                self.checkpoint.done += 1;
                progress(Progress { done: self.checkpoint.done, instants });
                if synced.elapsed() >= period {
                    self.checkpoint.position = output.sync()?;
                    self.checkpoint.save(&self.path)?;
                    (synced, period) = (Instant::now(), CHECKPOINT_PERIOD.min(period * 2));
                }
            }
        }
        if self.checkpoint.done < instants {
            return Err(Error::BrokenOff);
        }
        output.finish()?;
        Ok(instants.saturating_mul(self.skills.accounts().len() as u64))
    }
}
