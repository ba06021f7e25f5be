//! How large the results of functions become.

use arrow::array::AsArray;
use arrow::datatypes::{DataType, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType};
use datafusion::logical_expr::ColumnarValue;

use super::lengths::{Numbers, bytes, elements, signed};

/// What the size of a function's result follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Growth {
    /// Its arguments together, so many times: parts of a text, a text in capitals.
    Keeps(u64),
    /// The same, where several arguments come together in one result: a call in a call in a call may double each time.
    Adds(u64),
    /// The first argument, as often as the second says.
    Repeats,
    /// The second argument, in characters.
    Pads,
    /// The first argument, with the third for each occurrence of the second.
    Replaces,
    /// The same, with a pattern as the second.
    ReplacesPattern,
    /// The first argument for each group of the pattern that the second is.
    Captures,
    /// The elements of the first argument, with the second between them, or the third for each that is null.
    Joins,
    /// The arguments, with the first between them.
    JoinsArguments,
    /// As many elements as the second argument says, of the size of the third.
    Resizes,
    /// The numbers or times from the first to the second argument, by steps of the third.
    Series,
    /// The second argument for each row.
    Formats,
    /// No result worth the name, but time for each pair of a byte of one argument and one of the other.
    Pairs,
}

/// The sizes of a call's results, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) largest: u64,
    pub(super) all: u64,
}

impl Growth {
    /// What the size of this function's result follows from.
    pub(super) fn of(function: &str) -> Self {
        match function {
            "repeat" | "array_repeat" | "list_repeat" => Self::Repeats,
            "lpad" | "rpad" => Self::Pads,
            "replace" => Self::Replaces,
            "regexp_replace" => Self::ReplacesPattern,
            "regexp_match" => Self::Captures,
            "array_to_string" | "list_to_string" | "array_join" | "list_join" => Self::Joins,
            "concat_ws" => Self::JoinsArguments,
            "array_resize" | "list_resize" => Self::Resizes,
            "range" | "generate_series" => Self::Series,
            "to_char" | "date_format" => Self::Formats,
            "levenshtein" => Self::Pairs,
            // An element takes some bytes beside those of the text that it is.
            "string_to_array" | "string_to_list" => Self::Keeps(16),
            // A number, a time or a length of time as text.
            "to_text" => Self::Keeps(8),
            "similar_to_escape" | "translate" | "upper" | "lower" | "initcap" | "encode" | "decode" | "to_hex" => {
                Self::Keeps(4)
            }
            "substr" | "substring" | "left" | "right" | "trim" | "btrim" | "ltrim" | "rtrim" | "split_part"
            | "reverse" | "substr_index" | "substring_index" | "arrow_cast" | "arrow_try_cast" | "arrow_typeof"
            | "md5" | "sha224" | "sha256" | "sha384" | "sha512" | "digest" => Self::Keeps(1),
            _ => Self::Adds(1),
        }
    }

    /// Whether nested calls, or a single number, can make a short statement's result as large as they like.
    pub(super) fn multiplies(self) -> bool {
        !matches!(self, Self::Keeps(_) | Self::Pairs)
    }

    /// How large the results for these arguments become, before they are computed.
    pub(super) fn sizes(self, arguments: &[ColumnarValue], rows: usize) -> Sizes {
        let of_bytes: Vec<Numbers> = arguments.iter().map(bytes).collect();
        let of = |argument: usize, row: usize| of_bytes.get(argument).map_or(0, |numbers| numbers.of(row));
        let sum = |row: usize| of_bytes.iter().map(|numbers| numbers.of(row)).fold(0, u64::saturating_add);
        let count = |row: usize, numbers: &[i128]| {
            let number = if numbers.len() == 1 { numbers.first() } else { numbers.get(row) };
            number.copied().unwrap_or(0).clamp(0, i128::from(u64::MAX)) as u64
        };
        let numbers = |argument: usize| arguments.get(argument).map(signed).unwrap_or_default();
        match self {
            Self::Keeps(times) | Self::Adds(times) => {
                total(arguments, &of_bytes, rows, |row| sum(row).saturating_mul(times))
            }
            Self::Repeats => {
                let times = numbers(1);
                total(arguments, &of_bytes, rows, |row| of(0, row).max(1).saturating_mul(count(row, &times)))
            }
            Self::Pads => {
                let length = numbers(1);
                let padded = |row| count(row, &length).saturating_mul(4).saturating_add(of(0, row));
                total(arguments, &of_bytes, rows, padded)
            }
            Self::Replaces => {
                let replaced = |row| match of(1, row) {
                    0 => of(0, row),
                    pattern => (of(0, row) / pattern).saturating_mul(of(2, row)).saturating_add(of(0, row)),
                };
                total(arguments, &of_bytes, rows, replaced)
            }
            Self::ReplacesPattern => total(arguments, &of_bytes, rows, |row| {
                // A replacement may name a group for every two of its letters. All matches together are no longer than
                // the text.
                let (text, with) = (of(0, row), of(2, row));
                let literal = text.saturating_add(1).saturating_mul(with);
                literal.saturating_add(text.saturating_mul(1 + with / 2))
            }),
            Self::Captures => total(arguments, &of_bytes, rows, |row| of(0, row).saturating_mul(1 + of(1, row))),
            Self::Joins => {
                let elements = arguments.first().map_or(Numbers::Same(0), elements);
                let joined = |row| {
                    let between = of(1, row).saturating_add(of(2, row)).saturating_add(24);
                    of(0, row).saturating_add(elements.of(row).saturating_mul(between))
                };
                total(arguments, &of_bytes, rows, joined)
            }
            Self::JoinsArguments => {
                let arguments_number = arguments.len() as u64;
                total(arguments, &of_bytes, rows, |row| {
                    sum(row).saturating_add(of(0, row).saturating_mul(arguments_number))
                })
            }
            Self::Resizes => {
                let length = numbers(1);
                let resized = |row| {
                    let of_element = of(2, row).max(size_of::<u64>() as u64);
                    of(0, row).saturating_add(count(row, &length).saturating_mul(of_element))
                };
                total(arguments, &of_bytes, rows, resized)
            }
            Self::Series => {
                let (start, end, step) = (numbers(0), numbers(1), arguments.get(2).map(steps).unwrap_or_default());
                let at = |numbers: &[i128], row: usize, without| {
                    let number = if numbers.len() == 1 { numbers.first() } else { numbers.get(row) };
                    number.copied().unwrap_or(without)
                };
                let in_series = |row| {
                    let (start, end) = if arguments.len() == 1 {
                        (0, at(&start, row, 0))
                    } else {
                        (at(&start, row, 0), at(&end, row, 0))
                    };
                    let step = at(&step, row, 1).unsigned_abs().max(1);
                    let values = end.abs_diff(start) / step + 1;
                    u64::try_from(values).unwrap_or(u64::MAX).saturating_mul(size_of::<u64>() as u64)
                };
                total(arguments, &of_bytes, rows, in_series)
            }
            Self::Formats => total(arguments, &of_bytes, rows, |row| of(1, row).saturating_mul(32).saturating_add(32)),
            Self::Pairs => total(arguments, &of_bytes, rows, |row| of(0, row).saturating_mul(of(1, row)) / 256),
        }
    }
}

