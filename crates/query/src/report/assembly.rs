//! Putting the rows of a report's plan together as a report.

use arrow::array::{Array, AsArray, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use datafusion::error::Result;

use super::answer::{Breakdown, Interval, Report};
use super::columns::{INTERVAL, SKILL, column_of, integers};
use super::metrics::{MetricValues, Metrics};
use super::request::ReportParameters;

/// Puts the rows of a [report's plan](super::plan::ReportPlans::plan) together as the report with these parameters.
pub(crate) fn assemble(parameters: &ReportParameters, batches: &[RecordBatch]) -> Result<Report> {
    let by_interval = parameters.interval_ms().is_some();
    let cells = batches.iter().map(|batch| CellColumns::of(batch, by_interval)).collect::<Result<Vec<_>>>()?;
    let places = || cells.iter().flat_map(|cells| (0..cells.skill.len()).map(move |row| (cells, row)));
    let key = |(cells, row): &(&CellColumns, usize)| (cells.skill.value(*row), cells.interval_start(*row));
    if places().is_sorted_by_key(|place| key(&place)) {
        return Ok(assemble_sorted(parameters, places));
    }
    // A scan gives its rows in any order.
    let mut sorted: Vec<_> = places().collect();
    sorted.sort_unstable_by_key(key);
    Ok(assemble_sorted(parameters, || sorted.iter().copied()))
}

/// Puts cells together that are sorted by skill and interval.
fn assemble_sorted<'c, P: Iterator<Item = (&'c CellColumns<'c>, usize)>>(
    parameters: &ReportParameters,
    places: impl Fn() -> P,
) -> Report {
    let mut report = Unfinished::new(parameters, skills(places().map(|(cells, row)| cells.skill.value(row))));
    places().for_each(|(cells, row)| report.add(cells, row));
    report.finish()
}

/// The number of skills, of which each has its cells together.
fn skills(of_cells: impl Iterator<Item = i64>) -> usize {
    let (mut last, mut skills) = (None, 0);
    for skill in of_cells {
        if last.replace(skill) != Some(skill) {
            skills += 1;
        }
    }
    skills
}

/// The columns of some rows.
pub(super) struct CellColumns<'b> {
    pub(super) skill: &'b Int64Array,
    interval_start: Option<TimestampMillisecondArray>,
    metrics: MetricValues<'b>,
}

impl<'b> CellColumns<'b> {
    pub(super) fn of(batch: &'b RecordBatch, by_interval: bool) -> Result<Self> {
        Ok(Self {
            skill: integers(batch, SKILL)?,
            interval_start: if by_interval { Some(milliseconds(column_of(batch, INTERVAL)?)?) } else { None },
            metrics: MetricValues::of(batch)?,
        })
    }

    pub(super) fn interval_start(&self, row: usize) -> i64 {
        self.interval_start.as_ref().map_or(0, |start| start.value(row))
    }

    pub(super) fn metrics(&self, row: usize) -> Metrics {
        self.metrics.get(row)
    }
}

/// A report that cells are added to, in ascending order of skills, and of intervals within each.
struct Unfinished {
    start: i64,
    length: i64,
    /// The oldest first.
    intervals: Option<Vec<Interval>>,
    summary: Breakdown,
    /// The summary of the skill under way.
    skill: Option<(i64, Metrics)>,
}

impl Unfinished {
    fn new(parameters: &ReportParameters, skills: usize) -> Self {
        let range = parameters.range();
        let empty = |timestamp| {
            let metrics = Breakdown { skills: Vec::with_capacity(skills), total: Metrics::default() };
            Interval { timestamp, metrics }
        };
        let intervals = parameters.interval_ms().map(|length| {
            let next = |start: &i64| start.checked_add(length).filter(|start| *start < range.end);
            std::iter::successors(Some(range.start), next).map(empty).collect()
        });
        let length = parameters.interval_ms().unwrap_or(i64::MAX);
        Self { start: range.start, length, intervals, summary: Breakdown::default(), skill: None }
    }

    fn add(&mut self, cells: &CellColumns<'_>, row: usize) {
        let (skill, metrics) = (cells.skill.value(row), cells.metrics(row));
        match &mut self.skill {
            Some((last, sum)) if *last == skill => *sum += &metrics,
            _ => {
                self.push_skill();
                self.skill = Some((skill, metrics));
            }
        }
        let place = cells.interval_start(row).saturating_sub(self.start) / self.length.max(1);
        let interval = self.intervals.as_mut().zip(usize::try_from(place).ok());
        if let Some(interval) = interval.and_then(|(intervals, place)| intervals.get_mut(place)) {
            interval.metrics.push(skill, metrics);
        }
    }

    fn push_skill(&mut self) {
        if let Some((skill, metrics)) = self.skill.take() {
            self.summary.push(skill, metrics);
        }
    }

    fn finish(mut self) -> Report {
        self.push_skill();
        if let Some(intervals) = &mut self.intervals {
            intervals.reverse();
        }
        Report { intervals: self.intervals, summary: self.summary }
    }
}

/// `date_bin` may give its times in another unit than it was given.
fn milliseconds(times: &dyn Array) -> Result<TimestampMillisecondArray> {
    let milliseconds = cast(times, &DataType::Timestamp(TimeUnit::Millisecond, None))?;
    Ok(milliseconds.as_primitive::<TimestampMillisecondType>().clone())
}
