//! The tables and views of PostgreSQL's catalog and their columns, as PostgreSQL 16 has them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion_postgres::arrow_pg::datatypes::PG_OID_ALIAS_KEY;

/// A line for each: its name, its number, its kind, and its columns with their types.
const TABLE: &str = include_str!("relations.txt");

/// The types of numbers of functions, and of other objects.
const FUNCTION: &str = "regproc";
const OBJECT: &str = "oid";

/// A table or view of PostgreSQL's catalog.
#[derive(Debug)]
pub(super) struct CatalogRelation {
    pub(super) name: &'static str,
    pub(super) number: i32,
    /// `r` for a table, `v` for a view.
    pub(super) kind: &'static str,
    pub(super) schema: SchemaRef,
}

impl CatalogRelation {
    pub(super) fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<CatalogRelation>> = LazyLock::new(|| TABLE.lines().filter_map(relation).collect());
        &ALL
    }

    pub(super) fn named(name: &str) -> Option<&'static Self> {
        static PLACES: LazyLock<HashMap<&str, &CatalogRelation>> =
            LazyLock::new(|| CatalogRelation::all().iter().map(|relation| (relation.name, relation)).collect());
        PLACES.get(name).copied()
    }

    /// The names of columns that are numbers of functions. No other columns have them.
    pub(super) fn functions() -> &'static HashSet<&'static str> {
        static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| columns_of(FUNCTION));
        &NAMES
    }

    /// The names of columns that are numbers of objects.
    pub(super) fn objects() -> &'static HashSet<&'static str> {
        static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| columns_of(OBJECT));
        &NAMES
    }
}

fn columns_of(kind: &str) -> HashSet<&'static str> {
    let fields = CatalogRelation::all().iter().flat_map(|relation| relation.schema.fields());
    let is_of_kind = |field: &&Arc<Field>| field.metadata().get(PG_OID_ALIAS_KEY).is_some_and(|of| of == kind);
    fields.filter(is_of_kind).map(|field| field.name().as_str()).collect()
}

fn relation(line: &'static str) -> Option<CatalogRelation> {
    let (head, columns) = line.split_once(": ")?;
    let mut head = head.split(' ');
    let (name, number, kind) = (head.next()?, head.next()?.parse().ok()?, head.next()?);
    let columns = columns.split(", ").filter_map(|column| column.split_once(' ').map(|(name, of)| field(name, of)));
    Some(CatalogRelation { name, number, kind, schema: Arc::new(Schema::new(columns.collect::<Vec<_>>())) })
}

/// A column of a type of PostgreSQL. Numbers of objects and lists of them say so of themselves, and are told as such.
fn field(name: &str, of: &str) -> Field {
    let field = Field::new(name, data_type(of), true);
    match of {
        OBJECT | "_oid" | FUNCTION | "regtype" | "int2vector" | "oidvector" => {
            field.with_metadata(HashMap::from([(PG_OID_ALIAS_KEY.to_owned(), of.to_owned())]))
        }
        _ => field,
    }
}

fn data_type(of: &str) -> DataType {
    match of {
        OBJECT | FUNCTION | "regtype" | "int4" => DataType::Int32,
        "bool" => DataType::Boolean,
        "int2" => DataType::Int16,
        "int8" => DataType::Int64,
        "float4" => DataType::Float32,
        "float8" => DataType::Float64,
        "timestamptz" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "bytea" => DataType::Binary,
        "int2vector" => DataType::new_list(DataType::Int16, true),
        "oidvector" => DataType::new_list(DataType::Int32, true),
        array if array.starts_with('_') => DataType::new_list(data_type(array.trim_start_matches('_')), true),
        // Names, letters, trees of expressions and whatever else is a text.
        _ => DataType::Utf8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_the_table_is_a_relation() {
        assert_eq!(CatalogRelation::all().len(), TABLE.lines().count());
        let index = CatalogRelation::named("pg_index").unwrap();
        assert_eq!((index.number, index.kind), (2610, "r"));
        let keys = index.schema.field_with_name("indkey").unwrap();
        assert_eq!(keys.data_type(), &DataType::new_list(DataType::Int16, true));
        assert_eq!(keys.metadata()[PG_OID_ALIAS_KEY], "int2vector");
        assert!(CatalogRelation::named("pg_nothing").is_none());
        let columns = CatalogRelation::all().iter().map(|relation| relation.schema.fields().len());
        assert_eq!(columns.sum::<usize>(), TABLE.matches(", ").count() + TABLE.lines().count());
    }
}
