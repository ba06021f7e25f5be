//! A report, as the document describes it.

use std::collections::BTreeMap;

use serde::Serialize;
use skillscope_query::Metric;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A report. It is written straight from its cells; these types only describe it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is there to be described")]
pub(in crate::http) enum ReportBody {
    /// The answer where no interval is asked for.
    Whole(BreakdownBody),
    /// The answer where an interval is asked for.
    ByInterval(IntervalsBody),
}

/// Metrics by skill, and of all skills.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct BreakdownBody {
    /// By skill, in ascending order; skills without segments are left out.
    skills_metrics: BTreeMap<String, MetricsBody>,
    metrics_total: MetricsBody,
}

/// Metrics by interval, and of the whole timeframe.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct IntervalsBody {
    /// Every interval, newest first.
    metrics_by_intervals: Vec<IntervalBody>,
    timeframe_summary: BreakdownBody,
}

/// The metrics of an interval.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct IntervalBody {
    /// The interval's start, in milliseconds since the epoch.
    timestamp: i64,
    skills_metrics: BTreeMap<String, MetricsBody>,
    metrics_total: MetricsBody,
}

/// How many segments there were, and how each ended: the members are those of the table of metrics.
#[derive(Serialize)]
pub(super) struct MetricsBody;

impl PartialSchema for MetricsBody {
    fn schema() -> RefOr<Schema> {
        let body = ObjectBuilder::new().description(Some("How many segments there were, and how each ended."));
        let members = Metric::ALL.iter().fold(body, |body, metric| {
            let number = ObjectBuilder::new()
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                .description(Some(metric.description));
            body.property(metric.json_key, number).required(metric.json_key)
        });
        members.into()
    }
}

impl ToSchema for MetricsBody {}
