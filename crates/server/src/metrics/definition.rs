//! What a metric is called, and what it means.

use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// A metric, without its values.
#[derive(Debug)]
pub(super) struct Definition {
    /// The name without its unit, and without the ending of counters: formats add both.
    pub(super) name: &'static str,
    unit: Option<BaseUnit>,
    pub(super) kind: Kind,
    /// The names of its labels.
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Info,
}

#[derive(Debug, Clone, Copy)]
enum BaseUnit {
    Seconds,
    Bytes,
}

impl Definition {
    const fn new(kind: Kind, name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { name, unit: None, kind, labels, help }
    }

    /// A number that only grows, until the process ends.
    pub(super) const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self::new(Kind::Counter, name, labels, help)
    }

    /// A number of now.
    pub(super) const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self::new(Kind::Gauge, name, labels, help)
    }

    /// How often something was of what size.
    pub(super) const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self::new(Kind::Histogram, name, labels, help)
    }

    /// A text, as the value of a label.
    pub(super) const fn info(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self::new(Kind::Info, name, labels, help)
    }

    pub(super) const fn in_seconds(self) -> Self {
        Self { unit: Some(BaseUnit::Seconds), ..self }
    }

    pub(super) const fn in_bytes(self) -> Self {
        Self { unit: Some(BaseUnit::Bytes), ..self }
    }

    pub(super) fn unit(&self) -> Option<Unit> {
        self.unit.map(|unit| match unit {
            BaseUnit::Seconds => Unit::Seconds,
            BaseUnit::Bytes => Unit::Bytes,
        })
    }

    pub(super) fn metric_type(&self) -> MetricType {
        match self.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
            Kind::Info => MetricType::Info,
        }
    }
}
