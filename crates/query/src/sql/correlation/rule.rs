//! A rule for plans: subqueries that DataFusion cannot compute become joins.

use std::cell::Cell;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result, plan_err};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::logical_plan::{Filter, Join, Projection, Subquery};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::analyzer::AnalyzerRule;

use super::difficulty::{is_difficult, refers_outside};
use super::domain::Domain;

/// The most steps of a query around a subquery. They are planned several times.
const MAX_STEPS: usize = 500;

/// Makes joins of the subqueries that DataFusion cannot compute. It comes before the types of all parts are known, so
/// that they are found for what it makes as well.
#[derive(Debug)]
pub(in crate::sql) struct Correlation;

impl AnalyzerRule for Correlation {
    fn name(&self) -> &str {
        "correlation"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let rewriter = Rewriter { number: Cell::new(0) };
        plan.transform_up_with_subqueries(|node| rewriter.rewrite(node)).map(|rewritten| rewritten.data)
    }
}

struct Rewriter {
    /// The subqueries that have become joins.
    number: Cell<usize>,
}

impl Rewriter {
    fn rewrite(&self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        match node {
            LogicalPlan::Projection(projection) => self.rewrite_projection(projection),
            LogicalPlan::Filter(filter) => self.rewrite_filter(filter),
            LogicalPlan::Join(join) => self.rewrite_lateral(join),
            other => Ok(Transformed::no(other)),
        }
    }

    fn domain(&self, outer: &LogicalPlan, subquery: &LogicalPlan) -> Result<Domain> {
        let number = self.number.get();
        self.number.set(number + 1);
        if !can_be_repeated(outer)? {
            return plan_err!(
                "a subquery refers to a query that has LIMIT, random values or more than {MAX_STEPS} steps, which cannot \
                 be computed with it; {INSTEAD}"
            );
        }
        match Domain::of(outer, subquery, number)? {
            Some(domain) => Ok(domain),
            None => plan_err!("a subquery refers to a query that is not the one directly around it; {INSTEAD}"),
        }
    }

    fn rewrite_projection(&self, projection: Projection) -> Result<Transformed<LogicalPlan>> {
        let outer = projection.input.as_ref();
        let mut rows = outer.clone();
        let mut is_rewritten = false;
        let mut columns = Vec::with_capacity(projection.expr.len());
        let node = LogicalPlan::Projection(projection.clone());
        let names = NamePreserver::new(&node);
        for expression in &projection.expr {
            let name = names.save(expression);
            let rewritten = self.rewrite_values(expression.clone(), outer, &mut rows)?;
            is_rewritten |= rewritten.transformed;
            columns.push(if rewritten.transformed { name.restore(rewritten.data) } else { rewritten.data });
        }
        if !is_rewritten {
            return Ok(Transformed::no(node));
        }
        LogicalPlanBuilder::from(rows).project(columns)?.build().map(Transformed::yes)
    }

    fn rewrite_filter(&self, filter: Filter) -> Result<Transformed<LogicalPlan>> {
        let outer = filter.input.as_ref();
        let mut rows = outer.clone();
        let mut is_rewritten = false;
        let mut conditions = Vec::new();
        for condition in split_conjunction_owned(filter.predicate.clone()) {
            if let Some(fewer) = self.rewrite_condition(&condition, outer, &rows)? {
                rows = fewer;
                is_rewritten = true;
                continue;
            }
            let rewritten = self.rewrite_values(condition, outer, &mut rows)?;
            is_rewritten |= rewritten.transformed;
            conditions.push(rewritten.data);
        }
        if !is_rewritten {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        }
        let mut builder = LogicalPlanBuilder::from(rows);
        if let Some(condition) = conjunction(conditions) {
            builder = builder.filter(condition)?;
        }
        builder.project(outer.schema().columns().into_iter().map(Expr::Column))?.build().map(Transformed::yes)
    }

    /// The rows for which `EXISTS` or `IN` holds; `None` where that is not asked, or DataFusion finds them.
    fn rewrite_condition(
        &self,
        condition: &Expr,
        outer: &LogicalPlan,
        rows: &LogicalPlan,
    ) -> Result<Option<LogicalPlan>> {
        let (subquery, join_type) = match condition {
            Expr::Exists(exists) if exists.negated => (&exists.subquery, JoinType::LeftAnti),
            Expr::Exists(exists) => (&exists.subquery, JoinType::LeftSemi),
            Expr::InSubquery(within) => (&within.subquery, JoinType::LeftSemi),
            _ => return Ok(None),
        };
        let exists = matches!(condition, Expr::Exists(_));
        if subquery.outer_ref_columns.is_empty() || !is_difficult(&subquery.subquery, exists)? {
            return Ok(None);
        }
        if matches!(condition, Expr::InSubquery(within) if within.negated) {
            return plan_err!(
                "NOT IN with a subquery that refers to the query around it like this is not supported; {INSTEAD}"
            );
        }
        let domain = self.domain(outer, &subquery.subquery)?;
        let filter = |value| match condition {
            Expr::InSubquery(within) => Some(within.expr.as_ref().clone().eq(Expr::Column(value))),
            _ => None,
        };
        match domain.join(rows.clone(), &subquery.subquery, join_type, filter)? {
            Some(rows) => Ok(Some(rows)),
            None => too_complex(),
        }
    }

