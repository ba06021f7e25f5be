//! Statements that would define what there is.

use std::collections::HashMap;
use std::sync::LazyLock;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Int16Type, Int32Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};

use super::super::fixed;
use super::super::numbers;
use super::super::our_functions::{OUR_FUNCTIONS, OurFunction};
use super::super::relations::CatalogRelation;
use super::super::roles::roles;
use super::Asked;
use super::call::{Answer, CatalogFunction, Returns, Row};
use super::types::{format_type, type_names};

pub(super) const ALL: &[CatalogFunction] = &[
    CatalogFunction::new(&["pg_get_viewdef"], 1..=2, Returns::Text, |asked, row| {
        let found = match row.number(0) {
            Some(number) => asked.seen.relation(number)?,
            None => {
                let name = row.text(0).unwrap_or_default();
                let found = asked.seen.relation_named(name)?;
                Some(found.ok_or_else(|| exec_datafusion_err!("relation \"{name}\" does not exist"))?)
            }
        };
        Ok(found.and_then(|relation| relation.definition.clone()).map(Answer::Text))
    }),
    CatalogFunction::new(&["pg_get_functiondef"], 1..=1, Returns::Text, |_, row| {
        let number = row.number(0);
        if let Some(function) = ours(number) {
            return Ok(Answer::text(function.definition()));
        }
        let Some(function) = number.map(of_postgresql).transpose()?.flatten() else { return Ok(None) };
        Ok(Answer::text(format!(
            "CREATE OR REPLACE FUNCTION pg_catalog.{}({})\n RETURNS {}\n LANGUAGE internal\nAS $function${}$function$\n",
            function.name, function.arguments, function.result, function.name
        )))
    }),
    CatalogFunction::new(&["pg_get_function_arguments"], 1..=1, Returns::Text, |_, row| {
        told(row, |function| function.arguments.to_owned(), |function| function.arguments.clone())
    }),
    CatalogFunction::new(&["pg_get_function_identity_arguments"], 1..=1, Returns::Text, |_, row| {
        told(row, OurFunction::identity, |function| function.arguments.clone())
    }),
    CatalogFunction::new(&["pg_get_function_result"], 1..=1, Returns::Text, |_, row| {
        told(row, |function| function.result.to_owned(), |function| function.result.clone())
    }),
    // The first argument is the expression already.
    CatalogFunction::new(&["pg_get_expr"], 2..=3, Returns::Text, |_, row| Ok(row.text(0).and_then(Answer::text))),
    CatalogFunction::new(&["pg_get_userbyid"], 1..=1, Returns::Text, |asked, row| {
        let Some(number) = row.number(0) else { return Ok(None) };
        let found = roles(&asked.session).into_iter().find(|role| i64::from(role.number) == number);
        Ok(Answer::text(found.map_or_else(|| format!("unknown (OID={number})"), |role| role.name)))
    }),
    // There are no indexes, keys, triggers, rules, partitions, sequences and defaults.
    CatalogFunction::new(
        &[
            "pg_get_constraintdef",
            "pg_get_function_arg_default",
            "pg_get_function_sqlbody",
            "pg_get_indexdef",
            "pg_get_partition_constraintdef",
            "pg_get_partkeydef",
            "pg_get_ruledef",
            "pg_get_serial_sequence",
            "pg_get_statisticsobjdef",
            "pg_get_statisticsobjdef_columns",
            "pg_get_statisticsobjdef_expressions",
            "pg_get_triggerdef",
            "pg_get_replica_identity_index",
            "pg_get_publication_tables",
            "pg_describe_object",
            "pg_sequence_last_value",
            "pg_partition_root",
        ],
        1..=3,
        Returns::Text,
        |_, _| Ok(None),
    ),
    CatalogFunction::new(
        &["pg_index_column_has_property", "pg_index_has_property", "pg_indexam_has_property"],
        2..=3,
        Returns::Flag,
        |_, _| Ok(None),
    ),
    CatalogFunction::new(&["pg_relation_is_publishable"], 1..=1, Returns::Flag, |_, _| Ok(Some(Answer::Flag(false)))),
];

fn ours(number: Option<i64>) -> Option<&'static OurFunction> {
    OUR_FUNCTIONS.iter().find(|function| Some(i64::from(numbers::of_function(function.name))) == number)
}

/// What is told of the function whose number is the first argument.
fn told(
    row: &Row<'_>,
    of_ours: impl Fn(&OurFunction) -> String,
    of_others: impl Fn(&Function) -> String,
) -> Result<Option<Answer>> {
    let number = row.number(0);
    if let Some(function) = ours(number) {
        return Ok(Answer::text(of_ours(function)));
    }
    let found = number.map(of_postgresql).transpose()?.flatten();
    Ok(found.map(|function| Answer::Text(of_others(function))))
}

