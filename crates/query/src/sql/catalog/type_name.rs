//! The types of PostgreSQL that stand for those of Arrow, as `information_schema` tells of them.

use arrow::datatypes::DataType;

/// A type of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeName {
    /// Its name in `pg_type`, such as `timestamptz`.
    pub(super) udt: &'static str,
    /// Its name in the standard, such as `timestamp with time zone`.
    pub(super) standard: &'static str,
    /// The digits of a number, and the base that they are of.
    pub(super) precision: Option<(i32, i32)>,
    /// The digits of a number after its point.
    pub(super) scale: Option<i32>,
    /// The digits of the seconds of a time.
    pub(super) seconds: Option<i32>,
}

impl TypeName {
    /// The type whose values have room for those of `of`, as clients of PostgreSQL are told.
    pub(super) fn of(of: &DataType) -> Self {
        match of {
            DataType::Boolean => Self::plain("bool", "boolean"),
            DataType::Int8 | DataType::Int16 | DataType::UInt8 => Self::number("int2", "smallint", 16, Some(0)),
            DataType::Int32 | DataType::UInt16 => Self::number("int4", "integer", 32, Some(0)),
            DataType::Int64 | DataType::UInt32 => Self::number("int8", "bigint", 64, Some(0)),
            DataType::UInt64 => Self::decimal(None),
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale)
            | DataType::Decimal256(precision, scale) => Self::decimal(Some((*precision, *scale))),
            DataType::Float16 | DataType::Float32 => Self::number("float4", "real", 24, None),
            DataType::Float64 => Self::number("float8", "double precision", 53, None),
            DataType::Timestamp(_, Some(_)) => Self::time("timestamptz", "timestamp with time zone", 6),
            DataType::Timestamp(_, None) => Self::time("timestamp", "timestamp without time zone", 6),
            DataType::Time32(_) | DataType::Time64(_) => Self::time("time", "time without time zone", 6),
            DataType::Date32 | DataType::Date64 => Self::time("date", "date", 0),
            DataType::Interval(_) | DataType::Duration(_) => Self::time("interval", "interval", 6),
            DataType::Binary | DataType::FixedSizeBinary(_) | DataType::LargeBinary | DataType::BinaryView => {
                Self::plain("bytea", "bytea")
            }
            DataType::List(element)
            | DataType::FixedSizeList(element, _)
            | DataType::LargeList(element)
            | DataType::ListView(element)
            | DataType::LargeListView(element) => Self::plain(Self::of(element.data_type()).array(), "ARRAY"),
            DataType::Dictionary(_, values) => Self::of(values),
            DataType::RunEndEncoded(_, values) => Self::of(values.data_type()),
            DataType::Struct(_) => Self::plain("record", "record"),
            DataType::Null
            | DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Map(..)
            | DataType::Union(..) => Self::plain("text", "text"),
        }
    }

    /// Whether its values are texts.
    pub(super) fn is_text(self) -> bool {
        self.udt == "text"
    }

    const fn plain(udt: &'static str, standard: &'static str) -> Self {
        Self { udt, standard, precision: None, scale: None, seconds: None }
    }

    const fn number(udt: &'static str, standard: &'static str, digits: i32, scale: Option<i32>) -> Self {
        Self { precision: Some((digits, 2)), scale, ..Self::plain(udt, standard) }
    }

    fn decimal(digits: Option<(u8, i8)>) -> Self {
        let (precision, scale) = (digits.map(|(all, _)| (i32::from(all), 10)), digits.map(|(_, scale)| scale.into()));
        Self { precision, scale, ..Self::plain("numeric", "numeric") }
    }

    const fn time(udt: &'static str, standard: &'static str, seconds: i32) -> Self {
        Self { seconds: Some(seconds), ..Self::plain(udt, standard) }
    }

    /// The name of its arrays.
    fn array(self) -> &'static str {
        match self.udt {
            "bool" => "_bool",
            "int2" => "_int2",
            "int4" => "_int4",
            "int8" => "_int8",
            "numeric" => "_numeric",
            "float4" => "_float4",
            "float8" => "_float8",
            "timestamptz" => "_timestamptz",
            "timestamp" => "_timestamp",
            "time" => "_time",
            "date" => "_date",
            "interval" => "_interval",
            "bytea" => "_bytea",
            "record" => "_record",
            "text" => "_text",
            array => array,
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, TimeUnit};

    use super::*;

    #[test]
    fn a_type_has_the_names_of_postgresql() {
        let zoned = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        let words = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        for (of, udt, standard) in [
            (DataType::Utf8View, "text", "text"),
            (words.clone(), "text", "text"),
            (DataType::UInt32, "int8", "bigint"),
            (zoned, "timestamptz", "timestamp with time zone"),
            (DataType::Decimal128(12, 2), "numeric", "numeric"),
            (DataType::new_list(words, true), "_text", "ARRAY"),
            (DataType::Struct(vec![Field::new("x", DataType::Int8, true)].into()), "record", "record"),
        ] {
            let name = TypeName::of(&of);
            assert_eq!((name.udt, name.standard), (udt, standard), "{of}");
        }
        assert_eq!(TypeName::of(&DataType::Decimal128(12, 2)).precision, Some((12, 10)));
        assert_eq!(TypeName::of(&DataType::Int64).precision, Some((64, 2)));
    }
}
