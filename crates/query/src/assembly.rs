//! The rows that a report's plan gives, put together as a report.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{Array, AsArray, RecordBatch, TimestampMillisecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMillisecondType};
use datafusion::error::{DataFusionError, Result};

use crate::plan::cell;
use crate::{Breakdown, Interval, Metrics, Report, ReportRequest};

/// The metrics of one skill, in one interval where there are any.
struct Cell {
    interval_start: i64,
    skill: i64,
    metrics: Metrics,
}

/// Puts the rows of [`report_plan`](crate::plan::report_plan) together as the report that `request` asked for.
pub(crate) fn assemble(request: &ReportRequest, batches: &[RecordBatch]) -> Result<Report> {
    let mut cells = Vec::new();
    for batch in batches {
        read_cells(batch, request.interval_ms().is_some(), &mut cells)?;
    }
    let mut summary = BTreeMap::<i64, Metrics>::new();
    for cell in &cells {
        *summary.entry(cell.skill).or_default() += &cell.metrics;
    }
    let mut report = Report { intervals: None, summary: Breakdown::default() };
    for (skill, metrics) in summary {
        report.summary.push(skill, metrics);
    }
    if let Some(length) = request.interval_ms() {
        report.intervals = Some(intervals(request.range(), length, cells));
    }
    Ok(report)
}

/// Every interval of `range`, newest first, with its cells.
fn intervals(range: Range<i64>, length: i64, mut cells: Vec<Cell>) -> Vec<Interval> {
    cells.sort_unstable_by_key(|cell| (cell.interval_start, cell.skill));
    let mut cells = cells.into_iter().peekable();
    let mut intervals = Vec::new();
    let mut timestamp = range.start;
    while timestamp < range.end {
        let mut metrics = Breakdown::default();
        while let Some(cell) = cells.next_if(|cell| cell.interval_start <= timestamp) {
            metrics.push(cell.skill, cell.metrics);
        }
        intervals.push(Interval { timestamp, metrics });
        timestamp = timestamp.saturating_add(length);
    }
    intervals.reverse();
    intervals
}

fn read_cells(batch: &RecordBatch, by_interval: bool, cells: &mut Vec<Cell>) -> Result<()> {
    let numbers = |name| Ok::<_, DataFusionError>(values(batch, name)?.as_primitive::<Int64Type>());
    let (skill, total) = (numbers(cell::SKILL)?, numbers(cell::TOTAL)?);
    let (abandoned, abandoned_in_queue) = (numbers(cell::ABANDONED)?, numbers(cell::ABANDONED_IN_QUEUE)?);
    let non_responsive_consumer = numbers(cell::NON_RESPONSIVE_CONSUMER)?;
    let non_responsive_agent = numbers(cell::NON_RESPONSIVE_AGENT)?;
    let (interactive, samples) = (numbers(cell::INTERACTIVE)?, numbers(cell::SAMPLES)?);
    let sample_sum = numbers(cell::SAMPLE_SUM)?;
    let interval_start = if by_interval { Some(milliseconds(values(batch, cell::INTERVAL)?)?) } else { None };
    cells.reserve(batch.num_rows());
    for row in 0..batch.num_rows() {
        cells.push(Cell {
            interval_start: interval_start.as_ref().map_or(0, |start| start.value(row)),
            skill: skill.value(row),
            metrics: Metrics {
                total: total.value(row),
                abandoned: abandoned.value(row),
                abandoned_in_queue: abandoned_in_queue.value(row),
                non_responsive_consumer: non_responsive_consumer.value(row),
                non_responsive_agent: non_responsive_agent.value(row),
                interactive: interactive.value(row),
                samples: samples.value(row),
                // A sum over no sample is null.
                sample_sum: if sample_sum.is_valid(row) { sample_sum.value(row) } else { 0 },
            },
        });
    }
    Ok(())
}

/// `date_bin` may give its times in another unit than it was given.
fn milliseconds(times: &dyn Array) -> Result<TimestampMillisecondArray> {
    let milliseconds = cast(times, &DataType::Timestamp(TimeUnit::Millisecond, None))?;
    Ok(milliseconds.as_primitive::<TimestampMillisecondType>().clone())
}

fn values<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a dyn Array> {
    match batch.column_by_name(name) {
        Some(array) => Ok(array.as_ref()),
        None => Err(DataFusionError::Internal(format!("a report's rows have no column {name}"))),
    }
}