/// A function of PostgreSQL.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) arguments: String,
    pub(super) result: String,
}

/// The function of PostgreSQL of a number.
pub(super) fn of_postgresql(number: i64) -> Result<Option<&'static Function>> {
    Ok(functions()?.get(&number))
}

/// PostgreSQL's functions by their numbers.
pub(super) fn functions() -> Result<&'static HashMap<i64, Function>> {
    static FUNCTIONS: LazyLock<std::result::Result<HashMap<i64, Function>, String>> =
        LazyLock::new(|| read().map_err(|error| error.to_string()));
    FUNCTIONS.as_ref().map_err(|error| DataFusionError::Internal(error.clone()))
}

fn read() -> Result<HashMap<i64, Function>> {
    let Some(rows) = CatalogRelation::named("pg_proc").map(fixed::rows).transpose()?.flatten() else {
        return Ok(HashMap::new());
    };
    let column = |name: &str| {
        rows.column_by_name(name).ok_or_else(|| exec_datafusion_err!("the catalog has no column {name}")).cloned()
    };
    let (numbers, names, results) = (column("oid")?, column("proname")?, column("prorettype")?);
    let (sets, arguments, argument_names) = (column("proretset")?, column("proargtypes")?, column("proargnames")?);
    let (defaults, all, modes) = (column("pronargdefaults")?, column("proallargtypes")?, column("proargmodes")?);
    let mut functions = HashMap::new();
    for place in 0..rows.num_rows() {
        let defaults = defaults.as_primitive::<Int16Type>().value(place);
        let is_plain = all.as_list::<i32>().is_null(place) || modes.is_null(place);
        let types = list(&arguments, place, |types| {
            types.as_primitive::<Int32Type>().iter().flatten().map(i64::from).collect::<Vec<_>>()
        });
        let given = list(&argument_names, place, |names| {
            names.as_string::<i32>().iter().map(|name| name.unwrap_or_default().to_owned()).collect::<Vec<_>>()
        });
        let name_of = |number: usize| given.get(number).filter(|name| is_plain && !name.is_empty());
        let first_default = types.len().saturating_sub(usize::try_from(defaults).unwrap_or(0));
        let arguments = types.iter().enumerate().map(|(number, of)| {
            let name = name_of(number).map(|name| format!("{name} ")).unwrap_or_default();
            let default = if number >= first_default && is_plain { " DEFAULT NULL" } else { "" };
            format!("{name}{}{default}", format_type(*of, None))
        });
        let arguments = arguments.collect::<Vec<_>>().join(", ");
        let set = if sets.as_boolean().value(place) { "SETOF " } else { "" };
        let result = format!("{set}{}", format_type(results.as_primitive::<Int32Type>().value(place).into(), None));
        let name = names.as_string::<i32>().value(place).to_owned();
        functions.insert(numbers.as_primitive::<Int32Type>().value(place).into(), Function { name, arguments, result });
    }
    // Types are named by the same table, which is read by now.
    let _ = type_names()?;
    Ok(functions)
}

/// What a list has in a row; nothing where there is none.
fn list<T: Default>(lists: &ArrayRef, place: usize, read: impl Fn(&ArrayRef) -> T) -> T {
    let lists = lists.as_list::<i32>();
    if lists.is_valid(place) { read(&lists.value(place)) } else { T::default() }
}

/// The name of the function of a number, with its arguments if they are asked for.
pub(super) fn function_name(number: i64, with_arguments: bool) -> Result<Option<String>> {
    let (name, arguments) = match (ours(Some(number)), of_postgresql(number)?) {
        (Some(function), _) => (function.name, function.identity()),
        (None, Some(function)) => (function.name.as_str(), function.arguments.clone()),
        (None, None) => return Ok(None),
    };
    let types = || arguments.split(", ").map(|argument| argument.replace(" DEFAULT NULL", "")).collect::<Vec<_>>();
    Ok(Some(if with_arguments { format!("{name}({})", types().join(",")) } else { name.to_owned() }))
}

/// The number of the function of a name; `None` where there is none.
pub(super) fn function_number(_: &Asked, name: &str) -> Result<Option<i64>> {
    let name = name.split_once('(').map_or(name, |(name, _)| name);
    let name = super::super::seen::parts(name).pop().unwrap_or_default();
    if let Some(ours) = OUR_FUNCTIONS.iter().find(|function| function.name == name) {
        return Ok(Some(numbers::of_function(ours.name).into()));
    }
    // Where several have one name, the first of them.
    Ok(functions()?.iter().filter(|(_, function)| function.name == name).map(|(number, _)| *number).min())
}
