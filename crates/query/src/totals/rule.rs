//! The rule that recognises aggregations which running totals answer.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::{Aggregate, Expr, Extension, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use skillscope_segment::column;

use super::bins::Bins;
use super::conditions::Conditions;
use super::node::TotalsNode;
use super::tally_metric::TallyMetric;
use super::{Key, TotalsQuery};
use crate::table::SegmentsTable;

/// Replaces aggregations over the table `segments` that running totals can answer.
#[derive(Debug)]
pub(crate) struct AnswerFromTotals;

impl OptimizerRule for AnswerFromTotals {
    fn name(&self) -> &str {
        "answer_from_totals"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        let Some((table, query)) = recognise(aggregate) else { return Ok(Transformed::no(plan)) };
        let node = TotalsNode::new(plan, table, query);
        Ok(Transformed::yes(LogicalPlan::Extension(Extension { node: Arc::new(node) })))
    }
}

/// The table and the question; `None` where an aggregation has another shape.
fn recognise(aggregate: &Aggregate) -> Option<(Arc<SegmentsTable>, TotalsQuery)> {
    let mut conditions = Conditions::default();
    let table = source(&aggregate.input, &mut conditions)?;
    let (keys, bins) = keys(&aggregate.group_expr)?;
    let schema = table.schema();
    let metrics = aggregate.aggr_expr.iter().map(|metric| TallyMetric::recognise(metric, &schema));
    let metrics = metrics.collect::<Option<Vec<_>>>()?;
    Some((table, TotalsQuery { conditions: conditions.on(schema), keys, bins, metrics }))
}

/// The table below an aggregation. The conditions on the way to it are added to `conditions`.
fn source(plan: &LogicalPlan, conditions: &mut Conditions) -> Option<Arc<SegmentsTable>> {
    match plan {
        LogicalPlan::Filter(filter) => {
            conditions.add(&filter.predicate)?;
            source(&filter.input, conditions)
        }
        LogicalPlan::SubqueryAlias(alias) => source(&alias.input, conditions),
        // Columns under their own names.
        LogicalPlan::Projection(projection) if projection.expr.iter().all(|part| matches!(part, Expr::Column(_))) => {
            source(&projection.input, conditions)
        }
        LogicalPlan::TableScan(scan) if scan.fetch.is_none() => {
            scan.filters.iter().try_for_each(|filter| conditions.add(filter))?;
            let provider: Arc<dyn std::any::Any + Send + Sync> = source_as_provider(&scan.source).ok()?;
            provider.downcast::<SegmentsTable>().ok().filter(|table| table.has_totals())
        }
        _ => None,
    }
}

fn keys(expressions: &[Expr]) -> Option<(Vec<Key>, Bins)> {
    let (mut keys, mut bins) = (Vec::with_capacity(expressions.len()), None);
    for expression in expressions {
        let expression = match expression {
            Expr::Alias(alias) => alias.expr.as_ref(),
            other => other,
        };
        keys.push(match expression {
            Expr::Column(name) => match name.name.as_str() {
                column::ACCOUNT_ID => Key::Account,
                column::SKILL_ID => Key::Skill,
                column::USER_TYPE => Key::UserType,
                _ => return None,
            },
            other => {
                let recognised = Bins::recognise(other)?;
                if bins.is_some_and(|bins| bins != recognised) {
                    return None;
                }
                bins = Some(recognised);
                Key::Bin
            }
        });
    }
    Some((keys, bins.unwrap_or(Bins::ONE)))
}
