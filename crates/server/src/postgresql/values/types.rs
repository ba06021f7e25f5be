//! Which of PostgreSQL's types stands for a type of Arrow.

use arrow::datatypes::{DataType, Field};
use datafusion_postgres::arrow_pg::datatypes::{PG_OID_ALIAS_KEY, is_pg_char_field, pg_type_for_alias_kind};
use datafusion_postgres::pgwire::api::Type;
use skillscope_query::object_list;

/// The type of a column. Columns of the catalog may say of themselves that they are numbers of objects or lists of them,
/// or single letters.
pub(in crate::postgresql) fn type_of_field(field: &Field) -> Type {
    let alias = field.metadata().get(PG_OID_ALIAS_KEY).and_then(|kind| match kind.as_str() {
        "_oid" => Some(Type::OID_ARRAY),
        "int2vector" => Some(Type::INT2_VECTOR),
        "oidvector" => Some(Type::OID_VECTOR),
        kind => pg_type_for_alias_kind(kind),
    });
    match alias {
        Some(alias) => alias,
        None if is_pg_char_field(field) => Type::CHAR,
        None => type_of(field.data_type()),
    }
}

/// The type whose values have room for those of `of`. What PostgreSQL has nothing like is text.
pub(in crate::postgresql) fn type_of(of: &DataType) -> Type {
    match of {
        DataType::Boolean => Type::BOOL,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => Type::INT2,
        DataType::Int32 | DataType::UInt16 => Type::INT4,
        DataType::Int64 | DataType::UInt32 => Type::INT8,
        DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => Type::NUMERIC,
        DataType::Float16 | DataType::Float32 => Type::FLOAT4,
        DataType::Float64 => Type::FLOAT8,
        DataType::Timestamp(_, Some(_)) => Type::TIMESTAMPTZ,
        DataType::Timestamp(_, None) => Type::TIMESTAMP,
        DataType::Time32(_) | DataType::Time64(_) => Type::TIME,
        DataType::Date32 | DataType::Date64 => Type::DATE,
        DataType::Interval(_) | DataType::Duration(_) => Type::INTERVAL,
        DataType::Binary | DataType::FixedSizeBinary(_) | DataType::LargeBinary | DataType::BinaryView => Type::BYTEA,
        objects if *objects == object_list() => Type::OID_ARRAY,
        DataType::List(element)
        | DataType::FixedSizeList(element, _)
        | DataType::LargeList(element)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => array_of(element.data_type()),
        DataType::Dictionary(_, values) => type_of(values),
        DataType::RunEndEncoded(_, values) => type_of(values.data_type()),
        DataType::Struct(_) => Type::RECORD,
        DataType::Null
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Map(..)
        | DataType::Union(..) => Type::TEXT,
    }
}

/// Arrays of arrays have the type of arrays: the number of dimensions is each value's own.
fn array_of(element: &DataType) -> Type {
    match type_of(element) {
        Type::BOOL => Type::BOOL_ARRAY,
        Type::INT2 => Type::INT2_ARRAY,
        Type::INT4 => Type::INT4_ARRAY,
        Type::INT8 => Type::INT8_ARRAY,
        Type::NUMERIC => Type::NUMERIC_ARRAY,
        Type::FLOAT4 => Type::FLOAT4_ARRAY,
        Type::FLOAT8 => Type::FLOAT8_ARRAY,
        Type::TIMESTAMPTZ => Type::TIMESTAMPTZ_ARRAY,
        Type::TIMESTAMP => Type::TIMESTAMP_ARRAY,
        Type::TIME => Type::TIME_ARRAY,
        Type::DATE => Type::DATE_ARRAY,
        Type::INTERVAL => Type::INTERVAL_ARRAY,
        Type::BYTEA => Type::BYTEA_ARRAY,
        Type::RECORD => Type::RECORD_ARRAY,
        Type::TEXT => Type::TEXT_ARRAY,
        array => array,
    }
}
