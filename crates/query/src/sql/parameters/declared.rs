//! Parameters whose types are told. DataFusion declares them only all together and in the words of SQL, which has no
//! words for some of Arrow's types, so that each stands in a cast to a type that only its number names.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::parser::Statement as SqlStatement;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType as SqlType, Expr, Ident, ObjectName, Statement, Value, visit_expressions, visit_expressions_mut,
};

/// The name of the types that are numbered.
const OF_PARAMETER: &str = "type of parameter";

/// The number of the last parameter of a statement; 0 where it has none.
pub(super) fn last_parameter(statement: &SqlStatement) -> usize {
    let Some(statement) = inner(statement) else { return 0 };
    let mut last = 0;
    let _ = visit_expressions(statement, |expression| {
        last = last.max(number(expression).unwrap_or(0));
        ControlFlow::<()>::Continue(())
    });
    last
}

/// Plans a statement whose parameters have these types, as far as there are any.
pub(super) async fn plan(
    state: &SessionState,
    statement: &SqlStatement,
    types: &[Option<DataType>],
) -> Result<LogicalPlan> {
    let mut statement = statement.clone();
    if let Some(statement) = inner_mut(&mut statement) {
        let _ = visit_expressions_mut(statement, |expression| {
            if let Some(number) = number(expression).filter(|number| matches!(types.get(number - 1), Some(Some(_)))) {
                *expression = in_cast(expression.clone(), number);
            }
            ControlFlow::<()>::Continue(())
        });
    }
    let mut state = SessionStateBuilder::new_from_existing(state.clone());
    let others = state.type_planner().take();
    let state = state.with_type_planner(Arc::new(ParameterTypes { types: types.to_vec(), others })).build();
    state.statement_to_plan(statement).await
}

fn in_cast(parameter: Expr, number: usize) -> Expr {
    let name = ObjectName::from(vec![Ident::with_quote('"', OF_PARAMETER)]);
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(parameter),
        data_type: SqlType::Custom(name, vec![number.to_string()]),
        array: false,
        format: None,
    }
}

/// The number of the parameter that an expression is.
pub(super) fn number(expression: &Expr) -> Option<usize> {
    let Expr::Value(value) = expression else { return None };
    let Value::Placeholder(name) = &value.value else { return None };
    name.strip_prefix('$')?.parse().ok().filter(|number| *number > 0)
}

/// The statement itself, without `EXPLAIN`.
pub(super) fn inner(statement: &SqlStatement) -> Option<&Statement> {
    match statement {
        SqlStatement::Statement(statement) => Some(statement),
        SqlStatement::Explain(explain) => inner(&explain.statement),
        _ => None,
    }
}

fn inner_mut(statement: &mut SqlStatement) -> Option<&mut Statement> {
    match statement {
        SqlStatement::Statement(statement) => Some(statement),
        SqlStatement::Explain(explain) => inner_mut(&mut explain.statement),
        _ => None,
    }
}

/// Knows the types of parameters beside what the session knows.
#[derive(Debug)]
struct ParameterTypes {
    types: Vec<Option<DataType>>,
    others: Option<Arc<dyn TypePlanner>>,
}

impl TypePlanner for ParameterTypes {
    fn plan_type_field(&self, sql: &SqlType) -> Result<Option<FieldRef>> {
        if let SqlType::Custom(name, numbers) = sql
            && let [part] = name.0.as_slice()
            && part.as_ident().is_some_and(|ident| ident.value == OF_PARAMETER)
            && let [number] = numbers.as_slice()
        {
            let number: Option<usize> = number.parse().ok();
            let known = number.and_then(|number| self.types.get(number.checked_sub(1)?)?.clone());
            return Ok(known.map(|known| Arc::new(Field::new("", known, true))));
        }
        match &self.others {
            Some(others) => others.plan_type_field(sql),
            None => Ok(None),
        }
    }
}
