//! Writes the reports of many instants, and goes on after an interruption.

use std::hash::Hasher;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use skillscope_query::Scope;
use tokio::sync::mpsc;
use twox_hash::XxHash3_64;

use crate::archive::{Archive, SkippedFile};
use crate::output::{Checkpoint, Form, Output};
use crate::plan_runner::PlanRunner;
use crate::question::Question;
use crate::report_writer::{CountedStretch, Progress, ReportWriter};
use crate::skill_index::SkillIndex;
use crate::stretches::Stretches;
use crate::{Error, Result};

/// The rough maximum of cells (counts of a skill and slice) in a stretch of time.
const STRETCH_CELLS: f64 = 1_000_000.0;

/// The same on a cluster, which has more memory, and needs a second for each plan.
const STRETCH_CELLS_ON_CLUSTER: f64 = 4.0 * STRETCH_CELLS;

/// The maximum number of rows in a stretch. Progress is reported after each stretch.
const STRETCH_ROWS: f64 = 50_000_000.0;

/// The version of the output. It changes when the same question over the same archive gets another output, so that no
/// output is begun by one version and completed by another.
const OUTPUT_VERSION: u32 = 1;

/// A replay: reports at many instants, written to a file.
pub struct Replay {
    question: Question,
    archive: Archive,
    runner: PlanRunner,
    path: PathBuf,
    form: Form,
    stretch_cells: f64,
}

/// The result of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The number of reports in the output: one for each instant and account.
    pub reports: u64,
    /// The number of instants whose reports an earlier run had written.
    pub resumed_at: u64,
    /// The files that were left out because they cannot be read.
    pub skipped: Vec<SkippedFile>,
}

/// The result of a pass over the archive.
enum Pass {
    /// All reports are written; their number.
    Complete(u64),
    /// A file was partly counted before it turned out to be corrupt. It is left out now, and all has to be counted
    /// again.
    Again,
}

impl Replay {
    /// A replay to the file at `path`, whose extension says in which form.
    ///
    /// # Errors
    /// Where it does not say so.
    pub fn new(question: Question, archive: Archive, runner: PlanRunner, path: &Path) -> Result<Self> {
        let stretch_cells = if runner.is_cluster() { STRETCH_CELLS_ON_CLUSTER } else { STRETCH_CELLS };
        Ok(Self { question, archive, runner, form: Form::of(path)?, path: path.to_owned(), stretch_cells })
    }

    /// The same replay in stretches of about so many cells.
    #[cfg(test)]
    pub(crate) fn in_stretches_of(self, stretch_cells: f64) -> Self {
        Self { stretch_cells, ..self }
    }

    /// Writes the reports. It goes on where an earlier run of the same replay was interrupted. The output gets its name
    /// when it is complete.
    ///
    /// # Errors
    /// Where the archive cannot be read, or the output cannot be written.
    pub async fn run(mut self, progress: impl Fn(Progress) + Clone + Send + 'static) -> Result<Summary> {
        self.archive.register(&self.runner);
        let accounts = match self.question.scope() {
            Scope::Account(account) => vec![account.to_string()],
            Scope::All => self.archive.accounts(&self.runner).await?,
        };
        let of = self.fingerprint(&accounts);
        let start = || Checkpoint::start(of.clone());
        self.archive.check_seen(&self.runner).await?;
        let goes_on = |last: &Checkpoint| last.of == of && Output::reaches(self.form, &self.path, last.position);
        let mut checkpoint = Checkpoint::load(&self.path).filter(goes_on).unwrap_or_else(start);
        self.archive.leave_out(checkpoint.skipped.clone());
        let span = self.question.span_from(checkpoint.done);
        self.archive.check_rows(&self.runner, self.question.scope(), &span).await?;
        let mut resumed_at = checkpoint.done;
        let reports = loop {
            match self.pass(checkpoint, &accounts, progress.clone()).await? {
                Pass::Complete(reports) => break reports,
                Pass::Again => (checkpoint, resumed_at) = (start(), 0),
            }
        };
        Ok(Summary { reports, resumed_at, skipped: self.archive.skipped().to_vec() })
    }

    /// A hash that is the same only for the same question over the same archive.
    pub(crate) fn fingerprint(&self, accounts: &[String]) -> String {
        let mut hasher = XxHash3_64::new();
        let mut add = |text: &str| {
            hasher.write(text.as_bytes());
            hasher.write_u8(0xff);
        };
        add(&format!("{OUTPUT_VERSION} {}", self.form.name()));
        add(&self.question.identity());
        accounts.iter().for_each(|account| add(account));
        self.archive.identity().iter().for_each(|part| add(part));
        format!("{:016x}", hasher.finish())
    }

    async fn pass(
        &mut self,
        checkpoint: Checkpoint,
        accounts: &[String],
        progress: impl Fn(Progress) + Send + 'static,
    ) -> Result<Pass> {
        // Reports are written while the next stretch is counted.
        let (counted, stretches) = mpsc::channel(1);
        let span = self.question.span_from(checkpoint.done);
        let skills = SkillIndex::of(accounts.iter().cloned());
        let writer = ReportWriter::new(self.question.clone(), skills, self.form, &self.path, checkpoint);
        let writing = tokio::task::spawn_blocking(move || writer.write(stretches, progress));
        let counting = self.count(span.clone(), counted).await;
        let written = writing.await.unwrap_or(Err(Error::BrokenOff));
        match (written, counting) {
            (Ok(reports), Ok(())) => Ok(Pass::Complete(reports)),
            (Err(Error::BrokenOff), Err(Failure { stretch, error })) => {
                let scope = self.question.scope();
                self.archive.after_failure(&self.runner, scope, &stretch, &span, error).await.map(|()| Pass::Again)
            }
            (Err(error), _) => Err(error),
            (Ok(_), Err(failure)) => Err(failure.error),
        }
    }

    /// Counts the segments of a span of time, stretch by stretch, until the receiver of the counts is gone.
    async fn count(
        &mut self,
        span: std::ops::Range<i64>,
        counted: mpsc::Sender<CountedStretch>,
    ) -> std::result::Result<(), Failure> {
        let extents = self.archive.extents(self.question.scope(), &span);
        let mut stretches = Stretches::new(&extents, span);
        let mut cells_of_a_row = 1.0_f64;
        while let Some(stretch) =
            stretches.next((self.stretch_cells / cells_of_a_row).min(STRETCH_ROWS) as u64, self.question.slice())
        {
            let range = stretch.range;
            let rows = self.archive.cells(&self.runner, &self.question.cells(range.clone())).await;
            let rows = rows.map_err(|error| Failure { stretch: range.clone(), error })?;
            let cells: usize = rows.iter().map(RecordBatch::num_rows).sum();
            if stretch.rows > 0 {
                // The rows of a stretch may have many more skills than those of the last, so the estimate moves slowly.
                cells_of_a_row = (cells as f64 / stretch.rows as f64).clamp(cells_of_a_row / 4.0, 1.0);
            }
            let skipped = self.archive.skipped().to_vec();
            if counted.send(CountedStretch { end: range.end, rows, skipped }).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// A stretch that could not be counted, and why.
struct Failure {
    stretch: std::ops::Range<i64>,
    error: Error,
}
