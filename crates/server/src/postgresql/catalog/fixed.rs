//! The rows of the catalog that are the same everywhere: PostgreSQL's own types, functions, operators and the like. They
//! are those of `datafusion-postgres`, which writes lists and functions as texts, and has some columns of a later version.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, ListBuilder, RecordBatch, StringArray, StringBuilder, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type};
use datafusion::error::{DataFusionError, Result};
use datafusion_postgres::arrow_pg::datatypes::PG_OID_ALIAS_KEY;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::{ArrowTable, PgCatalogStaticTables};
use parking_lot::Mutex;

use super::relations::CatalogRelation;

/// The tables that have such rows.
const TABLES: [&str; 20] = [
    "pg_aggregate",
    "pg_am",
    "pg_amop",
    "pg_amproc",
    "pg_cast",
    "pg_collation",
    "pg_conversion",
    "pg_description",
    "pg_language",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_proc",
    "pg_range",
    "pg_tablespace",
    "pg_ts_config",
    "pg_ts_dict",
    "pg_ts_parser",
    "pg_ts_template",
    "pg_type",
];

/// Columns that a later version of PostgreSQL calls otherwise.
const RENAMED: [(&str, &str); 1] = [("colliculocale", "colllocale")];

/// Whether a table has such rows.
pub(super) fn has(table: &str) -> bool {
    TABLES.contains(&table)
}

/// The rows of a table; `None` where it has no such ones.
pub(super) fn rows(relation: &CatalogRelation) -> Result<Option<RecordBatch>> {
    static MADE: LazyLock<Mutex<HashMap<&'static str, RecordBatch>>> = LazyLock::new(Mutex::default);
    let Some(name) = TABLES.iter().find(|name| **name == relation.name) else { return Ok(None) };
    if let Some(made) = MADE.lock().get(name) {
        return Ok(Some(made.clone()));
    }
    let Some(table) = table(name)? else { return Ok(None) };
    let mut columns = Vec::new();
    for field in relation.schema.fields() {
        columns.push(column(&table, field)?);
    }
    let made = RecordBatch::try_new(Arc::clone(&relation.schema), columns)?;
    MADE.lock().insert(name, made.clone());
    Ok(Some(made))
}

/// The numbers of PostgreSQL's functions by their names. Where several have one, it is one of them.
fn functions() -> Result<&'static HashMap<String, i32>> {
    static FUNCTIONS: LazyLock<std::result::Result<HashMap<String, i32>, String>> =
        LazyLock::new(|| numbered("pg_proc", "proname").map_err(|error| error.to_string()));
    FUNCTIONS.as_ref().map_err(|error| DataFusionError::Internal(error.clone()))
}

fn numbered(table_name: &str, named: &str) -> Result<HashMap<String, i32>> {
    let Some(table) = table(table_name)? else { return Ok(HashMap::new()) };
    let (Some(numbers), Some(names)) = (table.column_by_name("oid"), table.column_by_name(named)) else {
        return Ok(HashMap::new());
    };
    let names = cast(names, &DataType::Utf8)?;
    let (numbers, names) = (numbers.as_primitive::<Int32Type>().iter(), names.as_string::<i32>().iter());
    Ok(names.zip(numbers).filter_map(|(name, number)| Some((name?.to_owned(), number?))).collect())
}

/// The number of the row that has a name in a column.
pub(super) fn number_of(relation: &CatalogRelation, column: &str, name: &str) -> Result<Option<i64>> {
    let Some(rows) = rows(relation)? else { return Ok(None) };
    let (Some(numbers), Some(names)) = (rows.column_by_name("oid"), rows.column_by_name(column)) else {
        return Ok(None);
    };
    let found = names.as_string::<i32>().iter().position(|found| found == Some(name));
    Ok(found.map(|place| numbers.as_primitive::<Int32Type>().value(place).into()))
}

/// What the row of a number has in a column.
pub(super) fn name_of(relation: &CatalogRelation, column: &str, number: i64) -> Result<Option<String>> {
    let Some(rows) = rows(relation)? else { return Ok(None) };
    let (Some(numbers), Some(names)) = (rows.column_by_name("oid"), rows.column_by_name(column)) else {
        return Ok(None);
    };
    let found = numbers.as_primitive::<Int32Type>().iter().position(|found| found.map(i64::from) == Some(number));
    Ok(found.map(|place| names.as_string::<i32>().value(place).to_owned()))
}

