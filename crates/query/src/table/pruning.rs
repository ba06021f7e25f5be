//! Which parts of the table can be passed over because of the lowest and highest values in them.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray, TimestampMillisecondArray};
use arrow::datatypes::SchemaRef;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use skillscope_segment::{AccountId, column};
use skillscope_store::{ArchiveFile, Partition};

/// The parts that may hold rows which pass the filter. A filter of which no predicate can be built rules nothing out.
pub(super) fn prune<P: Bounded>(
    filter: Option<&Arc<dyn PhysicalExpr>>,
    schema: &SchemaRef,
    parts: Vec<Arc<P>>,
) -> Vec<Arc<P>> {
    let Some(filter) = filter else { return parts };
    let builder = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema));
    let Some(predicate) = builder.build(Arc::clone(filter)) else { return parts };
    let Ok(keep) = predicate.prune(&Ranges(&parts)) else { return parts };
    parts.into_iter().zip(keep).filter_map(|(part, keep)| keep.then_some(part)).collect()
}

/// Some rows of the table, with bounds that are known without reading them.
pub(super) trait Bounded {
    fn account(&self) -> &AccountId;
    fn end_times(&self) -> RangeInclusive<i64>;
    fn skills(&self) -> RangeInclusive<i64>;
}

/// Both kinds of rows know these bounds.
macro_rules! bounded {
    ($($kind:ident)+) => {
        $(impl Bounded for $kind {
            fn account(&self) -> &AccountId {
                self.account()
            }

            fn end_times(&self) -> RangeInclusive<i64> {
                self.end_times()
            }

            fn skills(&self) -> RangeInclusive<i64> {
                self.skills()
            }
        })+
    };
}

bounded!(Partition ArchiveFile);

struct Ranges<'a, P>(&'a [Arc<P>]);

impl<P: Bounded> Ranges<'_, P> {
    fn bounds(&self, name: &str, of: impl Fn(RangeInclusive<i64>) -> i64) -> Option<ArrayRef> {
        let parts = self.0.iter();
        match name {
            column::END_TIME => {
                let times = parts.map(|part| of(part.end_times()));
                Some(Arc::new(TimestampMillisecondArray::from_iter_values(times).with_timezone("UTC")))
            }
            column::SKILL_ID => Some(Arc::new(Int64Array::from_iter_values(parts.map(|part| of(part.skills()))))),
            column::ACCOUNT_ID => {
                Some(Arc::new(StringArray::from_iter_values(parts.map(|part| part.account().as_str()))))
            }
            _ => None,
        }
    }
}

impl<P: Bounded> PruningStatistics for Ranges<'_, P> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(&column.name, |range| *range.start())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(&column.name, |range| *range.end())
    }

    fn num_containers(&self) -> usize {
        self.0.len()
    }

    fn null_counts(&self, _column: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
