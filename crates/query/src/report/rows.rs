//! A report as rows.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::answer::{Breakdown, Report};
use super::metrics::{Metric, Metrics};
use crate::{Error, Result};

impl Report {
    /// The columns of [`to_rows`](Self::to_rows).
    pub fn rows_schema() -> SchemaRef {
        schema()
    }

    /// The report as rows, in the order in which its JSON is written: intervals, newest first, then the whole
    /// timeframe; in each, skills in ascending order and then their total.
    ///
    /// A row has the metrics of an interval, or of the whole timeframe where `interval_start` is null; of a skill, or
    /// of all together where `skill_id` is null.
    ///
    /// # Errors
    /// None that is known.
    pub fn to_rows(&self) -> Result<RecordBatch> {
        rows(self).map_err(|error| Error::Report(error.into()))
    }
}

fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let time = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        let keys = [Field::new("interval_start", time, true), Field::new("skill_id", DataType::Int64, true)];
        let metrics = Metric::ALL.iter().map(|metric| Field::new(metric.name, DataType::Int64, false));
        Arc::new(Schema::new(keys.into_iter().chain(metrics).collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

fn rows(report: &Report) -> std::result::Result<RecordBatch, ArrowError> {
    let intervals = report.intervals.iter().flatten().map(|interval| (Some(interval.timestamp), &interval.metrics));
    let breakdowns: Vec<(Option<i64>, &Breakdown)> = intervals.chain([(None, &report.summary)]).collect();
    let places =
        || breakdowns.iter().flat_map(|(start, breakdown)| places(breakdown).map(move |place| (*start, place)));
    let starts: TimestampMillisecondArray = places().map(|(start, _)| start).collect();
    let skills: Int64Array = places().map(|(_, (skill, _))| skill).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(starts.with_timezone("UTC")), Arc::new(skills)];
    for metric in Metric::ALL {
        columns.push(Arc::new(Int64Array::from_iter_values(places().map(|(_, (_, metrics))| metric.of(metrics)))));
    }
    RecordBatch::try_new(schema(), columns)
}

fn places(breakdown: &Breakdown) -> impl Iterator<Item = (Option<i64>, &Metrics)> {
    let skills = breakdown.skills.iter().map(|(skill, metrics)| (Some(*skill), metrics));
    skills.chain([(None, &breakdown.total)])
}
