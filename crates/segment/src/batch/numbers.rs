//! Whole numbers in columns of other types: pandas keeps those of a column with nulls as floating-point numbers, and
//! databases keep them as decimals.

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Float64Type};

use crate::json_value::{MOST_EXACT, whole_of};

/// Why a value is no whole number.
pub(super) const NOT_WHOLE: &str = "no whole number, or one that its type cannot hold exactly";

/// Whether a column of this type may hold whole numbers.
pub(super) fn has_numbers(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => has_numbers(values),
        other => other.is_numeric(),
    }
}

/// The whole numbers of a column, and where it has none: nulls, and what is not a number at all. Null marks also what
/// is no whole number, or could be another one. `None` where the column has another type.
pub(super) fn whole_numbers(array: &ArrayRef) -> Option<(Int64Array, Option<NullBuffer>)> {
    match array.data_type() {
        data_type if data_type.is_integer() => {
            let options = CastOptions { safe: true, ..CastOptions::default() };
            let converted = cast_with_options(array, &DataType::Int64, &options).ok()?;
            Some((converted.as_primitive().clone(), array.logical_nulls()))
        }
        DataType::Float16 => floats(array, 2047.0),
        DataType::Float32 => floats(array, 16_777_215.0),
        DataType::Float64 => floats(array, MOST_EXACT),
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => decimals(array, *scale),
        DataType::Dictionary(_, values) => whole_numbers(&cast(array, values).ok()?),
        _ => None,
    }
}

/// Up to `most_exact`, no two whole numbers become the same one in the column's type.
fn floats(array: &ArrayRef, most_exact: f64) -> Option<(Int64Array, Option<NullBuffer>)> {
    let floats = cast(array, &DataType::Float64).ok()?;
    let floats = floats.as_primitive::<Float64Type>();
    let whole = |value: f64| whole_of(value).filter(|_| value.abs() <= most_exact);
    let nulls: NullBuffer = floats.iter().map(|value| value.is_some_and(|value| !value.is_nan())).collect();
    Some((floats.iter().map(|value| value.and_then(whole)).collect(), Some(nulls)))
}

fn decimals(array: &ArrayRef, scale: i8) -> Option<(Int64Array, Option<NullBuffer>)> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let wide = DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale);
    let decimals = cast_with_options(array, &wide, &options).ok()?;
    let decimals: &Decimal128Array = decimals.as_primitive::<Decimal128Type>();
    let power = 10_i128.checked_pow(u32::from(scale.unsigned_abs()))?;
    let whole = |value: i128| {
        let whole = match scale {
            ..=0 => value.checked_mul(power),
            _ => (value % power == 0).then_some(value / power),
        };
        i64::try_from(whole?).ok()
    };
    Some((decimals.iter().map(|value| value.and_then(whole)).collect(), array.logical_nulls()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal256Array, Float32Array, Float64Array};
    use arrow::datatypes::i256;

    use super::*;

    #[track_caller]
    fn assert_whole(array: ArrayRef, expected: &[Option<i64>], nulls: &[bool]) {
        let (numbers, nulls_before) = whole_numbers(&array).unwrap();
        assert_eq!(numbers.iter().collect::<Vec<_>>(), expected);
        let is_null = |row| nulls_before.as_ref().is_some_and(|nulls| nulls.is_null(row));
        assert_eq!((0..array.len()).map(is_null).collect::<Vec<_>>(), nulls);
    }

    #[test]
    fn what_loses_nothing_is_a_whole_number() {
        let floats = [Some(7.0), Some(7.5), None, Some(f64::NAN), Some(f64::INFINITY), Some(1e17), Some(-0.0)];
        let whole = [Some(7), None, None, None, None, None, Some(0)];
        let nulls = [false, false, true, true, false, false, false];
        assert_whole(Arc::new(Float64Array::from(floats.to_vec())), &whole, &nulls);
        let floats = Float32Array::from(vec![16_777_215.0, 16_777_216.0]);
        assert_whole(Arc::new(floats), &[Some(16_777_215), None], &[false, false]);
        let cents = Decimal128Array::from(vec![Some(700), Some(750), None]).with_precision_and_scale(38, 2).unwrap();
        assert_whole(Arc::new(cents), &[Some(7), None, None], &[false, false, true]);
        let hundreds = Decimal128Array::from(vec![7, i128::MAX]).with_precision_and_scale(38, -2);
        if let Ok(hundreds) = hundreds {
            assert_whole(Arc::new(hundreds), &[Some(700), None], &[false, false]);
        }
        let large = Decimal256Array::from(vec![i256::from_i128(7), i256::MAX]).with_precision_and_scale(76, 0).unwrap();
        assert_whole(Arc::new(large), &[Some(7), None], &[false, false]);
    }
}
