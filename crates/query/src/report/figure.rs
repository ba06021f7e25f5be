//! A figure of a report, and the segments behind it.

use std::ops::Range;
use std::sync::Arc;

use datafusion::error::Result as PlanResult;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource};
use skillscope_segment::format_instant;

use super::expression::SEGMENTS;
use super::metrics::Metric;
use super::plan::{belongs, is_of};
use super::request::{MINUTE_MS, ReportParameters, ReportRequest, Selection};
use crate::{Error, Result};

/// A figure of a report: a metric of the whole timeframe or of one interval, over the skills of the request.
#[derive(Debug)]
pub(crate) struct Figure {
    request: ReportRequest,
    range: Range<i64>,
    metric: Option<&'static Metric>,
}

impl Figure {
    /// The figure of `request` for the interval that starts at `interval_start` (milliseconds since the epoch), or for
    /// the whole timeframe, and for the metric that has this key in the report's JSON, or for every segment.
    ///
    /// # Errors
    /// [`Error::Parameter`] where no interval of the request starts there, or no metric has the key.
    pub(crate) fn new(request: ReportRequest, interval_start: Option<i64>, metric: Option<&str>) -> Result<Self> {
        let parameters = request.parameters();
        let range = match interval_start {
            Some(start) => interval(parameters, start)?,
            None => parameters.range(),
        };
        Ok(Self { range, metric: metric.map(metric_of).transpose()?, request })
    }

    /// The plan for the segments that the figure counts, of `segments`. Its conditions are those of the report's plan,
    /// so that both are of the same segments.
    pub(crate) fn plan(&self, segments: Arc<dyn TableSource>) -> PlanResult<LogicalPlan> {
        LogicalPlanBuilder::scan(SEGMENTS, segments, None)?.filter(self.condition())?.build()
    }

    fn condition(&self) -> Expr {
        let selection = Selection { range: self.range.clone(), ..self.request.parameters().selection() };
        let all = is_of(self.request.account()).and(belongs(&selection, true));
        match self.metric.and_then(Metric::condition) {
            Some(condition) => all.and(condition),
            None => all,
        }
    }
}

/// The instants of the interval that starts at `start`.
fn interval(parameters: &ReportParameters, start: i64) -> Result<Range<i64>> {
    let refuse = |rule| Error::Parameter { parameter: "interval_start", value: Some(format_instant(start)), rule };
    let whole = parameters.range();
    let Some(length) = parameters.interval_ms() else {
        return Err(refuse(
            "there are no intervals where no interval is given; null is the whole timeframe".to_owned(),
        ));
    };
    // A start within the timeframe is at most a day from its beginning.
    if whole.contains(&start) && (start - whole.start) % length == 0 {
        return Ok(start..start.saturating_add(length).min(whole.end));
    }
    let (first, last) = (format_instant(whole.start), format_instant(whole.end.saturating_sub(length)));
    let minutes = length / MINUTE_MS;
    Err(refuse(format!(
        "an interval starts at {first} and every {minutes} minutes from there, the last one at {last}; null is the whole \
         timeframe"
    )))
}

fn metric_of(key: &str) -> Result<&'static Metric> {
    Metric::ALL.iter().find(|metric| metric.json_key == key).ok_or_else(|| {
        let keys: Vec<&str> = Metric::ALL.iter().map(|metric| metric.json_key).collect();
        let rule = format!("it is one of {}; null is every segment", keys.join(", "));
        Error::Parameter { parameter: "metric", value: Some(key.to_owned()), rule }
    })
}
