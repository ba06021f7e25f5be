//! Types that have another name in DataFusion, or none.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, DataType as SqlType, ExactNumberInfo, ObjectName, ObjectNamePart,
};

/// The schemas whose types PostgreSQL knows without their schema, too, and those of its `information_schema`.
const SCHEMAS: [&str; 2] = ["pg_catalog", "information_schema"];

/// The type of numbers of objects.
const OBJECT: &str = "oid";

/// `float` is `double precision`, and `float(n)` the smallest type that has `n` binary digits. Numbers of PostgreSQL's
/// objects are `integer`, and its kinds of text are `text`.
#[derive(Debug)]
pub(in crate::sql) struct Types;

impl TypePlanner for Types {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        let data_type = match sql_type {
            SqlType::Float(digits) => float(sql_type, digits)?,
            SqlType::Regclass => DataType::Int32,
            SqlType::Array(ArrayElemTypeDef::SquareBracket(element, None)) if is_object(element) => object_list(),
            SqlType::Custom(name, modifiers) if modifiers.is_empty() => match named(name) {
                Some(data_type) => data_type,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(Arc::new(Field::new("", data_type, true))))
    }
}

/// A list of numbers of PostgreSQL's objects, which its clients call `oid[]`. The name of its elements tells it from other
/// lists of numbers.
pub fn object_list() -> DataType {
    DataType::List(Arc::new(Field::new(OBJECT, DataType::Int32, true)))
}

fn is_object(sql_type: &SqlType) -> bool {
    let SqlType::Custom(name, _) = sql_type else { return false };
    named(name).is_some() && name.0.last().and_then(ObjectNamePart::as_ident).is_some_and(|last| last.value == OBJECT)
}

fn float(sql_type: &SqlType, digits: &ExactNumberInfo) -> Result<DataType> {
    match digits {
        ExactNumberInfo::None => Ok(DataType::Float64),
        ExactNumberInfo::Precision(1..=24) => Ok(DataType::Float32),
        ExactNumberInfo::Precision(25..=53) => Ok(DataType::Float64),
        _ => plan_err!("{sql_type}: float has 1 to 53 binary digits; write float, or numeric for decimal ones"),
    }
}

/// The type of a name that is no word of the language.
fn named(name: &ObjectName) -> Option<DataType> {
    let mut parts = name.0.iter().rev().filter_map(ObjectNamePart::as_ident);
    let name = parts.next()?.value.to_lowercase();
    let is_known = parts.next().is_none_or(|schema| SCHEMAS.contains(&schema.value.to_lowercase().as_str()));
    if !is_known || parts.next().is_some() {
        return None;
    }
    Some(match name.as_str() {
        OBJECT | "regclass" | "regtype" | "regproc" | "regprocedure" | "regnamespace" | "regrole" | "regoper"
        | "regoperator" | "regcollation" | "regconfig" | "regdictionary" | "int4" | "int" | "integer"
        | "cardinal_number" => DataType::Int32,
        "bool" | "boolean" => DataType::Boolean,
        "int2" | "smallint" => DataType::Int16,
        "int8" | "bigint" => DataType::Int64,
        "float4" | "real" => DataType::Float32,
        "float8" => DataType::Float64,
        "bytea" => DataType::Binary,
        "int2vector" => DataType::new_list(DataType::Int16, true),
        "oidvector" => DataType::new_list(DataType::Int32, true),
        "text" | "varchar" | "bpchar" | "char" | "name" | "xid" | "xid8" | "cid" | "tid" | "pg_lsn"
        | "pg_node_tree" | "aclitem" | "citext" | "inet" | "cidr" | "macaddr" | "refcursor" | "cstring"
        | "sql_identifier" | "character_data" | "yes_or_no" => DataType::Utf8,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    #[test]
    fn types_of_postgresql_have_names_with_and_without_its_schema() {
        for (name, expected) in [
            ("float", Some(DataType::Float64)),
            ("float(24)", Some(DataType::Float32)),
            ("regclass", Some(DataType::Int32)),
            ("pg_catalog.regtype", Some(DataType::Int32)),
            ("pg_catalog.int8", Some(DataType::Int64)),
            ("\"char\"", Some(DataType::Utf8)),
            ("pg_catalog.\"char\"", Some(DataType::Utf8)),
            ("information_schema.sql_identifier", Some(DataType::Utf8)),
            ("int2vector", Some(DataType::new_list(DataType::Int16, true))),
            ("oid[]", Some(object_list())),
            ("pg_catalog.oid[]", Some(object_list())),
            ("int4[]", None),
            ("bigint", None),
            ("public.name", None),
            ("vector", None),
        ] {
            let read = Parser::new(&PostgreSqlDialect {}).try_with_sql(name).unwrap().parse_data_type().unwrap();
            let planned = Types.plan_type_field(&read).unwrap().map(|field| field.data_type().clone());
            assert_eq!(planned, expected, "{name}");
        }
    }
}