    /// Joins to `rows` the answers of the subqueries in an expression that stand for a value.
    fn rewrite_values(
        &self,
        expression: Expr,
        outer: &LogicalPlan,
        rows: &mut LogicalPlan,
    ) -> Result<Transformed<Expr>> {
        expression.transform_down(|part| {
            let Expr::ScalarSubquery(subquery) = &part else { return Ok(Transformed::no(part)) };
            if subquery.outer_ref_columns.is_empty() || !is_difficult(&subquery.subquery, false)? {
                return Ok(Transformed::no(part));
            }
            self.value(subquery, outer, rows).map(Transformed::yes)
        })
    }

    fn value(&self, subquery: &Subquery, outer: &LogicalPlan, rows: &mut LogicalPlan) -> Result<Expr> {
        let plan = subquery.subquery.as_ref();
        if !has_one_row(plan)? {
            return plan_err!(
                "a subquery that stands for a value may have several rows here; give it LIMIT 1, or an aggregate such as max"
            );
        }
        let domain = self.domain(outer, plan)?;
        match domain.join(rows.clone(), plan, JoinType::Left, |_| None)? {
            Some(joined) => {
                *rows = joined;
                Ok(domain.value())
            }
            None => too_complex(),
        }
    }

    fn rewrite_lateral(&self, join: Join) -> Result<Transformed<LogicalPlan>> {
        let (subquery, alias) = match join.right.as_ref() {
            LogicalPlan::Subquery(subquery) => (subquery.clone(), None),
            LogicalPlan::SubqueryAlias(named) => match named.input.as_ref() {
                LogicalPlan::Subquery(subquery) => (subquery.clone(), Some(named.alias.clone())),
                _ => return Ok(Transformed::no(LogicalPlan::Join(join))),
            },
            _ => return Ok(Transformed::no(LogicalPlan::Join(join))),
        };
        let plan = subquery.subquery.as_ref();
        if !refers_outside(plan) || !is_difficult(plan, false)? {
            return Ok(Transformed::no(LogicalPlan::Join(join)));
        }
        if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
            return too_complex();
        }
        let outer = join.left.as_ref();
        let domain = self.domain(outer, plan)?;
        let on = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
        let filter = conjunction(on.chain(join.filter.clone()));
        match domain.join_lateral(outer.clone(), plan, alias.as_ref(), join.join_type, filter)? {
            Some(joined) => {
                let columns = join.schema.columns().into_iter().map(Expr::Column);
                LogicalPlanBuilder::from(joined).project(columns)?.build().map(Transformed::yes)
            }
            None => too_complex(),
        }
    }
}

/// What to do where a subquery cannot be computed.
const INSTEAD: &str = "write it as a join with a query that is grouped, or numbered with row_number(), by the columns that \
                       they have in common";

fn too_complex<T>() -> Result<T> {
    plan_err!("a subquery that refers to the query around it like this is not supported; {INSTEAD}")
}

/// Whether a subquery has one row at most.
fn has_one_row(plan: &LogicalPlan) -> Result<bool> {
    use datafusion::logical_expr::logical_plan::FetchType;
    Ok(match plan {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Limit(limit) => {
            matches!(limit.get_fetch_type()?, FetchType::Literal(Some(0 | 1))) || has_one_row(&limit.input)?
        }
        LogicalPlan::Projection(projection) => has_one_row(&projection.input)?,
        LogicalPlan::SubqueryAlias(alias) => has_one_row(&alias.input)?,
        LogicalPlan::Sort(sort) => has_one_row(&sort.input)?,
        LogicalPlan::Filter(filter) => has_one_row(&filter.input)?,
        _ => false,
    })
}

/// Whether a plan has the same rows whenever it is computed, and few steps.
fn can_be_repeated(plan: &LogicalPlan) -> Result<bool> {
    let (mut is_stable, mut steps) = (true, 0);
    plan.apply_with_subqueries(|node| {
        steps += 1;
        is_stable &= !matches!(node, LogicalPlan::Limit(_));
        node.apply_expressions(|expression| {
            is_stable &= !expression.is_volatile();
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(if is_stable && steps <= MAX_STEPS { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(is_stable && steps <= MAX_STEPS)
}
