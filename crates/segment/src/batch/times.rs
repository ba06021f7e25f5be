//! Columns of times.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use chrono::DateTime;

use super::column::{Column, converted, numbers, present, wrong_type};
use super::schema::{TIME_ZONE, timestamp};
use super::texts::{TextColumn, text_of};
use crate::error::shortened;
use crate::instant::Told;
use crate::{Error, Result, TimeZone};

/// A column of times.
#[derive(Debug)]
pub(crate) struct TimeColumn {
    column: Column<TimestampMillisecondArray>,
    origin: Origin,
    zone: Option<TimeZone>,
}

/// What the times were made of.
#[derive(Debug)]
enum Origin {
    Instants,
    /// What clocks showed, in the zone of times that name none.
    Local(TimestampMillisecondArray),
    Text(Box<TextColumn>),
}

impl TimeColumn {
    pub(crate) fn optional(&self, row: usize) -> Result<Option<i64>> {
        self.column.optional(row, TimestampMillisecondArray::value).map_err(|error| self.told(row).unwrap_or(error))
    }

    pub(crate) fn required(&self, row: usize) -> Result<i64> {
        self.optional(row)?.ok_or(Error::Value { column: self.column.name, problem: "missing" })
    }

    /// Why there is no instant in a row.
    fn told(&self, row: usize) -> Option<Error> {
        let name = self.column.name;
        let told = match &self.origin {
            Origin::Instants => return None,
            Origin::Local(times) => times.is_valid(row).then(|| local(times.value(row))).flatten()?,
            Origin::Text(texts) => match texts.text(row) {
                Ok(text) => {
                    let text = text?;
                    match Told::parse(text) {
                        Some(told) => told,
                        None => return Some(Error::InstantSyntax { value: shortened(text) }),
                    }
                }
                Err(error) => return Some(error),
            },
        };
        told.instant(name, self.zone.as_ref()).err()
    }
}

fn local(ms: i64) -> Option<Told> {
    DateTime::from_timestamp_millis(ms).map(|time| Told::Local(time.naive_utc()))
}

/// The times of a column, by the `zone` of those that name none.
pub(crate) fn times(batch: &RecordBatch, name: &'static str, zone: Option<&TimeZone>) -> Result<Option<TimeColumn>> {
    let Some(array) = present(batch, name)? else { return Ok(None) };
    of(name, &array, zone).map(Some)
}

fn of(name: &'static str, array: &ArrayRef, zone: Option<&TimeZone>) -> Result<TimeColumn> {
    let ms = |array: &dyn Array| array.as_primitive::<TimestampMillisecondType>().clone();
    let instants = |column| TimeColumn { column, origin: Origin::Instants, zone: None };
    match array.data_type() {
        DataType::Timestamp(_, None) if zone.is_some() => {
            let local_type = DataType::Timestamp(TimeUnit::Millisecond, None);
            let shown = converted(name, array, &local_type, ms)?;
            let instant = |ms: i64| local(ms)?.instant(name, zone).ok();
            let values: TimestampMillisecondArray = shown.values.iter().map(|value| value.and_then(instant)).collect();
            let origin = Origin::Local(shown.values.clone());
            let column = Column { values: values.with_timezone(TIME_ZONE), ..shown };
            Ok(TimeColumn { column, origin, zone: zone.cloned() })
        }
        DataType::Timestamp(..) | DataType::Int64 => converted(name, array, &timestamp(), ms).map(instants),
        // A number of milliseconds does not fit into fewer bits.
        other if has_milliseconds(other) => {
            let numbers = numbers(name, array).map_err(|_| wrong_type(name, array, &timestamp()))?;
            let values: TimestampMillisecondArray = numbers.values.iter().collect();
            let (nulls_before, problem) = (numbers.nulls_before, numbers.problem);
            Ok(instants(Column { name, values: values.with_timezone(TIME_ZONE), nulls_before, problem }))
        }
        other if is_text(other) => {
            let texts = text_of(name, array, false).ok_or_else(|| wrong_type(name, array, &timestamp()))?;
            let instant = |row| Told::parse(texts.text(row).ok()??)?.instant(name, zone).ok();
            let values: TimestampMillisecondArray = (0..array.len()).map(instant).collect();
            let values = values.with_timezone(TIME_ZONE);
            let column = Column { name, values, nulls_before: array.logical_nulls(), problem: "no time" };
            Ok(TimeColumn { column, origin: Origin::Text(Box::new(texts)), zone: zone.cloned() })
        }
        _ => Err(wrong_type(name, array, &timestamp())),
    }
}

fn has_milliseconds(data_type: &DataType) -> bool {
    match data_type {
        DataType::UInt64 | DataType::Float64 => true,
        other => other.is_decimal(),
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        other => other.is_string() || matches!(other, DataType::Binary | DataType::LargeBinary | DataType::BinaryView),
    }
}
