//! Counting: from running totals to the rows of an answer, a little at a time.

use std::ops::{AddAssign, Range, RangeInclusive};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use skillscope_store::{Counted, Cursor, Tally, TallyByUserType};

use super::answer_columns::{AnswerColumns, Row};
use super::bin_window::{BinWindow, WINDOW_BINS};
use super::bins::Bins;
use super::group::{Group, Share};
use super::{Key, TotalsQuery};

/// The outcome of a step of counting.
pub(super) enum Step {
    /// Rows of the answer.
    Batch(Result<RecordBatch>),
    /// There is no batch yet: count on.
    More,
    /// Everything has been given.
    End,
}

/// Counts some skills of some groups, and gives the rows of the answer batch by batch.
pub(super) struct Counting {
    query: Arc<TotalsQuery>,
    groups: Arc<Vec<Group>>,
    /// The user types that count; `None` for all.
    user_types: Option<Vec<bool>>,
    schema: SchemaRef,
    batch_rows: usize,
    shares: std::vec::IntoIter<Share>,
    /// The skills of the current share that have not been counted.
    share: Share,
    /// Where the last skill was found in each part of its group.
    hints: Vec<usize>,
    /// The first end time of the current unit that has not been counted.
    from: i64,
    /// The rows of the current unit.
    rows: Vec<Row>,
    columns: AnswerColumns,
    has_given: bool,
}

impl Counting {
    pub(super) fn new(
        query: Arc<TotalsQuery>,
        groups: Arc<Vec<Group>>,
        user_types: Option<Vec<bool>>,
        schema: SchemaRef,
        batch_rows: usize,
        shares: Vec<Share>,
    ) -> Self {
        let mut cells = Self {
            from: query.conditions.from,
            columns: AnswerColumns::new(&query, 0),
            query,
            groups,
            user_types,
            schema,
            batch_rows: batch_rows.max(1),
            shares: shares.into_iter(),
            share: (0, 0..0),
            hints: Vec::new(),
            rows: Vec::new(),
            has_given: false,
        };
        cells.columns = AnswerColumns::new(&cells.query, cells.expected_rows());
        cells
    }

    /// Counts some units, until there is a batch or it is time to let other tasks run.
    pub(super) fn step(&mut self) -> Step {
        const UNITS: usize = 16;
        for _ in 0..UNITS {
            if self.columns.rows() >= self.batch_rows {
                return Step::Batch(self.batch());
            }
            let Some(unit) = self.unit() else { return self.last_step() };
            self.count(unit);
            self.columns.add(&self.rows);
            self.rows.clear();
        }
        Step::More
    }

    fn last_step(&mut self) -> Step {
        if self.columns.rows() == 0 && self.query.keys.is_empty() && !self.has_given {
            // An aggregation without keys has one row, also where nothing was counted.
            self.columns.add(&[Row { group: 0, skill: 0, user_type: 0, bin: 0, tally: Tally::default() }]);
        }
        if self.columns.rows() > 0 { Step::Batch(self.batch()) } else { Step::End }
    }

    /// The skills that are counted together next; `None` when all have been.
    fn unit(&mut self) -> Option<Share> {
        while self.share.1.is_empty() {
            self.share = self.shares.next()?;
            let parts = self.groups.get(self.share.0).map_or(0, |group| group.parts.len());
            self.hints = vec![0; parts];
        }
        let (group, skills) = &self.share;
        let end = if self.query.is_by(Key::Skill) { skills.start + 1 } else { skills.end };
        Some((*group, skills.start..end))
    }

    /// Counts a window of bins of a unit, and goes on to the next one.
    fn count(&mut self, unit: Share) {
        if self.query.is_by(Key::Skill) && self.query.bins == Bins::ONE {
            return self.count_skills();
        }
        let counts_by_type = self.query.is_by(Key::UserType) || self.user_types.is_some();
        let end = if counts_by_type {
            self.count_window::<TallyByUserType>(&unit, Self::push_by_user_type)
        } else {
            self.count_window::<Tally>(&unit, |cells, key, bin, tally| cells.push(key, 0, bin, tally))
        };
        match end {
            Some(end) if end < self.query.conditions.until => self.from = end,
            _ => {
                self.from = self.query.conditions.from;
                self.share.1.start = unit.1.end;
            }
        }
    }

    /// Counts many skills of a share at once, where each has one bin only: part by part, in the order of memory.
    fn count_skills(&mut self) {
        const SKILLS: usize = 4_096;
        let (group, mut skills) = self.share.clone();
        skills.end = skills.end.min(skills.start.saturating_add(SKILLS));
        let counts_by_type = self.query.is_by(Key::UserType) || self.user_types.is_some();
        if counts_by_type {
            self.count_skills_as::<TallyByUserType>(group, &skills, Self::push_by_user_type);
        } else {
            self.count_skills_as::<Tally>(group, &skills, |cells, key, bin, tally| cells.push(key, 0, bin, tally));
        }
        self.share.1.start = skills.end;
    }

