//! `pg_attribute`: columns.

use arrow::datatypes::Field;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion_postgres::pgwire::api::Type;
use postgres_types::Kind;
use skillscope_query::CatalogRows;

use super::super::functions::Asked;
use super::super::seen::Relation;
use crate::postgresql::values::type_of_field;

pub(super) fn fill(asked: &Asked, rows: &mut CatalogRows) -> Result<()> {
    for relation in asked.seen.relations()? {
        for (number, field) in (1_i16..).zip(relation.columns.fields()) {
            rows.push(row(relation, number, field))?;
        }
    }
    Ok(())
}

fn row(relation: &Relation, number: i16, field: &Field) -> Vec<(&'static str, ScalarValue)> {
    let of = type_of_field(field);
    let (length, is_by_value, alignment, storage) = layout(&of);
    let dimensions = i32::from(matches!(of.kind(), Kind::Array(_)));
    vec![
        ("attrelid", relation.number.into()),
        ("attname", field.name().as_str().into()),
        ("atttypid", i32::try_from(of.oid()).ok().into()),
        ("attstattarget", (-1_i32).into()),
        ("attlen", length.into()),
        ("attnum", number.into()),
        ("attndims", dimensions.into()),
        ("attcacheoff", (-1_i32).into()),
        ("atttypmod", (-1_i32).into()),
        ("attbyval", is_by_value.into()),
        ("attalign", alignment.into()),
        ("attstorage", storage.into()),
        ("attcompression", "".into()),
        ("attnotnull", (!field.is_nullable()).into()),
        ("atthasdef", false.into()),
        ("atthasmissing", false.into()),
        ("attidentity", "".into()),
        ("attgenerated", "".into()),
        ("attisdropped", false.into()),
        ("attislocal", true.into()),
        ("attinhcount", 0_i32.into()),
        ("attcollation", collation(&of).into()),
    ]
}

/// The collation of a type: the default one for texts.
fn collation(of: &Type) -> i32 {
    if *of == Type::TEXT { 100 } else { 0 }
}

/// How PostgreSQL lays a type out: its length, whether it fits a register, how it is aligned and how it is stored.
fn layout(of: &Type) -> (i16, bool, &'static str, &'static str) {
    match *of {
        Type::BOOL => (1, true, "c", "p"),
        Type::INT2 => (2, true, "s", "p"),
        Type::INT4 | Type::FLOAT4 | Type::DATE | Type::OID | Type::REGPROC | Type::REGTYPE => (4, true, "i", "p"),
        Type::INT8 | Type::FLOAT8 | Type::TIME | Type::TIMESTAMP | Type::TIMESTAMPTZ => (8, true, "d", "p"),
        Type::INTERVAL => (16, false, "d", "p"),
        Type::NUMERIC => (-1, false, "i", "m"),
        _ => (-1, false, "i", "x"),
    }
}
