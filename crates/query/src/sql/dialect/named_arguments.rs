//! Arguments of table functions that are given by name, such as `timeframe => 60`. DataFusion takes them by their places
//! alone.

use datafusion::common::{plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, ObjectName, ObjectNamePart, TableFactor, Value,
};

use crate::sql::functions::parameters_of;

/// Puts the arguments of one of our table functions into the places of its parameters. A parameter without an argument
/// before one that has some is null.
pub(super) fn rewrite(table: &mut TableFactor) -> Result<()> {
    match table {
        TableFactor::Table { name, args: Some(arguments), .. } => place(name, &mut arguments.args),
        TableFactor::Function { name, args, .. } => place(name, args),
        _ => Ok(()),
    }
}

fn place(function: &ObjectName, arguments: &mut Vec<FunctionArg>) -> Result<()> {
    if arguments.iter().all(|argument| matches!(argument, FunctionArg::Unnamed(_))) {
        return Ok(());
    }
    let Some(ObjectNamePart::Identifier(function)) = function.0.last() else { return Ok(()) };
    let function = function.value.to_lowercase();
    let Some(parameters) = parameters_of(&function) else { return Ok(()) };
    let mut places: Vec<Option<FunctionArgExpr>> = Vec::new();
    let mut has_names = false;
    for argument in std::mem::take(arguments) {
        let (name, value) = taken_apart(argument);
        let place = match &name {
            None if has_names => {
                return plan_err!("{function}: an argument without a name cannot follow one with a name");
            }
            None => places.len(),
            Some(name) => parameters.iter().position(|parameter| parameter == name).ok_or_else(|| {
                let known = parameters.join(", ");
                plan_datafusion_err!("{function} has no parameter {name}; its parameters are {known}")
            })?,
        };
        has_names |= name.is_some();
        if has_names {
            places.resize(places.len().max(place + 1), None);
        } else {
            places.push(None);
        }
        let Some(free) = places.get_mut(place).filter(|there| there.is_none()) else {
            let parameter = name.unwrap_or_default();
            return Err(plan_datafusion_err!("{function}: {parameter} is given twice; give it once"));
        };
        *free = Some(value);
    }
    let null = || FunctionArgExpr::Expr(Expr::Value(Value::Null.with_empty_span()));
    *arguments = places.into_iter().map(|value| FunctionArg::Unnamed(value.unwrap_or_else(null))).collect();
    Ok(())
}

/// The name of an argument, where it has one, and its value.
fn taken_apart(argument: FunctionArg) -> (Option<String>, FunctionArgExpr) {
    match argument {
        FunctionArg::Unnamed(value) => (None, value),
        FunctionArg::Named { name, arg, .. } => (Some(name.value.to_lowercase()), arg),
        FunctionArg::ExprNamed { name, arg, .. } => (Some(name.to_string().to_lowercase()), arg),
    }
}
