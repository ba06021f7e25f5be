//! Names of objects to their numbers, and back: what PostgreSQL's types `regclass`, `regtype` and the like do. Statements
//! that cast to one of them are rewritten to call these.

use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;

use super::super::fixed;
use super::super::numbers;
use super::super::relations::CatalogRelation;
use super::super::roles::roles;
use super::super::seen::{parts, quoted};
use super::Asked;
use super::call::{Answer, CatalogFunction, Returns};
use super::definitions::{function_name, function_number};
use super::types::{format_type, type_names, type_number};

/// The number of an object: its kind, and a name or a number. A name that is not there is an error.
pub(in crate::postgresql::catalog) const NUMBER_OF_OBJECT: &str = "pg_object_number";

/// The name of an object: its kind, and a name or a number.
pub(in crate::postgresql::catalog) const NAME_OF_OBJECT: &str = "pg_object_name";

pub(super) const ALL: &[CatalogFunction] = &[
    CatalogFunction::new(&[NUMBER_OF_OBJECT], 2..=2, Returns::Object, |asked, row| {
        let (kind, name) = (row.text(0).unwrap_or_default(), row.text(1).unwrap_or_default());
        if let Some(number) = row.number(1) {
            return Ok(Some(Answer::Number(number)));
        }
        let found = number(asked, kind, name)?;
        let missing = || exec_datafusion_err!("{} \"{name}\" does not exist", what(kind));
        found.map(Answer::Number).map(Some).ok_or_else(missing)
    }),
    CatalogFunction::new(&[NAME_OF_OBJECT], 2..=2, Returns::Text, |asked, row| {
        let (kind, given) = (row.text(0).unwrap_or_default(), row.text(1).unwrap_or_default());
        let number = match row.number(1) {
            Some(number) => number,
            None => {
                let missing = || exec_datafusion_err!("{} \"{given}\" does not exist", what(kind));
                number(asked, kind, given)?.ok_or_else(missing)?
            }
        };
        Ok(Answer::text(match number {
            0 => "-".to_owned(),
            number => name(asked, kind, number)?.unwrap_or_else(|| number.to_string()),
        }))
    }),
    CatalogFunction::new(&["to_regclass"], 1..=1, Returns::Object, |asked, row| found(asked, "regclass", row.text(0))),
    CatalogFunction::new(&["to_regtype"], 1..=1, Returns::Object, |asked, row| found(asked, "regtype", row.text(0))),
    CatalogFunction::new(&["to_regproc", "to_regprocedure"], 1..=1, Returns::Object, |asked, row| {
        found(asked, "regproc", row.text(0))
    }),
    CatalogFunction::new(&["to_regnamespace"], 1..=1, Returns::Object, |asked, row| {
        found(asked, "regnamespace", row.text(0))
    }),
    CatalogFunction::new(&["to_regrole"], 1..=1, Returns::Object, |asked, row| found(asked, "regrole", row.text(0))),
    CatalogFunction::new(&["to_regcollation"], 1..=1, Returns::Object, |asked, row| {
        found(asked, "regcollation", row.text(0))
    }),
    CatalogFunction::new(&["to_regoper", "to_regoperator"], 1..=1, Returns::Object, |_, _| Ok(None)),
];

fn found(asked: &Asked, kind: &str, name: Option<&str>) -> Result<Option<Answer>> {
    let Some(name) = name else { return Ok(None) };
    Ok(number(asked, kind, name)?.map(Answer::Number))
}

/// What PostgreSQL calls an object of a kind.
fn what(kind: &str) -> &'static str {
    match kind {
        "regclass" => "relation",
        "regtype" => "type",
        "regnamespace" => "schema",
        "regrole" => "role",
        "regproc" | "regprocedure" => "function",
        "regcollation" => "collation",
        _ => "object",
    }
}

/// The number of the object of a kind and a name; `None` where there is none.
fn number(asked: &Asked, kind: &str, name: &str) -> Result<Option<i64>> {
    if name == "-" {
        return Ok(Some(0));
    }
    match kind {
        "regclass" => Ok(asked.seen.relation_named(name)?.map(|relation| relation.number.into())),
        "regtype" => type_number(name),
        "regproc" | "regprocedure" => function_number(asked, name),
        "regnamespace" => {
            let name = parts(name).pop().unwrap_or_default();
            Ok(asked.seen.schemas().contains(&name.as_str()).then(|| numbers::of_schema(&name).into()))
        }
        "regrole" => {
            let name = parts(name).pop().unwrap_or_default();
            let found = roles(&asked.session).into_iter().find(|role| role.name == name);
            Ok(found.map(|role| role.number.into()))
        }
        "regcollation" => named("pg_collation", "collname", &parts(name).pop().unwrap_or_default()),
        "regconfig" => named("pg_ts_config", "cfgname", &parts(name).pop().unwrap_or_default()),
        "regdictionary" => named("pg_ts_dict", "dictname", &parts(name).pop().unwrap_or_default()),
        "regoper" | "regoperator" => {
            let name = name.split_once('(').map_or(name, |(name, _)| name);
            named("pg_operator", "oprname", name.trim_start_matches("pg_catalog."))
        }
        _ => Ok(None),
    }
}

/// The name of the object of a kind and a number; `None` where there is none.
fn name(asked: &Asked, kind: &str, number: i64) -> Result<Option<String>> {
    match kind {
        "regclass" => Ok(asked.seen.relation(number)?.map(super::super::seen::Relation::shown)),
        "regtype" => Ok(type_names()?.contains_key(&number).then(|| format_type(number, None))),
        "regproc" => function_name(number, false),
        "regprocedure" => function_name(number, true),
        "regnamespace" => {
            let found = asked.seen.schemas().into_iter().find(|name| i64::from(numbers::of_schema(name)) == number);
            Ok(found.map(quoted))
        }
        "regrole" => {
            let found = roles(&asked.session).into_iter().find(|role| i64::from(role.number) == number);
            Ok(found.map(|role| quoted(&role.name)))
        }
        "regcollation" => numbered("pg_collation", "collname", number),
        "regconfig" => numbered("pg_ts_config", "cfgname", number),
        "regdictionary" => numbered("pg_ts_dict", "dictname", number),
        "regoper" | "regoperator" => numbered("pg_operator", "oprname", number),
        _ => Ok(None),
    }
}

fn named(table: &str, column: &str, name: &str) -> Result<Option<i64>> {
    let Some(relation) = CatalogRelation::named(table) else { return Ok(None) };
    fixed::number_of(relation, column, name)
}

fn numbered(table: &str, column: &str, number: i64) -> Result<Option<String>> {
    let Some(relation) = CatalogRelation::named(table) else { return Ok(None) };
    fixed::name_of(relation, column, number)
}
