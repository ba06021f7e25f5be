//! Types that parameters have by where they stand.

use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{Case, Cast, Placeholder, ScalarFunction, TryCast};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

/// Adds the types that DataFusion has found.
pub(super) fn by_engine(plan: &LogicalPlan, types: &mut [Option<DataType>]) -> Result<()> {
    for (name, known) in plan.get_parameter_types()? {
        if let (Some(place), Some(known)) = (number(&name), known)
            && let Some(open @ None) = types.get_mut(place)
        {
            *open = Some(plain(&known));
        }
    }
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
            Expr::ScalarFunction(ScalarFunction { func, args }) => match (func.name(), args.as_slice()) {
                ("array_has", [array, element]) => {
                    let list = type_of(element, schema).map(|of| DataType::new_list(of, true));
                    self.add(array, list);
                    self.add(element, type_of(array, schema).and_then(|list| element_of(&list).cloned()));
                }
                ("coalesce" | "nullif" | "greatest" | "least" | "nvl", arguments) => {
                    self.alike(&arguments.iter().collect::<Vec<_>>(), schema);
                }
                _ => {}
            },
            _ => {}
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
        DataType::List(element) => DataType::new_list(plain(element.data_type()), true),
        DataType::Dictionary(_, values) => plain(values),
        DataType::RunEndEncoded(_, values) => plain(values.data_type()),
        other => other.clone(),
    }
}
