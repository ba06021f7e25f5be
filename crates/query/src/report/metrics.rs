//! The metrics, told once: plans, reports, SQL views, the HTTP description and replays take them from the table below.

use std::ops::{AddAssign, SubAssign};

use arrow::array::{Array, Int64Array, RecordBatch};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use skillscope_segment::{Outcome, column};

use super::columns::integers;
use super::measure::Measure::{self, Segments, Sum, WithFlag, WithOutcome, WithValue};
use super::measure::RoundedMean;

/// A metric of the report.
#[derive(Debug)]
pub struct Metric {
    /// Its name as a column, of reports as rows and of the views.
    pub name: &'static str,
    /// Its key in the report's JSON.
    pub json_key: &'static str,
    /// Whether it adds up over skills and intervals, as counts do and averages do not.
    pub is_additive: bool,
    /// What it says of some segments, in a sentence for readers of the report.
    pub description: &'static str,
    value: fn(&Metrics) -> i64,
    sql: fn() -> String,
    condition: fn() -> Option<Expr>,
}

impl Metric {
    /// Its value among the metrics of some segments.
    pub fn of(&self, metrics: &Metrics) -> i64 {
        (self.value)(metrics)
    }

    /// The metric as an SQL aggregate over segments.
    pub(crate) fn sql(&self) -> String {
        (self.sql)()
    }

    /// What makes a segment one of those that it counts or averages; `None` where all of them are.
    pub(super) fn condition(&self) -> Option<Expr> {
        (self.condition)()
    }
}

/// A column of the rows that plans for reports give: a count or a sum.
#[derive(Debug)]
pub(crate) struct MetricColumn {
    pub(crate) name: &'static str,
    /// What it says of some segments, in a sentence.
    pub(crate) description: &'static str,
    pub(super) measure: Measure,
}

impl MetricColumn {
    const fn new(name: &'static str, text: &'static str, measure: Measure) -> Self {
        Self { name, description: text.trim_ascii(), measure }
    }

    /// The metric as an SQL aggregate over segments.
    pub(crate) fn sql(&self) -> String {
        self.measure.sql()
    }
}

