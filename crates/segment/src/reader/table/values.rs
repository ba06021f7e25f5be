//! Columns made of texts whose type is known.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringBuilder, TimestampMicrosecondArray,
};
use chrono::NaiveDate;

use super::inference::{Kind, boolean, date, double, instant, local_time};
use super::{MAX_TABLE_BYTES, refused};
use crate::Result;

/// The column of these values, which all have the type `kind`. Blanks around a value that is no text do not count.
pub(super) fn array<'v>(kind: Kind, values: impl Iterator<Item = Option<Cow<'v, str>>>) -> Result<ArrayRef> {
    Ok(match kind {
        Kind::Text => return texts(values),
        Kind::Whole => Arc::new(read(values, |value| value.parse::<i64>().ok()).collect::<Int64Array>()),
        Kind::Double => Arc::new(read(values, double).collect::<Float64Array>()),
        Kind::Boolean => Arc::new(read(values, boolean).collect::<BooleanArray>()),
        Kind::Date => Arc::new(read(values, |value| days(date(value)?)).collect::<Date32Array>()),
        Kind::LocalTime => {
            let times = read(values, |value| Some(local_time(value)?.and_utc().timestamp_micros()));
            Arc::new(times.collect::<TimestampMicrosecondArray>())
        }
        Kind::Instant => {
            let times = read(values, |value| Some(instant(value)?.timestamp_micros()));
            Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
    })
}

fn read<'v, T>(
    values: impl Iterator<Item = Option<Cow<'v, str>>>,
    read: impl Fn(&str) -> Option<T>,
) -> impl Iterator<Item = Option<T>> {
    values.map(move |value| read(value?.trim()))
}

fn texts<'v>(values: impl Iterator<Item = Option<Cow<'v, str>>>) -> Result<ArrayRef> {
    let (mut builder, mut bytes) = (StringBuilder::new(), 0_usize);
    for value in values {
        bytes = bytes.saturating_add(value.as_ref().map_or(0, |value| value.len()));
        if bytes > MAX_TABLE_BYTES {
            return Err(refused(format!("the texts of a column have more than {MAX_TABLE_BYTES} bytes")));
        }
        builder.append_option(value);
    }
    Ok(Arc::new(builder.finish()))
}

fn days(date: NaiveDate) -> Option<i32> {
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}
