//! Metrics of one moment, and how they are written.

use std::borrow::Cow;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text, text};
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;
use skillscope_store::Distribution;

use super::definition::{Definition, Kind};

/// Metrics of one moment.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    families: Vec<Family>,
}

/// A metric with its values.
#[derive(Debug)]
struct Family {
    definition: &'static Definition,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    /// The labels, in the order of the definition.
    labels: Vec<(&'static str, Cow<'static, str>)>,
    value: Value,
}

/// The value of a metric for some labels.
#[derive(Debug)]
pub(super) enum Value {
    Whole(u64),
    Real(f64),
    Distribution(Distribution),
}

/// The forms in which metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// The text format 0.0.4 of Prometheus, which every reader knows.
    Prometheus,
    /// OpenMetrics 1.0, which Prometheus asks for.
    OpenMetrics,
}

impl TextFormat {
    /// The formats by media type, the one that is written where none is asked for first.
    pub(crate) const MEDIA_TYPES: [(&str, Self); 2] =
        [("text/plain", Self::Prometheus), ("application/openmetrics-text", Self::OpenMetrics)];

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Whole(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<Distribution> for Value {
    fn from(value: Distribution) -> Self {
        Self::Distribution(value)
    }
}

impl Exposition {
    /// Adds a metric without labels.
    pub(super) fn single(&mut self, definition: &'static Definition, value: impl Into<Value>) {
        self.family(definition, [([], value.into())]);
    }

    /// Adds a metric with the values of its labels, in the order of the definition.
    pub(super) fn family<const N: usize>(
        &mut self,
        definition: &'static Definition,
        samples: impl IntoIterator<Item = ([Cow<'static, str>; N], Value)>,
    ) {
        let sample = |(labels, value): ([Cow<'static, str>; N], Value)| Sample {
            labels: definition.labels.iter().copied().zip(labels).collect(),
            value,
        };
        let samples = samples.into_iter().map(sample).collect();
        self.families.push(Family { definition, samples });
    }

    /// Writes the metrics.
    ///
    /// # Errors
    /// None that is known: text takes everything.
    pub(crate) fn write(self, format: TextFormat) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut written = String::new();
        match format {
            TextFormat::Prometheus => prometheus_text::encode(&mut written, &registry)?,
            TextFormat::OpenMetrics => text::encode(&mut written, &registry)?,
        }
        Ok(written)
    }
}

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for Family { definition, samples } in &self.families {
            let unit = definition.unit();
            let mut metric =
                encoder.encode_descriptor(definition.name, definition.help, unit.as_ref(), definition.metric_type())?;
            for Sample { labels, value } in samples {
                match definition.kind {
                    Kind::Info => metric.encode_info(labels)?,
                    kind if labels.is_empty() => encode(kind, &mut metric, value)?,
                    kind => encode(kind, &mut metric.encode_family(labels)?, value)?,
                }
            }
        }
        Ok(())
    }
}

fn encode(kind: Kind, metric: &mut MetricEncoder<'_>, value: &Value) -> fmt::Result {
    const NONE: Option<&Exemplar<NoLabelSet, u64>> = None;
    match (kind, value) {
        (Kind::Counter, Value::Whole(value)) => metric.encode_counter(value, NONE),
        (Kind::Counter, Value::Real(value)) => metric.encode_counter(value, NONE),
        // A limit may be as large as a number can be, and the formats' gauges have a sign.
        (_, Value::Whole(value)) => metric.encode_gauge(&i64::try_from(*value).unwrap_or(i64::MAX)),
        (_, Value::Real(value)) => metric.encode_gauge(value),
        (_, Value::Distribution(of)) => metric.encode_histogram::<NoLabelSet>(of.sum, of.count(), &of.buckets, None),
    }
}
