//! Conditions on the rows of another query (`in`, `exists`, `any`, `all`), in forms that DataFusion answers rightly.
//!
//! DataFusion makes joins of such conditions, and some of the joins mean something else: a subquery that reads the same
//! table without an alias is compared with itself, an aggregate without groups has a row also where nothing matches,
//! and what is neither true nor false counts as false. So these are rewritten, before anything else sees the plan, to
//! conditions from which the right joins follow:
//!
//! ```text
//! exists (an aggregate)        →  true; with HAVING, whether its condition holds
//! x in (an aggregate)          →  x = the aggregate
//! x > any (query)              →  x > the least of its values
//! x = any (query)              →  x in (query)
//! x in (query), in a value     →  case when a row matches then true when one may match then null else false end
//! ```

mod comparison;
mod placed;
mod shape;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, merge_schema, split_conjunction_owned};
use datafusion::logical_expr::{Aggregate, Expr, Filter, LogicalPlan, LogicalPlanBuilder, Operator};

use comparison::Comparison;
use placed::{Place, Placed};

/// The same plan with its conditions on subqueries in forms that DataFusion answers rightly.
///
/// A subquery may stand in the plan several times then, so `check_steps` is asked again and again whether a part of it
/// is still small enough.
///
/// # Errors
/// Those of `check_steps`, and where a condition has no such form: the error says what to write instead.
pub(super) fn with_right_conditions(
    plan: LogicalPlan,
    check_steps: impl Fn(&LogicalPlan) -> Result<()>,
) -> Result<LogicalPlan> {
    let mut names = Names::default();
    let rewritten = plan.transform_up_with_subqueries(|node| {
        if !has_conditions(&node)? {
            return Ok(Transformed::no(node));
        }
        check_steps(&node)?;
        names.rewrite(node)
    });
    rewritten.data()
}

fn has_conditions(node: &LogicalPlan) -> Result<bool> {
    let mut has_conditions = false;
    node.apply_expressions(|expression| {
        has_conditions |= expression.exists(|part| Ok(is_condition(part)))?;
        Ok(if has_conditions { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(has_conditions)
}

/// Gives names that nothing else in the statement has.
#[derive(Debug, Default)]
struct Names {
    given: usize,
}

impl Names {
    fn next(&mut self, kind: &str) -> String {
        self.given += 1;
        format!("__{kind}_{}", self.given)
    }

    fn rewrite(&mut self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let schema = merge_schema(&node.inputs());
        match node {
            LogicalPlan::Filter(filter) => {
                let conditions = split_conjunction_owned(filter.predicate).into_iter();
                let conditions = conditions.map(|condition| self.rewrite_condition(condition, &schema));
                let Some(all) = conjunction(conditions.collect::<Result<Vec<_>>>()?) else {
                    return Ok(Transformed::yes(filter.input.as_ref().clone()));
                };
                Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(all, filter.input)?)))
            }
            LogicalPlan::Aggregate(aggregate) => self.rewrite_aggregate(aggregate, &schema).map(Transformed::yes),
            LogicalPlan::Projection(_) => {
                let saved = NamePreserver::new(&node);
                let node = node.map_expressions(|expression| {
                    let name = saved.save(&expression);
                    Ok(Transformed::yes(name.restore(self.rewrite_parts(expression, &schema, Place::Value)?)))
                })?;
                node.map_data(LogicalPlan::recompute_schema)
            }
            // Nothing else has a way to answer them.
            other => Ok(Transformed::no(other)),
        }
    }

    /// A condition of a filter that must hold by itself, so that null is as good as false.
    fn rewrite_condition(&mut self, condition: Expr, schema: &DFSchema) -> Result<Expr> {
        let mut place = Placed::new(self, schema, Place::Filter);
        match condition {
            Expr::Not(inner) if matches!(inner.as_ref(), Expr::Exists(_)) => match *inner {
                Expr::Exists(exists) => place.exists(Exists { negated: !exists.negated, ..exists }),
                other => Ok(Expr::Not(Box::new(other))),
            },
            Expr::Exists(exists) => place.exists(exists),
            Expr::Not(inner) => match Comparison::of(*inner)? {
                Ok(comparison) => comparison.negated().holds(&mut place),
                Err(other) => self.rewrite_parts(Expr::Not(Box::new(other)), schema, Place::Filter),
            },
            other => match Comparison::of(other)? {
                Ok(comparison) => comparison.holds(&mut place),
                Err(other) => self.rewrite_parts(other, schema, Place::Filter),
            },
        }
    }

    /// The conditions that are parts of an expression, which may be true, false or null.
    fn rewrite_parts(&mut self, expression: Expr, schema: &DFSchema, at: Place) -> Result<Expr> {
        let rewritten = expression.transform_up(|part| {
            let mut place = Placed::new(self, schema, at);
            Ok(match part {
                Expr::Exists(exists) => Transformed::yes(place.exists(exists)?),
                other => match Comparison::of(other)? {
                    Ok(comparison) => Transformed::yes(comparison.value(&mut place)?),
                    Err(other) => Transformed::no(other),
                },
            })
        });
        rewritten.data()
    }

    /// Computes the conditions in an aggregation below it, where they can be joined.
    fn rewrite_aggregate(&mut self, aggregate: Aggregate, schema: &DFSchema) -> Result<LogicalPlan> {
        let mut columns: Vec<Expr> = schema.columns().into_iter().map(Expr::Column).collect();
        let mut lift = |expression: Expr| {
            let (old, mut lifted) = (expression.clone(), Vec::new());
            let new = expression.transform_down(|part| {
                if !is_condition(&part) {
                    return Ok(Transformed::no(part));
                }
                let name = self.next("condition");
                lifted.push(self.rewrite_parts(part, schema, Place::Value)?.alias(name.clone()));
                let column = Expr::Column(Column::new_unqualified(name));
                Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
            })?;
            columns.append(&mut lifted);
            let is_set = matches!(new.data, Expr::GroupingSet(_));
            Ok(if new.transformed && !is_set { new.data.alias(old.schema_name().to_string()) } else { new.data })
        };
        let groups = aggregate.group_expr.into_iter().map(&mut lift).collect::<Result<Vec<_>>>()?;
        let values = aggregate.aggr_expr.into_iter().map(&mut lift).collect::<Result<Vec<_>>>()?;
        let input = LogicalPlanBuilder::from(aggregate.input).project(columns)?.build()?;
        Ok(LogicalPlan::Aggregate(Aggregate::try_new(input.into(), groups, values)?))
    }
}

/// Whether an expression is a condition on the rows of a subquery.
fn is_condition(expression: &Expr) -> bool {
    matches!(expression, Expr::Exists(_) | Expr::InSubquery(InSubquery { .. }) | Expr::SetComparison(_))
}

/// The operator that holds exactly where this one does not; `None` for what is no comparison.
fn opposite(operator: Operator) -> Option<Operator> {
    Some(match operator {
        Operator::Eq => Operator::NotEq,
        Operator::NotEq => Operator::Eq,
        Operator::Lt => Operator::GtEq,
        Operator::GtEq => Operator::Lt,
        Operator::Gt => Operator::LtEq,
        Operator::LtEq => Operator::Gt,
        _ => return None,
    })
}
