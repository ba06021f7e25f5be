//! The body of a recorded answer.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use skillscope_query::Metric;

use super::told::{Told, whole};
use crate::{Error, Result};

/// A report as another endpoint tells it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RecordedReport {
    /// The intervals, in the order in which they stand there; `None` where there are none.
    pub(super) intervals: Option<Vec<RecordedInterval>>,
    /// The whole timeframe.
    pub(super) summary: RecordedBreakdown,
}

/// An interval as another endpoint tells it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RecordedInterval {
    /// Its start, in milliseconds since the epoch.
    pub(super) timestamp: i64,
    pub(super) breakdown: RecordedBreakdown,
}

/// The metrics of each skill and of all together, each in the order of [`Metric::ALL`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RecordedBreakdown {
    /// Those of every skill that has any number but 0.
    pub(super) skills: BTreeMap<i64, Vec<Told>>,
    pub(super) total: Vec<Told>,
}

impl RecordedReport {
    /// Reads the JSON of a report, as an object or as text.
    ///
    /// # Errors
    /// Where it is no report.
    pub(super) fn read(body: &Value) -> Result<Self> {
        if let Value::String(text) = body {
            let body =
                serde_json::from_str(text).map_err(|_| Error::recording("the report is text that is no JSON"))?;
            return Self::read_object(&body);
        }
        Self::read_object(body)
    }

    fn read_object(body: &Value) -> Result<Self> {
        let Some(body) = body.as_object() else { return Err(Error::recording("the report is no object")) };
        match body.get("metricsByIntervals") {
            Some(Value::Array(intervals)) => {
                let summary = body.get("timeframeSummary").and_then(Value::as_object);
                let summary = summary.ok_or_else(|| Error::recording("the report has no timeframeSummary"))?;
                let intervals = intervals.iter().map(RecordedInterval::read).collect::<Result<_>>()?;
                Ok(Self { intervals: Some(intervals), summary: RecordedBreakdown::read(summary)? })
            }
            Some(_) => Err(Error::recording("metricsByIntervals is no array")),
            None => Ok(Self { intervals: None, summary: RecordedBreakdown::read(body)? }),
        }
    }
}

impl RecordedInterval {
    fn read(interval: &Value) -> Result<Self> {
        let Some(interval) = interval.as_object() else { return Err(Error::recording("an interval is no object")) };
        let timestamp = interval.get("timestamp").and_then(whole);
        let timestamp = timestamp.ok_or_else(|| Error::recording("an interval has no timestamp"))?;
        Ok(Self { timestamp, breakdown: RecordedBreakdown::read(interval)? })
    }
}

impl RecordedBreakdown {
    /// An interval that is not listed is one without segments.
    pub(super) fn empty() -> Self {
        Self { skills: BTreeMap::new(), total: vec![Told::Number(0); Metric::ALL.len()] }
    }

    fn read(object: &Map<String, Value>) -> Result<Self> {
        let skills = match object.get("skillsMetrics") {
            Some(Value::Object(skills)) => skills.iter().map(skill).collect::<Result<Vec<_>>>()?,
            // The contract has an empty element where no skill has data.
            Some(Value::Null | Value::String(_)) => Vec::new(),
            Some(Value::Array(skills)) if skills.is_empty() => Vec::new(),
            _ => return Err(Error::recording("there is no skillsMetrics, or it is no object: this is no report")),
        };
        // The contract's examples and its table differ in the name.
        let total = object.get("metricsTotal").or_else(|| object.get("metricsTotals"));
        let is_zero = |metrics: &[Told]| metrics.iter().all(|metric| *metric == Told::Number(0));
        let skills = skills.into_iter().filter(|(_, metrics)| !is_zero(metrics)).collect();
        Ok(Self { skills, total: metrics(total) })
    }
}

fn skill((id, of_skill): (&String, &Value)) -> Result<(i64, Vec<Told>)> {
    let id = id.parse().map_err(|_| Error::recording(format!("the skill {id:?} is no number")))?;
    Ok((id, metrics(Some(of_skill))))
}

fn metrics(object: Option<&Value>) -> Vec<Told> {
    Metric::ALL.iter().map(|metric| Told::of(object.and_then(|object| object.get(metric.json_key)))).collect()
}
