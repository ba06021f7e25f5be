//! A rule for plans: keys of several columns are compared as plain text.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, Join, LogicalPlan, LogicalPlanBuilder, cast};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// Groups and joins by plain text instead of dictionaries, where there are several keys: DataFusion has no fast way to
/// compare dictionaries together with other columns. Above an aggregation the keys are dictionaries again.
#[derive(Debug)]
pub(crate) struct PlainKeys;

impl OptimizerRule for PlainKeys {
    fn name(&self) -> &str {
        "plain_keys"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match &plan {
            LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.len() > 1 => {
                Ok(regrouped(aggregate)?.map_or_else(|| Transformed::no(plan), Transformed::yes))
            }
            LogicalPlan::Join(join) if join.on.len() > 1 => {
                Ok(rejoined(join)?.map_or_else(|| Transformed::no(plan), Transformed::yes))
            }
            _ => Ok(Transformed::no(plan)),
        }
    }
}

/// `None` where no key is a dictionary, or there are several sets of keys.
fn regrouped(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let schema = aggregate.input.schema();
    let mut has_dictionary = false;
    let mut keys = Vec::with_capacity(aggregate.group_expr.len());
    for (number, key) in aggregate.group_expr.iter().enumerate() {
        if matches!(key, Expr::GroupingSet(_)) {
            return Ok(None);
        }
        keys.push(match text_of(&key.get_type(schema)?) {
            Some(text) => {
                has_dictionary = true;
                cast(key.clone().unalias(), text).alias(format!("__key_{number}"))
            }
            None => key.clone(),
        });
    }
    if !has_dictionary {
        return Ok(None);
    }
    let plain = Aggregate::try_new(Arc::clone(&aggregate.input), keys, aggregate.aggr_expr.clone())?;
    // The same columns, by the same names, as before.
    let columns = aggregate.schema.iter().zip(plain.schema.columns()).map(|((qualifier, field), column)| {
        let column = Expr::Column(column);
        let column =
            if column.qualified_name().1 == *field.name() { column } else { cast(column, field.data_type().clone()) };
        column.alias_qualified(qualifier.cloned(), field.name())
    });
    let columns: Vec<Expr> = columns.collect();
    Ok(Some(LogicalPlanBuilder::from(LogicalPlan::Aggregate(plain)).project(columns)?.build()?))
}

/// `None` where no key is a dictionary on both sides.
fn rejoined(join: &Join) -> Result<Option<LogicalPlan>> {
    let (left, right) = (join.left.schema(), join.right.schema());
    let mut has_dictionary = false;
    let mut on = Vec::with_capacity(join.on.len());
    for (of_left, of_right) in &join.on {
        let texts = (text_of(&of_left.get_type(left)?), text_of(&of_right.get_type(right)?));
        on.push(match texts {
            (Some(text), Some(_)) => {
                has_dictionary = true;
                (cast(of_left.clone(), text.clone()), cast(of_right.clone(), text))
            }
            _ => (of_left.clone(), of_right.clone()),
        });
    }
    Ok(has_dictionary.then(|| LogicalPlan::Join(Join { on, ..join.clone() })))
}

/// The type of a dictionary's words.
fn text_of(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Dictionary(_, text) if **text == DataType::Utf8 => Some(DataType::Utf8View),
        _ => None,
    }
}
