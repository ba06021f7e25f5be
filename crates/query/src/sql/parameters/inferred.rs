//! Types that parameters have by where they stand.

use arrow::datatypes::{DataType, Field, IntervalUnit};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{BinaryExpr, Case, Cast, Like, Placeholder, ScalarFunction, TryCast};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator};

use crate::sql::functions::open_arguments;
use crate::sql::meaning::object_list;

/// Adds the types that DataFusion has found. Where a parameter stands in several places, the first that tells counts.
pub(super) fn by_engine(plan: &LogicalPlan, types: &mut [Option<DataType>]) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::Placeholder(Placeholder { id, field: Some(known) }) = part
                    && let Some(open @ None) = number(id).and_then(|place| types.get_mut(place))
                {
                    *open = Some(plain(known.data_type()));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

/// Adds those that it does not look for. Says whether there are any.
pub(super) fn by_place(plan: &LogicalPlan, types: &mut [Option<DataType>]) -> Result<bool> {
    let mut finding = Finding { types, found: false };
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Limit(limit) = node {
            let numbers = [&limit.skip, &limit.fetch].into_iter().flatten();
            numbers.for_each(|number| finding.add(number, Some(DataType::Int64)));
        }
        for (argument, of) in &open_arguments(node) {
            argument.apply(|part| {
                finding.look(part, &DFSchema::empty());
                Ok(TreeNodeRecursion::Continue)
            })?;
            finding.add(argument, Some(of.clone()));
        }
        let inputs = merge_schema(&node.inputs());
        let schema = if node.inputs().is_empty() { node.schema() } else { &inputs };
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                finding.look(part, schema);
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(finding.found)
}

struct Finding<'a> {
    types: &'a mut [Option<DataType>],
    found: bool,
}

impl Finding<'_> {
    fn look(&mut self, part: &Expr, schema: &DFSchema) {
        match part {
            Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) => {
                self.add(expr, Some(field.data_type().clone()));
            }
            Expr::Case(Case { expr, when_then_expr, else_expr }) => {
                let results = when_then_expr.iter().map(|(_, then)| then.as_ref());
                self.alike(&results.chain(else_expr.as_deref()).collect::<Vec<_>>(), schema);
                if let Some(compared) = expr {
                    let with = when_then_expr.iter().map(|(when, _)| when.as_ref());
                    self.alike(&with.chain([compared.as_ref()]).collect::<Vec<_>>(), schema);
                }
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => self.operands(left, *op, right, schema),
            Expr::Not(condition) => self.add(condition, Some(DataType::Boolean)),
            Expr::Like(Like { expr, pattern, .. }) | Expr::SimilarTo(Like { expr, pattern, .. }) => {
                [expr, pattern].into_iter().for_each(|text| self.add(text, Some(DataType::Utf8)));
            }
            Expr::WindowFunction(window) => {
                if let ("lag" | "lead", [_, distance, ..]) = (window.fun.name(), window.params.args.as_slice()) {
                    self.add(distance, Some(DataType::Int64));
                }
            }
            Expr::AggregateFunction(aggregate) => {
                if let ("percentile_cont" | "percentile_disc", arguments) =
                    (aggregate.func.name(), aggregate.params.args.as_slice())
                {
                    arguments.iter().for_each(|share| self.add(share, Some(DataType::Float64)));
                }
            }
            Expr::ScalarFunction(ScalarFunction { func, args }) => match (func.name(), args.as_slice()) {
                ("array_has", [array, element]) => {
                    let list = type_of(element, schema).map(|of| DataType::new_list(of, true));
                    self.add(array, list);
                    self.add(element, type_of(array, schema).and_then(|list| element_of(&list).cloned()));
                }
                ("coalesce" | "nullif" | "greatest" | "least" | "nvl", arguments) => {
                    self.alike(&arguments.iter().collect::<Vec<_>>(), schema);
                }
                // Places and lengths in texts, and digits.
                ("substr" | "substring" | "lpad" | "rpad", [_, numbers @ ..]) => {
                    numbers.iter().take(2).for_each(|number| self.add(number, Some(DataType::Int64)));
                }
                ("left" | "right" | "repeat" | "round" | "trunc", [_, number]) | ("split_part", [_, _, number]) => {
                    self.add(number, Some(DataType::Int64));
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// What stands beside an operator has the type of what stands on its other side, but for spans of time.
    fn operands(&mut self, left: &Expr, operator: Operator, right: &Expr, schema: &DFSchema) {
        for (open, other) in [(left, right), (right, left)] {
            let beside = type_of(other, schema);
            let known = match (operator, &beside) {
                (Operator::And | Operator::Or, _) => Some(DataType::Boolean),
                (Operator::Plus, Some(of)) if of.is_temporal() => Some(DataType::Interval(IntervalUnit::MonthDayNano)),
                (Operator::Multiply | Operator::Divide, Some(DataType::Interval(_))) => Some(DataType::Float64),
                _ if compares(operator) || operator.is_numerical_operators() => beside,
                _ => None,
            };
            self.add(open, known);
        }
    }

    /// All of `expressions` have the type of the first one that has any.
    fn alike(&mut self, expressions: &[&Expr], schema: &DFSchema) {
        let known = expressions.iter().find_map(|expression| type_of(expression, schema));
        expressions.iter().for_each(|expression| self.add(expression, known.clone()));
    }

    /// If `expression` is a parameter of no type, it has this one.
    fn add(&mut self, expression: &Expr, known: Option<DataType>) {
        if let (Expr::Placeholder(Placeholder { id, .. }), Some(known)) = (expression, known)
            && let Some(open @ None) = number(id).and_then(|place| self.types.get_mut(place))
        {
            *open = Some(plain(&known));
            self.found = true;
        }
    }
}

fn compares(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// The place of a parameter among all of them.
fn number(name: &str) -> Option<usize> {
    name.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)
}

fn type_of(expression: &Expr, schema: &DFSchema) -> Option<DataType> {
    expression.get_type(schema).ok().filter(|of| !of.is_null()).map(|of| plain(&of))
}

fn element_of(of: &DataType) -> Option<&DataType> {
    match of {
        DataType::List(element) | DataType::LargeList(element) | DataType::FixedSizeList(element, _) => {
            Some(Field::data_type(element))
        }
        _ => None,
    }
}

/// The type of the values, however they are stored.
fn plain(of: &DataType) -> DataType {
    match of {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::List(element) if *of != object_list() => DataType::new_list(plain(element.data_type()), true),
        DataType::Dictionary(_, values) => plain(values),
        DataType::RunEndEncoded(_, values) => plain(values.data_type()),
        other => other.clone(),
    }
}
