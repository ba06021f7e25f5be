//! The views of `information_schema` and their columns, as PostgreSQL has them; and at the end of two of them comments, as
//! DuckDB has them there.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

/// A line for each view: its name, and its columns in their order. A column is a text unless its type follows its name.
const TABLE: &str = include_str!("relations.txt");

/// A view of `information_schema`.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) name: &'static str,
    pub(super) schema: SchemaRef,
}

impl Relation {
    pub(super) fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Relation>> = LazyLock::new(|| TABLE.lines().filter_map(relation).collect());
        &ALL
    }

    pub(super) fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|relation| relation.name == name)
    }
}

fn relation(line: &'static str) -> Option<Relation> {
    let (name, columns) = line.split_once(": ")?;
    let columns = columns.split(", ").map(|column| match column.split_once(' ') {
        Some((name, _)) => Field::new(name, DataType::Int32, true),
        None => Field::new(column, DataType::Utf8, true),
    });
    Some(Relation { name, schema: Arc::new(Schema::new(columns.collect::<Vec<_>>())) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_the_table_is_a_view() {
        assert_eq!(Relation::all().len(), TABLE.lines().count());
        let columns = &Relation::named("columns").unwrap().schema;
        assert_eq!(columns.index_of("ordinal_position").unwrap(), 4);
        assert_eq!(columns.field(4).data_type(), &DataType::Int32);
        assert_eq!(columns.field(27).name(), "udt_name");
        assert!(Relation::named("table").is_none());
    }
}
