//! Plays the segments of an archive again, as if they closed now.

use std::ops::Range;

use arrow::array::RecordBatch;
use datafusion::logical_expr::{LogicalPlanBuilder, col, lit};
use datafusion::scalar::ScalarValue;
use skillscope_query::Scope;
use skillscope_segment::{Segment, SegmentBatchBuilder, SegmentRows, column};

use crate::archive::{Archive, SkippedFile};
use crate::plan_runner::{PlacedPlan, PlanRunner};
use crate::stretches::Stretches;
use crate::{Error, Result};

/// The instant before which every segment ends, by the rules of segments.
const END_OF_2199: i64 = 7_258_118_400_000;

/// About how many rows are read at a time.
const ROWS: u64 = 100_000;

/// The segments of an archive in the order in which they ended, with their times moved as if they closed now.
pub struct Playback {
    archive: Archive,
    runner: PlanRunner,
    scope: Scope,
    stretches: Stretches,
    speed: f64,
    /// The instant of the archive that is played first. If none was given, the end of the first segment.
    first: Option<i64>,
    /// The instant at which playing begins.
    begins: i64,
}

impl Playback {
    /// Plays the segments in scope that ended within `range`, `speed` times as fast as they closed, from the instant
    /// `begins` on. A range without a start or an end is open there.
    ///
    /// # Errors
    /// Where no segment ended within the range.
    pub async fn new(
        mut archive: Archive,
        runner: PlanRunner,
        scope: Scope,
        range: (Option<i64>, Option<i64>),
        begins: i64,
        speed: f64,
    ) -> Result<Self> {
        archive.register(&runner);
        archive.check_directory(&scope, &(i64::MIN..i64::MAX)).await?;
        let all = range.0.unwrap_or(i64::MIN)..range.1.unwrap_or(i64::MAX);
        archive.check_rows(&runner, &scope, &all).await?;
        // A file without statistics may have segments of any valid time.
        let extents = archive.extents(&scope, &(range.0.unwrap_or(0)..range.1.unwrap_or(END_OF_2199)));
        let extents = extents.into_iter().filter(|extent| {
            extent.rows > 0 && *extent.end_times.start() < all.end && *extent.end_times.end() >= all.start
        });
        let extents: Vec<_> = extents.collect();
        let first = extents.iter().map(|extent| *extent.end_times.start()).min();
        let last = extents.iter().map(|extent| *extent.end_times.end()).max();
        let (Some(first), Some(last)) = (first, last) else {
            return Err(Error::Usage("no segments of the archive ended within this time".to_owned()));
        };
        let (first, end) = (first.max(all.start), last.saturating_add(1).min(all.end));
        let stretches = Stretches::new(&extents, first..end);
        Ok(Self { archive, runner, scope, stretches, speed, first: range.0, begins })
    }

    /// The next segments, in the order in which they close; `None` after the last.
    ///
    /// # Errors
    /// Where the archive cannot be read.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while let Some(stretch) = self.stretches.next(ROWS, 1) {
            let rows = loop {
                match self.rows(&stretch.range).await {
                    Err(error @ Error::Plan(_)) => {
                        let range = &stretch.range;
                        self.archive.after_failure(&self.runner, &self.scope, range, range, error).await?;
                    }
                    rows => break rows?,
                }
            };
            if rows.is_some() {
                return Ok(rows);
            }
        }
        Ok(None)
    }

    /// The files that have been left out.
    pub fn skipped(&self) -> &[SkippedFile] {
        self.archive.skipped()
    }

    async fn rows(&mut self, range: &Range<i64>) -> Result<Option<RecordBatch>> {
        let Some(plan) = self.archive.table(&self.scope, false)? else { return Ok(None) };
        let instant = |ms| lit(ScalarValue::TimestampMillisecond(Some(ms), Some("UTC".into())));
        let end = || col(column::END_TIME);
        let plan = LogicalPlanBuilder::from(plan)
            .filter(end().gt_eq(instant(range.start)).and(end().lt(instant(range.end))))
            .and_then(|plan| plan.sort([end().sort(true, false)])?.build())
            .map_err(Error::Plan)?;
        let mut builder = SegmentBatchBuilder::with_capacity(0);
        for batch in self.runner.rows(PlacedPlan::Here(plan)).await? {
            let rows = SegmentRows::new(&batch).map_err(|error| unreadable(&error))?;
            for row in 0..rows.len() {
                let segment = rows.segment(row).map_err(|error| unreadable(&error))?;
                let first = *self.first.get_or_insert(segment.end_time);
                builder.append(&self.moved(segment, first));
            }
        }
        let rows = builder.finish().map_err(|error| unreadable(&error))?;
        Ok((rows.num_rows() > 0).then_some(rows))
    }

    /// The segment, moved to the time at which it is played. Its conversation gets a new identifier each time that it
    /// is played, since a server counts a segment only once.
    fn moved<'s>(&self, segment: Segment<'s>, first: i64) -> Segment<'s> {
        let played = (segment.end_time.saturating_sub(first)) as f64 / self.speed;
        let shift = self.begins.saturating_add(played as i64).saturating_sub(segment.end_time);
        let move_by = |instant: i64| instant.saturating_add(shift);
        Segment {
            conversation_id: format!("{}@{}", segment.conversation_id, self.begins).into(),
            start_time: move_by(segment.start_time),
            end_time: move_by(segment.end_time),
            first_assigned_time: segment.first_assigned_time.map(move_by),
            first_agent_message_time: segment.first_agent_message_time.map(move_by),
            ..segment
        }
    }
}

fn unreadable(error: &skillscope_segment::Error) -> Error {
    Error::Usage(format!("a segment of the archive cannot be played: {error}"))
}
