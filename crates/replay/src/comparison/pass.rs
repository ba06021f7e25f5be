//! Computes our report for every recorded answer, and compares the two.

use std::ops::Range;

use arrow::array::RecordBatch;
use skillscope_query::{CellRequest, Report, Scope, UserTypeFilter};

use super::difference::differences;
use super::evidence::Evidence;
use super::findings::{Findings, Gathering, QuestionFindings};
use super::recordings::{AnswerPlace, RecordedQuestion, Recordings};
use super::suspects::Search;
use super::verdict::Verdict;
use crate::archive::Archive;
use crate::plan_runner::PlanRunner;
use crate::skill_index::SkillIndex;
use crate::sliding_windows::SlidingWindows;
use crate::stretches::Stretches;
use crate::timeline::Timeline;
use crate::{Error, Result};

/// About how many segments are counted at a time.
const ROWS: u64 = 1_000_000;

/// Recorded instants are at any millisecond, and with them the boundaries of reports and intervals.
const SLICE_MS: i64 = 1;

/// A comparison of recorded answers with the reports over an archive.
pub struct Comparison {
    recordings: Recordings,
    archive: Archive,
    runner: PlanRunner,
    explain: bool,
    findings: Findings,
}

impl Comparison {
    /// A comparison of `recordings` with the reports over `archive`. With `explain`, it looks for the conversations
    /// that may be why they differ.
    pub fn new(recordings: Recordings, archive: Archive, runner: PlanRunner, explain: bool) -> Self {
        Self { recordings, archive, runner, explain, findings: Findings::default() }
    }

    /// Compares all recordings. `progress` is told the number of those that have been compared.
    ///
    /// # Errors
    /// Where the archive or a recording cannot be read.
    pub async fn run(mut self, progress: impl Fn(u64)) -> Result<Findings> {
        self.archive.register(&self.runner);
        let mut questions = std::mem::take(&mut self.recordings.questions);
        // The questions of an account are together, since a conversation may explain differences of several.
        questions.sort_by(|one, other| one.account.cmp(&other.account));
        let mut verdicts = Vec::new();
        for of_account in questions.chunk_by(|one, other| one.account == other.account) {
            let mut evidence = Evidence::default();
            for question in of_account {
                let found = self.compare(question, &mut evidence, &progress).await?;
                self.findings.questions.push(found);
            }
            if self.explain && evidence.differences() > 0 {
                verdicts.extend(self.verdict(of_account, evidence).await?);
            }
        }
        self.findings.verdicts = self.explain.then_some(verdicts);
        Ok(self.findings)
    }

    async fn compare(
        &mut self,
        question: &RecordedQuestion,
        evidence: &mut Evidence,
        progress: impl Fn(u64),
    ) -> Result<QuestionFindings> {
        let mut compared = Compared { series: evidence.begin(question), done: 0, found: Gathering::default() };
        let scope = Scope::Account(question.account.clone());
        // No segment between recordings counts that are more than a timeframe apart.
        let timeframe = question.timeframe();
        for answers in question.answers.chunk_by(|one, next| next.end.saturating_sub(timeframe) <= one.end) {
            let (Some(first), Some(last)) = (answers.first(), answers.last()) else { continue };
            let span = first.end.saturating_sub(timeframe)..last.end;
            self.archive.check_rows(&self.runner, &scope, &span).await?;
            let mut pass = Pass { question, answers, compared: &mut compared, evidence: &mut *evidence };
            self.pass(&mut pass, span, &progress).await?;
        }
        let ends = || question.answers.iter().map(|answer| answer.end);
        let interval = question.parameters.interval_ms();
        Ok(QuestionFindings {
            account: question.account.clone(),
            query: question.text(),
            intervals: interval.map_or(0, |length| usize::try_from(timeframe / length.max(1)).unwrap_or(0)),
            recordings: question.answers.len() as u64,
            differing: compared.found.differing,
            span: (ends().min().unwrap_or(0), ends().max().unwrap_or(0)),
            findings: compared.found.finish(),
        })
    }

