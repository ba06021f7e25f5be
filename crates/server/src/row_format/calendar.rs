//! Values that no text can tell: times beyond the calendar.

use std::ops::RangeInclusive;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, max, min};
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::error::ArrowError;

/// The years that Arrow can tell, in seconds since 1970: some 262,000 before and after the first, less a day for zones.
const CALENDAR: RangeInclusive<i64> = -8_334_601_142_400..=8_210_266_790_399;

const DAY_SECONDS: i64 = 86_400;

/// Refuses rows with a value that would be written as the reason why it cannot be written.
pub(super) fn check_calendar(batch: &RecordBatch) -> Result<(), ArrowError> {
    let schema = batch.schema();
    for (field, values) in schema.fields().iter().zip(batch.columns()) {
        check(values).map_err(|value| {
            let (name, data_type) = (field.name(), values.data_type());
            ArrowError::InvalidArgumentError(format!(
                "the column {name} of the type {data_type} has the value {value}, which is beyond the calendar"
            ))
        })?;
    }
    Ok(())
}

/// The first value that is out of range, as the number that it is kept as.
fn check(values: &ArrayRef) -> Result<(), i64> {
    match values.data_type() {
        DataType::Struct(_) => values.as_struct().columns().iter().try_for_each(check),
        DataType::List(_) => check(values.as_list::<i32>().values()),
        DataType::LargeList(_) => check(values.as_list::<i64>().values()),
        DataType::FixedSizeList(..) => check(values.as_fixed_size_list().values()),
        DataType::Map(..) => values.as_map().entries().columns().iter().try_for_each(check),
        DataType::Dictionary(..) => check(values.as_any_dictionary().values()),
        other => match range(other) {
            Some(range) => check_range(values, &range),
            None => Ok(()),
        },
    }
}

fn check_range(values: &ArrayRef, range: &RangeInclusive<i64>) -> Result<(), i64> {
    // The numbers are where they are: this only looks at them as numbers.
    let Ok(numbers) = cast(values, &DataType::Int64) else { return Ok(()) };
    let numbers = numbers.as_primitive::<Int64Type>();
    let ends = [min(numbers), max(numbers)];
    ends.into_iter().flatten().find(|number| !range.contains(number)).map_or(Ok(()), Err)
}

/// The numbers that stand for values of a type; `None` where all do.
fn range(data_type: &DataType) -> Option<RangeInclusive<i64>> {
    let times = |by: i64| CALENDAR.start().saturating_mul(by)..=CALENDAR.end().saturating_mul(by);
    Some(match data_type {
        DataType::Timestamp(unit, _) => times(per_second(*unit)),
        DataType::Date32 => (CALENDAR.start() / DAY_SECONDS)..=(CALENDAR.end() / DAY_SECONDS),
        DataType::Date64 => times(per_second(TimeUnit::Millisecond)),
        DataType::Time32(unit) | DataType::Time64(unit) => 0..=(DAY_SECONDS * per_second(*unit) - 1),
        // A duration has at most as many milliseconds as a number tells.
        DataType::Duration(TimeUnit::Second) => -(i64::MAX / 1_000)..=(i64::MAX / 1_000),
        DataType::Duration(TimeUnit::Millisecond) => -i64::MAX..=i64::MAX,
        _ => return None,
    })
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Date32Array, DurationSecondArray, Int64Array, ListArray, Time32SecondArray, TimestampMillisecondArray,
        TimestampNanosecondArray,
    };
    use arrow::util::display::{ArrayFormatter, FormatOptions};

    use super::*;

    /// Whether Arrow can tell every value of a column.
    fn can_be_told(values: &ArrayRef) -> bool {
        let options = FormatOptions::default().with_display_error(false);
        let formatter = ArrayFormatter::try_new(values, &options).unwrap();
        (0..values.len()).all(|row| formatter.value(row).try_to_string().is_ok())
    }

    #[test]
    fn what_cannot_be_told_is_found() {
        let millis = |value: i64, zone: Option<&str>| -> ArrayRef {
            let times = TimestampMillisecondArray::from(vec![Some(0), None, Some(value)]);
            Arc::new(times.with_timezone_opt(zone.map(str::to_owned)))
        };
        let list: ArrayRef = Arc::new(ListArray::new(
            Arc::new(arrow::datatypes::Field::new_list_field(DataType::Timestamp(TimeUnit::Millisecond, None), true)),
            arrow::buffer::OffsetBuffer::from_lengths([1]),
            Arc::new(TimestampMillisecondArray::from(vec![i64::MIN])),
            None,
        ));
        let wrong: [ArrayRef; 8] = [
            millis(i64::MAX, Some("UTC")),
            millis(i64::MIN, None),
            millis(8_210_266_876_000_000, Some("+14:00")),
            Arc::new(Date32Array::from(vec![i32::MAX])),
            Arc::new(Time32SecondArray::from(vec![-1])),
            Arc::new(Time32SecondArray::from(vec![86_400])),
            Arc::new(DurationSecondArray::from(vec![i64::MAX])),
            list,
        ];
        for values in wrong {
            assert!(check(&values).is_err(), "{values:?}");
        }
        let right: [ArrayRef; 6] = [
            millis(253_402_300_800_000, Some("UTC")),
            millis(-62_135_596_800_000, Some("Europe/Berlin")),
            Arc::new(TimestampNanosecondArray::from(vec![i64::MIN, i64::MAX])),
            Arc::new(Date32Array::from(vec![-719_162, 2_932_896])),
            Arc::new(Int64Array::from(vec![i64::MAX])),
            Arc::new(Time32SecondArray::from(vec![0, 86_399])),
        ];
        for values in right {
            assert!(check(&values).is_ok() && can_be_told(&values), "{values:?}");
        }
    }

    #[test]
    fn no_more_is_taken_than_can_be_told() {
        for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond] {
            for zone in [None, Some("+00:00".into()), Some("-12:00".into()), Some("+14:00".into())] {
                let data_type = DataType::Timestamp(unit, zone);
                let range = range(&data_type).unwrap();
                let ends = Int64Array::from(vec![*range.start(), *range.end()]);
                assert!(can_be_told(&cast(&ends, &data_type).unwrap()), "{data_type}");
            }
        }
    }
}