    fn count_skills_as<T: Counted + AddAssign>(
        &mut self,
        group: usize,
        skills: &Range<usize>,
        push: impl Fn(&mut Self, (usize, i64), i64, T),
    ) {
        let groups = Arc::clone(&self.groups);
        let Some(of_group) = groups.get(group) else { return };
        let skills = of_group.skills.get(skills.clone()).unwrap_or_default();
        let (from, until) = (self.query.conditions.from, self.query.conditions.until);
        let mut cells = vec![T::default(); skills.len()];
        for part in &of_group.parts {
            let mut hint = 0;
            for (skill, cell) in skills.iter().zip(&mut cells) {
                let Some(series) = part.find(*skill, &mut hint) else { continue };
                if let Some(whole) = series.whole_within(from, until) {
                    *cell += whole;
                } else {
                    let mut cursor = series.walk::<T>();
                    if from > *series.end_times().start() {
                        cursor.advance(from);
                    }
                    *cell += cursor.advance(until);
                }
            }
        }
        for (skill, tally) in skills.iter().zip(cells) {
            push(self, (group, *skill), 0, tally);
        }
    }

    /// Counts the next bins of a unit that may have rows. Gives the time before which everything is counted; `None` at
    /// the end.
    fn count_window<T: Counted + AddAssign>(
        &mut self,
        (group, skills): &Share,
        push: impl Fn(&mut Self, (usize, i64), i64, T),
    ) -> Option<i64> {
        let groups = Arc::clone(&self.groups);
        let of_group = groups.get(*group)?;
        let skills = of_group.skills.get(skills.clone())?;
        let until = self.query.conditions.until;
        let parts = || of_group.parts.iter().map(|part| part.end_times()).filter(|times| *times.end() >= self.from);
        let first = parts().map(|times| *times.start()).min()?.max(self.from);
        let window = BinWindow::new(self.query.bins, first, until);
        let next_part = parts().map(|times| *times.start()).filter(|start| *start >= window.end).min();
        let mut cursors = self.cursors::<T>(of_group, skills, window.end);
        let next = cursors.iter().filter_map(Cursor::next_time).chain(next_part).min()?;
        if next >= window.end {
            // A long time without rows.
            return Some(next);
        }
        let mut cells = vec![T::default(); window.cells(&cursors)];
        window.count(&mut cursors, &mut cells);
        let key = (*group, skills.first().copied().unwrap_or_default());
        for (bin, tally) in (window.first_bin..).zip(cells) {
            push(self, key, bin, tally);
        }
        Some(window.end)
    }

    /// A cursor for each series of the skills that may have rows before `end`. It stands at the first row that has not
    /// been counted.
    fn cursors<'t, T: Counted>(&mut self, group: &'t Group, skills: &[i64], end: i64) -> Vec<Cursor<'t, T>> {
        let from = self.from;
        let is_in_time = |times: RangeInclusive<i64>| *times.end() >= from && *times.start() < end;
        let mut cursors = Vec::with_capacity(group.parts.len());
        let parts = group.parts.iter().zip(&mut self.hints);
        for (part, hint) in parts.filter(|(part, _)| is_in_time(part.end_times())) {
            if skills.len() > 1 {
                *hint = 0;
            }
            for skill in skills {
                let Some(series) = part.find(*skill, hint).filter(|series| *series.end_times().end() >= from) else {
                    continue;
                };
                let is_late = *series.end_times().start() < from;
                let mut cursor = series.walk::<T>();
                if is_late {
                    cursor.advance(from);
                }
                cursors.push(cursor);
            }
        }
        cursors
    }

    fn push_by_user_type(&mut self, key: (usize, i64), bin: i64, tallies: TallyByUserType) {
        let counts =
            |user_type: usize| self.user_types.as_ref().is_none_or(|types| types.get(user_type) == Some(&true));
        let counted: Vec<(usize, Tally)> =
            tallies.0.into_iter().enumerate().filter(|(user_type, _)| counts(*user_type)).collect();
        if self.query.is_by(Key::UserType) {
            counted.into_iter().for_each(|(user_type, tally)| self.push(key, user_type, bin, tally));
        } else {
            let all = counted.into_iter().fold(Tally::default(), |all, (_, tally)| all + tally);
            self.push(key, 0, bin, all);
        }
    }

    fn push(&mut self, (group, skill): (usize, i64), user_type: usize, bin: i64, tally: Tally) {
        if tally.rows() > 0 {
            self.rows.push(Row { group, skill, user_type, bin, tally });
        }
    }

    /// About how many rows the next batch will have at most.
    fn expected_rows(&self) -> usize {
        let of_shares: usize = self.shares.as_slice().iter().map(|(_, skills)| skills.len()).sum();
        let skills = (of_shares + self.share.1.len()) as u64;
        let bins = self.query.bins.count(self.from, self.query.conditions.until);
        let rows = usize::try_from(skills.saturating_mul(bins)).unwrap_or(usize::MAX);
        rows.min(self.batch_rows.saturating_add(WINDOW_BINS as usize))
    }

    fn batch(&mut self) -> Result<RecordBatch> {
        self.has_given = true;
        let next = AnswerColumns::new(&self.query, self.expected_rows());
        std::mem::replace(&mut self.columns, next).finish(&self.query, &self.groups, &self.schema)
    }
}
