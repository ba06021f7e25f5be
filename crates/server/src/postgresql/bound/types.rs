//! Which type of Arrow stands for a type of PostgreSQL.

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion_postgres::pgwire::api::Type;
use postgres_types::Kind;

/// The zone in which instants are told.
pub(super) const ZONE: &str = "UTC";

/// The type that values of `of` have. `None` where they are taken as text, whatever they are.
///
/// Values themselves may have a narrower type: instants of whole milliseconds, and decimals of as many digits as they
/// have.
pub(in crate::postgresql) fn arrow_type(of: &Type) -> Option<DataType> {
    if let Kind::Array(element) = of.kind() {
        return Some(DataType::new_list(arrow_type(element).unwrap_or(DataType::Utf8), true));
    }
    Some(match *of {
        Type::BOOL => DataType::Boolean,
        Type::INT2 => DataType::Int16,
        Type::INT4 => DataType::Int32,
        Type::INT8 | Type::OID => DataType::Int64,
        Type::FLOAT4 => DataType::Float32,
        Type::FLOAT8 => DataType::Float64,
        Type::NUMERIC => DataType::Decimal128(38, 10),
        Type::DATE => DataType::Date32,
        Type::TIME => DataType::Time64(TimeUnit::Microsecond),
        Type::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some(ZONE.into())),
        Type::INTERVAL => DataType::Interval(IntervalUnit::MonthDayNano),
        Type::BYTEA => DataType::Binary,
        Type::TEXT
        | Type::VARCHAR
        | Type::BPCHAR
        | Type::NAME
        | Type::CHAR
        | Type::UUID
        | Type::JSON
        | Type::JSONB
        | Type::XML => DataType::Utf8,
        _ => return None,
    })
}

/// The name by which PostgreSQL tells of a type.
pub(super) fn name(of: &Type) -> &str {
    match *of {
        Type::BOOL => "boolean",
        Type::INT2 => "smallint",
        Type::INT4 => "integer",
        Type::INT8 => "bigint",
        Type::FLOAT4 => "real",
        Type::FLOAT8 => "double precision",
        Type::TIMESTAMP => "timestamp without time zone",
        Type::TIMESTAMPTZ => "timestamp with time zone",
        _ => of.name(),
    }
}