    /// Compares recordings whose timeframes touch one another, in one pass over their segments.
    async fn pass(&mut self, pass: &mut Pass<'_>, span: Range<i64>, progress: impl Fn(u64)) -> Result<()> {
        let question = pass.question;
        let scope = Scope::Account(question.account.clone());
        let mut skills = SkillIndex::of([question.account.to_string()]);
        let mut timeline = Timeline::default();
        let mut windows = SlidingWindows::new(question.timeframe(), question.parameters.interval_ms());
        let extents = self.archive.extents(&scope, &span);
        let mut stretches = Stretches::new(&extents, span);
        let mut answers = pass.answers.iter().peekable();
        while let Some(stretch) = stretches.next(ROWS, SLICE_MS) {
            let rows = self.cells(question, stretch.range.clone()).await?;
            timeline.extend(&mut skills, &rows)?;
            drop(rows);
            while let Some(place) = answers.next_if(|place| place.end <= stretch.range.end) {
                windows.slide(&mut timeline, &skills, place.end);
                for account in skills.accounts() {
                    let ours = windows.report(account, place.end);
                    self.compare_one(pass, place, &ours)?;
                }
                progress(self.findings.recordings);
            }
        }
        Ok(())
    }

    fn compare_one(&mut self, pass: &mut Pass<'_>, place: &AnswerPlace, ours: &Report) -> Result<()> {
        let theirs = self.recordings.answer(place)?;
        let differences = differences(ours, &theirs);
        let findings = &mut self.findings;
        findings.recordings = findings.recordings.saturating_add(1);
        findings.differing = findings.differing.saturating_add(u64::from(!differences.is_empty()));
        findings.by_timestamps = findings.by_timestamps.saturating_add(u64::from(theirs.is_by_timestamps));
        if let Some(delay) = theirs.delay {
            let (shortest, longest) = findings.delays.unwrap_or((delay, delay));
            findings.delays = Some((shortest.min(delay), longest.max(delay)));
        }
        pass.compared.found.add(&differences, place.end);
        if self.explain {
            pass.evidence.add(pass.compared.series, pass.compared.done, &differences);
        }
        pass.compared.done = pass.compared.done.saturating_add(1);
        Ok(())
    }

    async fn cells(&mut self, question: &RecordedQuestion, range: Range<i64>) -> Result<Vec<RecordBatch>> {
        let request = CellRequest {
            scope: Scope::Account(question.account.clone()),
            origin: range.start,
            range,
            slice_ms: SLICE_MS,
            skills: question.parameters.skills().cloned(),
            user_type: question.parameters.user_type(),
            known_at: None,
        };
        match self.archive.cells(&self.runner, &request).await {
            Ok(rows) => Ok(rows),
            Err(error) => {
                // It says which file is to blame.
                let (scope, range) = (&request.scope, &request.range);
                self.archive.after_failure(&self.runner, scope, range, range, error).await?;
                Err(Error::BrokenOff)
            }
        }
    }

    async fn verdict(&mut self, questions: &[RecordedQuestion], evidence: Evidence) -> Result<Option<Verdict>> {
        let Some(account) = questions.first().map(|question| &question.account) else { return Ok(None) };
        let has_user_types = questions.iter().any(|question| question.parameters.user_type() != UserTypeFilter::All);
        let search = Search::new(&evidence, has_user_types);
        let suspects = search.run(account, &mut self.archive, &self.runner).await?;
        Ok(Some(Verdict::of(account, evidence, suspects)))
    }
}

/// A pass over the segments of some recordings of a question.
struct Pass<'p> {
    question: &'p RecordedQuestion,
    answers: &'p [AnswerPlace],
    compared: &'p mut Compared,
    evidence: &'p mut Evidence,
}

/// What was compared of a question so far.
struct Compared {
    /// The number of its recordings as evidence.
    series: usize,
    /// The number of its recordings that were compared.
    done: usize,
    found: Gathering,
}
