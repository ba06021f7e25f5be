//! The types of SQL, as drivers of JDBC and ODBC list them.

use std::sync::LazyLock;

use arrow_flight::sql::metadata::{XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder};
use arrow_flight::sql::{Nullable, Searchable, XdbcDataType, XdbcDatetimeSubcode};

/// The types; `None` where they cannot be written.
pub(super) static TYPE_INFO: LazyLock<Option<XdbcTypeInfoData>> = LazyLock::new(|| {
    let mut builder = XdbcTypeInfoDataBuilder::new();
    TYPES.iter().for_each(|of| builder.append(of.told()));
    builder.build().ok()
});

/// A type by PostgreSQL's name.
struct SqlType {
    name: &'static str,
    number: XdbcDataType,
    /// The digits of a number or a time, or the letters of a text; 0 where there is no end of them.
    size: i32,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Truth,
    Number,
    Text,
    Bytes,
    Time,
}

const TYPES: [SqlType; 13] = [
    of("boolean", XdbcDataType::XdbcBit, 1, Kind::Truth),
    of("smallint", XdbcDataType::XdbcSmallint, 5, Kind::Number),
    of("integer", XdbcDataType::XdbcInteger, 10, Kind::Number),
    of("bigint", XdbcDataType::XdbcBigint, 19, Kind::Number),
    of("real", XdbcDataType::XdbcReal, 7, Kind::Number),
    of("double precision", XdbcDataType::XdbcDouble, 15, Kind::Number),
    of("numeric", XdbcDataType::XdbcNumeric, 38, Kind::Number),
    of("text", XdbcDataType::XdbcVarchar, 0, Kind::Text),
    of("bytea", XdbcDataType::XdbcVarbinary, 0, Kind::Bytes),
    of("date", XdbcDataType::XdbcDate, 10, Kind::Time),
    of("time", XdbcDataType::XdbcTime, 15, Kind::Time),
    of("timestamp with time zone", XdbcDataType::XdbcTimestamp, 29, Kind::Time),
    of("timestamp without time zone", XdbcDataType::XdbcTimestamp, 26, Kind::Time),
];

const fn of(name: &'static str, number: XdbcDataType, size: i32, kind: Kind) -> SqlType {
    SqlType { name, number, size, kind }
}

impl SqlType {
    fn told(&self) -> XdbcTypeInfo {
        let is_quoted = matches!(self.kind, Kind::Text | Kind::Bytes | Kind::Time);
        let quote = is_quoted.then(|| "'".to_owned());
        let is_number = self.kind == Kind::Number;
        let is_exact = is_number && !matches!(self.number, XdbcDataType::XdbcReal | XdbcDataType::XdbcDouble);
        XdbcTypeInfo {
            type_name: self.name.to_owned(),
            data_type: self.number,
            column_size: (self.size > 0).then_some(self.size),
            literal_prefix: quote.clone(),
            literal_suffix: quote,
            create_params: (self.name == "numeric").then(|| vec!["precision".to_owned(), "scale".to_owned()]),
            nullable: Nullable::NullabilityNullable,
            case_sensitive: self.kind == Kind::Text,
            searchable: Searchable::Full,
            unsigned_attribute: is_number.then_some(false),
            fixed_prec_scale: false,
            auto_increment: is_number.then_some(false),
            local_type_name: Some(self.name.to_owned()),
            minimum_scale: is_exact.then_some(0),
            maximum_scale: is_exact.then_some(if self.name == "numeric" { 38 } else { 0 }),
            sql_data_type: if self.kind == Kind::Time { XdbcDataType::XdbcDatetime } else { self.number },
            datetime_subcode: self.subcode(),
            num_prec_radix: is_number.then_some(10),
            interval_precision: None,
        }
    }

    fn subcode(&self) -> Option<XdbcDatetimeSubcode> {
        match self.name {
            "date" => Some(XdbcDatetimeSubcode::XdbcSubcodeYear),
            "time" => Some(XdbcDatetimeSubcode::XdbcSubcodeTime),
            "timestamp without time zone" => Some(XdbcDatetimeSubcode::XdbcSubcodeTimestamp),
            "timestamp with time zone" => Some(XdbcDatetimeSubcode::XdbcSubcodeTimestampWithTimezone),
            _ => None,
        }
    }
}