/// Whether the result of this function may be as large as a number in its arguments says, or many times as large as
/// they are.
pub(in crate::sql) fn is_multiplying(function: &str) -> bool {
    !matches!(Growth::of(function), Growth::Keeps(_) | Growth::Adds(_) | Growth::Pairs | Growth::Formats)
}

/// Whether calls of this function, one in the other, may make large values of small ones.
pub(in crate::sql) fn adds_up(function: &str) -> bool {
    Growth::of(function).multiplies()
}

/// The largest of the rows' sizes, and all of them.
fn total(arguments: &[ColumnarValue], bytes: &[Numbers], rows: usize, of_row: impl Fn(usize) -> u64) -> Sizes {
    let is_same = bytes.iter().all(Numbers::is_same)
        && !arguments.iter().any(|argument| matches!(argument, ColumnarValue::Array(_)));
    if is_same {
        let largest = of_row(0);
        return Sizes { largest, all: largest.saturating_mul(rows.max(1) as u64) };
    }
    (0..rows).map(of_row).fold(Sizes { largest: 0, all: 0 }, |sizes, size| Sizes {
        largest: sizes.largest.max(size),
        all: sizes.all.saturating_add(size),
    })
}

/// The steps of a series, those of time in nanoseconds.
fn steps(value: &ColumnarValue) -> Vec<i128> {
    let ColumnarValue::Array(values) = value else {
        let ColumnarValue::Scalar(value) = value else { return Vec::new() };
        return value.to_array().map(|values| steps(&ColumnarValue::Array(values))).unwrap_or_default();
    };
    const DAY: i128 = 86_400_000_000_000;
    match values.data_type() {
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let steps = values.as_primitive::<IntervalMonthDayNanoType>().iter();
            let nanoseconds = steps.map(|step| {
                step.map_or(0, |step| {
                    (i128::from(step.months) * 28 + i128::from(step.days)) * DAY + i128::from(step.nanoseconds)
                })
            });
            nanoseconds.collect()
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            let steps = values.as_primitive::<IntervalDayTimeType>().iter();
            let nanoseconds = steps.map(|step| {
                step.map_or(0, |step| i128::from(step.days) * DAY + i128::from(step.milliseconds) * 1_000_000)
            });
            nanoseconds.collect()
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            let steps = values.as_primitive::<IntervalYearMonthType>().iter();
            steps.map(|step| i128::from(step.unwrap_or(0)) * 28 * DAY).collect()
        }
        _ => signed(value),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use datafusion::common::ScalarValue;

    use super::*;

    fn texts(texts: &[&str]) -> ColumnarValue {
        ColumnarValue::Array(Arc::new(StringArray::from(texts.to_vec())) as ArrayRef)
    }

    fn text(text: &str) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::from(text))
    }

    fn number(number: i64) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::from(number))
    }

    #[test]
    fn the_size_of_a_result_is_known_before_there_is_one() {
        let numbers = ColumnarValue::Array(Arc::new(Int64Array::from(vec![Some(2), Some(-5), None])) as ArrayRef);
        let three = texts(&["ab", "c", ""]);
        for (function, arguments, largest, all) in [
            ("repeat", vec![text("ab"), number(1_000)], 2_000, 6_000),
            ("repeat", vec![three.clone(), number(10)], 20, 40),
            ("repeat", vec![three.clone(), numbers.clone()], 4, 4),
            ("repeat", vec![text("x"), number(i64::MAX)], i64::MAX as u64, u64::MAX),
            ("lpad", vec![three.clone(), number(10), text("x")], 42, 123),
            ("replace", vec![three.clone(), text("a"), text("xyz")], 8, 12),
            ("concat", vec![three.clone(), text("xyz")], 5, 12),
            ("concat_ws", vec![text(", "), three.clone(), text("xyz")], 13, 36),
            ("range", vec![number(10)], 88, 264),
            ("generate_series", vec![number(1), number(100), number(10)], 80, 240),
            ("generate_series", vec![number(i64::MIN), number(i64::MAX)], u64::MAX, u64::MAX),
            ("upper", vec![three.clone()], 8, 12),
        ] {
            let sizes = Growth::of(function).sizes(&arguments, 3);
            assert_eq!(sizes, Sizes { largest, all }, "{function}");
        }
    }
}