/// A column in the type that PostgreSQL has for it. What the table lacks is null.
fn column(table: &RecordBatch, field: &Field) -> Result<ArrayRef> {
    let renamed = RENAMED.iter().find(|(name, _)| name == field.name()).map(|(_, other)| *other);
    let Some(found) = table.column_by_name(field.name()).or_else(|| table.column_by_name(renamed?)) else {
        return Ok(new_null_array(field.data_type(), table.num_rows()));
    };
    let is_text = matches!(found.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    match field.data_type() {
        DataType::Int32 if is_text && field.metadata().contains_key(PG_OID_ALIAS_KEY) => {
            let names = cast(found, &DataType::Utf8)?;
            let functions = functions()?;
            let number = |name: Option<&str>| name.map(|name| functions.get(bare(name)).copied().unwrap_or(0));
            Ok(Arc::new(names.as_string::<i32>().iter().map(number).collect::<Int32Array>()))
        }
        DataType::List(_) if is_text => Ok(cast(&lists(cast(found, &DataType::Utf8)?.as_string()), field.data_type())?),
        other => Ok(cast(found, other)?),
    }
}

/// The name of a function without its schema and its arguments.
fn bare(name: &str) -> &str {
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
    name.split_once('(').map_or(name, |(name, _)| name)
}

/// Lists that are written as `{1,2}` or `1 2`. Their elements have no commas and blanks in them.
fn lists(texts: &StringArray) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for text in texts {
        if let Some(text) = text {
            let inner = text.trim_matches(['{', '}']);
            let elements = inner.split([',', ' ']).filter(|_| !inner.is_empty());
            for element in elements {
                match element {
                    "NULL" => lists.values().append_null(),
                    element => lists.values().append_value(element.trim_matches('"')),
                }
            }
        }
        lists.append(text.is_some());
    }
    Arc::new(lists.finish())
}

/// The rows as `datafusion-postgres` has them.
fn table(name: &str) -> Result<Option<RecordBatch>> {
    let tables = tables()?;
    let table: &Arc<ArrowTable> = match name {
        "pg_aggregate" => &tables.pg_aggregate,
        "pg_am" => &tables.pg_am,
        "pg_amop" => &tables.pg_amop,
        "pg_amproc" => &tables.pg_amproc,
        "pg_cast" => &tables.pg_cast,
        "pg_collation" => &tables.pg_collation,
        "pg_conversion" => &tables.pg_conversion,
        "pg_description" => &tables.pg_description,
        "pg_language" => &tables.pg_language,
        "pg_opclass" => &tables.pg_opclass,
        "pg_operator" => &tables.pg_operator,
        "pg_opfamily" => &tables.pg_opfamily,
        "pg_proc" => &tables.pg_proc,
        "pg_range" => &tables.pg_range,
        "pg_tablespace" => &tables.pg_tablespace,
        "pg_ts_config" => &tables.pg_ts_config,
        "pg_ts_dict" => &tables.pg_ts_dict,
        "pg_ts_parser" => &tables.pg_ts_parser,
        "pg_ts_template" => &tables.pg_ts_template,
        "pg_type" => &tables.pg_type,
        KEYWORDS => &tables.pg_get_keywords,
        _ => return Ok(None),
    };
    Ok(Some(arrow::compute::concat_batches(&table.schema(), table.data())?))
}

/// The function that lists the words of the language.
pub(super) const KEYWORDS: &str = "pg_get_keywords";

/// The words of the language, as rows of that function.
pub(super) fn keywords() -> Result<Arc<ArrowTable>> {
    Ok(Arc::clone(&tables()?.pg_get_keywords))
}

fn tables() -> Result<&'static PgCatalogStaticTables> {
    static TABLES: LazyLock<std::result::Result<PgCatalogStaticTables, String>> =
        LazyLock::new(|| PgCatalogStaticTables::try_new().map_err(|error| error.to_string()));
    TABLES.as_ref().map_err(|error| DataFusionError::Internal(error.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_functions_are_what_they_are_in_postgresql() {
        for name in TABLES {
            let relation = CatalogRelation::named(name).unwrap();
            let rows = rows(relation).unwrap().unwrap();
            assert!(rows.num_rows() > 0, "{name}");
        }
        let types = rows(CatalogRelation::named("pg_type").unwrap()).unwrap().unwrap();
        let (numbers, input) = (types.column_by_name("oid").unwrap(), types.column_by_name("typinput").unwrap());
        let place = numbers.as_primitive::<Int32Type>().iter().position(|number| number == Some(1009)).unwrap();
        // `_text` is read by `array_in`.
        assert_eq!(input.as_primitive::<Int32Type>().value(place), 750);
        let written = lists(&StringArray::from(vec![Some("{25,NULL}"), Some("25 26"), Some(""), None]));
        let written: Vec<_> = written.as_list::<i32>().iter().map(|list| list.map(|list| list.len())).collect();
        assert_eq!(written, [Some(2), Some(2), Some(0), None]);
    }
}