/// Declares the metrics, by these parts:
///
/// - `counted`: metrics that are counts or sums, each with a description, a name, what it measures and its JSON key;
/// - `derived`: metrics that are computed from counts and sums by a method of [`Metrics`] of the same name, each with a
///   description, what is measured and their JSON key;
/// - `parts`: counts and sums from which metrics are derived, and which no report tells.
macro_rules! metrics {
    (
        counted { $(#[doc = $counted_text:literal] $counted:ident: $counted_measure:expr => $counted_key:literal;)+ }
        derived { $(#[doc = $derived_text:literal] $derived:ident: $derived_measure:expr => $derived_key:literal;)+ }
        parts { $(#[doc = $part_text:literal] $part:ident: $part_measure:expr;)+ }
    ) => {
        /// The metrics of some segments, as counts and sums: they add up over skills and intervals.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Metrics {
            $(#[doc = $counted_text] pub $counted: i64,)+
            $(#[doc = $part_text] pub $part: i64,)+
        }

        impl Metric {
            /// Every metric, in the order of the report.
            pub const ALL: &[Self] = &[
                $(Self {
                    name: stringify!($counted),
                    json_key: $counted_key,
                    is_additive: true,
                    description: $counted_text.trim_ascii(),
                    value: |metrics| metrics.$counted,
                    sql: || $counted_measure.sql(),
                    condition: || $counted_measure.condition(),
                },)+
                $(Self {
                    name: stringify!($derived),
                    json_key: $derived_key,
                    is_additive: false,
                    description: $derived_text.trim_ascii(),
                    value: Metrics::$derived,
                    sql: || $derived_measure.sql(),
                    condition: || $derived_measure.condition(),
                },)+
            ];
        }

        impl MetricColumn {
            /// Every count and sum from which metrics are told.
            pub(crate) const ALL: &[Self] = &[
                $(Self::new(stringify!($counted), $counted_text, $counted_measure),)+
                $(Self::new(stringify!($part), $part_text, $part_measure),)+
            ];

            /// Those that are no metrics themselves.
            pub(crate) const UNREPORTED: &[Self] =
                &[$(Self::new(stringify!($part), $part_text, $part_measure),)+];
        }

        impl Metrics {
            /// Every metric as the beginning of its member in a JSON object, with a comma before it, and its value.
            pub(super) fn json_members(&self) -> [(&'static str, i64); Metric::ALL.len()] {
                [
                    $((concat!(",\"", $counted_key, "\":"), self.$counted),)+
                    $((concat!(",\"", $derived_key, "\":"), self.$derived()),)+
                ]
            }
        }

        impl AddAssign<&Metrics> for Metrics {
            /// Sums wrap around as those of plans do.
            fn add_assign(&mut self, other: &Metrics) {
                $(self.$counted = self.$counted.wrapping_add(other.$counted);)+
                $(self.$part = self.$part.wrapping_add(other.$part);)+
            }
        }

        impl SubAssign<&Metrics> for Metrics {
            /// Takes away what was added.
            fn sub_assign(&mut self, other: &Metrics) {
                $(self.$counted = self.$counted.wrapping_sub(other.$counted);)+
                $(self.$part = self.$part.wrapping_sub(other.$part);)+
            }
        }

        /// The metrics in some rows of a plan for reports.
        pub(super) struct MetricValues<'b> {
            $($counted: &'b Int64Array,)+
            $($part: &'b Int64Array,)+
        }

        impl<'b> MetricValues<'b> {
            pub(super) fn of(batch: &'b RecordBatch) -> Result<Self> {
                let numbers = |name| integers(batch, name);
                Ok(Self {
                    $($counted: numbers(stringify!($counted))?,)+
                    $($part: numbers(stringify!($part))?,)+
                })
            }

            /// The metrics of a row.
            pub(super) fn get(&self, row: usize) -> Metrics {
                Metrics {
                    $($counted: value(self.$counted, row),)+
                    $($part: value(self.$part, row),)+
                }
            }
        }
    };
}

const TIME_TO_FIRST_MESSAGE: &str = column::TIME_TO_FIRST_AGENT_MESSAGE_MS;

// A new metric is a new line here. Running totals answer it as far as it counts or sums what they know of segments
// (outcomes, flags in the queue, times to the first message); any other makes reports scan rows.
metrics! {
    counted {
        /// Closed segments.
        total: Segments => "totalSkillConversationSegments";
        /// The consumer closed the conversation, and no agent had spoken in the segment.
        abandoned: WithOutcome(Outcome::Abandoned) => "skillSegmentsAbandonedByConsumers";
        /// Of these, the ones closed while no agent was assigned.
        abandoned_in_queue: WithFlag(column::ABANDONED_IN_QUEUE) => "skillSegmentsAbandonedByConsumersInQueue";
        /// An agent spoke, and the consumer did not answer.
        non_responsive_consumer: WithOutcome(Outcome::NonResponsiveConsumer)
            => "skillSegmentsWithNonResponsiveConsumers";
        /// No agent spoke, and the segment ended by a transfer, an agent or the system.
        non_responsive_agent: WithOutcome(Outcome::NonResponsiveAgent) => "skillSegmentsWithNonResponsiveAgents";
        /// An agent spoke, and the consumer answered.
        interactive: WithOutcome(Outcome::Interactive) => "interactiveSkillSegments";
    }
    derived {
        /// Milliseconds from an agent's assignment to the first message, on average.
        avg_time_to_first_agent_message_ms: RoundedMean(TIME_TO_FIRST_MESSAGE)
            => "avgTimetoFirstAgentMessageFromAgentAssignment";
    }
    parts {
        /// Segments with a time to first agent message.
        samples: WithValue(TIME_TO_FIRST_MESSAGE);
        /// The sum of those times, in milliseconds.
        sample_sum_ms: Sum(TIME_TO_FIRST_MESSAGE);
    }
}

impl Metrics {
    /// Milliseconds from assignment to first agent message on average: sum ÷ count over all segments in question,
    /// rounded half up; 0 without samples.
    pub fn avg_time_to_first_agent_message_ms(&self) -> i64 {
        if self.samples <= 0 {
            return 0;
        }
        let (sum, count) = (i128::from(self.sample_sum_ms), i128::from(self.samples));
        let rounded = (2 * sum + count).div_euclid(2 * count);
        i64::try_from(rounded).unwrap_or(i64::MAX)
    }

    /// Every closed segment has exactly one of the four outcomes, so they add up to the total.
    pub fn outcomes_add_up(&self) -> bool {
        let outcomes = [self.interactive, self.non_responsive_consumer, self.abandoned, self.non_responsive_agent];
        outcomes.iter().sum::<i64>() == self.total && self.abandoned_in_queue <= self.abandoned
    }
}

/// A sum without anything to add is null.
fn value(column: &Int64Array, row: usize) -> i64 {
    if column.is_valid(row) { column.value(row) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_rounded_half_up_and_0_without_samples() {
        let average = |sample_sum_ms, samples| {
            Metrics { samples, sample_sum_ms, ..Metrics::default() }.avg_time_to_first_agent_message_ms()
        };
        assert_eq!(average(0, 0), 0);
        assert_eq!(average(5, 2), 3);
        assert_eq!(average(7, 3), 2);
        assert_eq!(average(8, 3), 3);
        assert_eq!(average(i64::MAX, 1), i64::MAX);
        // Another method of the same API documents this weighted mean: (5·1800 + 3·4000) ÷ 8.
        assert_eq!(average(5 * 1800 + 3 * 4000, 8), 2625);
    }
}
