//! `to_date`, `to_timestamp` and `to_number`, by PostgreSQL's patterns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use chrono::NaiveDateTime;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TypeSignature, Volatility,
};

use super::computed::{Texts, computed};
use super::patterns::{NumberPattern, TimePattern};
use super::to_char::{Last, has_percent};

/// `to_date(text, pattern)`.
pub(super) fn to_date() -> ScalarUDF {
    ScalarUDF::new_from_impl(FromText { inner: datafusion::functions::datetime::to_date() })
}

/// `to_timestamp(text, pattern)`, and `to_timestamp(seconds)` to the microsecond. `inner` is DataFusion's, with the
/// session's zone.
pub(super) fn to_timestamp(inner: Arc<ScalarUDF>) -> ScalarUDF {
    ScalarUDF::new_from_impl(FromText { inner })
}

/// A function of DataFusion's that takes other patterns, and no pattern, too.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FromText {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for FromText {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.inner().coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<arrow::datatypes::FieldRef> {
        self.inner.inner().return_field_from_args(arguments)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let inner = Arc::new(self.inner.inner().with_updated_config(config)?);
        Some(ScalarUDF::new_from_impl(Self { inner }))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let returned = arguments.return_field.data_type().clone();
        let is_of_seconds = matches!(returned, DataType::Timestamp(..))
            && arguments.arg_fields.first().is_some_and(|field| field.data_type().is_floating());
        match arguments.args.as_slice() {
            [_] if is_of_seconds => computed(&arguments, |columns| of_seconds(columns, &returned)),
            [_, pattern] if !has_percent(pattern)? => computed(&arguments, |columns| {
                let [texts, patterns] = columns else { return Err(super::wrong_number(self.name())) };
                read(texts, patterns, &returned)
            }),
            _ => self.inner.inner().invoke_with_args(arguments),
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.inner().documentation()
    }
}

/// Seconds since 1970 to the microsecond: a floating-point number has no more digits of today.
fn of_seconds(columns: &[ArrayRef], returned: &DataType) -> Result<ArrayRef> {
    let [seconds] = columns else { return Err(super::wrong_number("to_timestamp")) };
    let seconds = cast(seconds, &DataType::Float64)?;
    let micros = |seconds: f64| {
        let micros = (seconds * 1e6).round();
        if micros.abs() < 9.2e18 { Ok(micros as i64) } else { exec_err!("timestamp out of range: {seconds} seconds") }
    };
    let micros = seconds.as_primitive::<Float64Type>().iter().map(|seconds| seconds.map(micros).transpose());
    in_units(micros.collect::<Result<Int64Array>>()?, returned)
}

fn read(texts: &ArrayRef, patterns: &ArrayRef, returned: &DataType) -> Result<ArrayRef> {
    let (rows, texts, patterns) = (texts.len(), Texts::of(texts)?, Texts::of(patterns)?);
    let mut last = Last::none();
    let time = |row: usize| {
        let Some((text, pattern)) = texts.get(row).zip(patterns.get(row)) else { return Ok(None) };
        let time: NaiveDateTime = last.of(pattern, TimePattern::of)?.read(text)?;
        Ok(Some(time.and_utc().timestamp_micros()))
    };
    in_units((0..rows).map(time).collect::<Result<Int64Array>>()?, returned)
}

/// Microseconds as what the function returns.
fn in_units(micros: Int64Array, returned: &DataType) -> Result<ArrayRef> {
    let micros: ArrayRef = Arc::new(micros);
    let times = match returned {
        DataType::Timestamp(_, zone) => cast(&micros, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?,
        _ => cast(&micros, &DataType::Timestamp(TimeUnit::Microsecond, None))?,
    };
    cast_with_options(&times, returned, &CastOptions { safe: false, ..CastOptions::default() })
        .map_err(|error| exec_datafusion_err!("timestamp out of range: {error}"))
}

/// `to_number(text, pattern)`.
pub(super) fn to_number() -> ScalarUDF {
    ScalarUDF::new_from_impl(ToNumber { signature: Signature::new(TypeSignature::String(2), Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToNumber {
    signature: Signature,
}

impl ScalarUDFImpl for ToNumber {
    fn name(&self) -> &str {
        "to_number"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        computed(&arguments, |columns| {
            let [texts, patterns] = columns else { return Err(super::wrong_number(self.name())) };
            let (rows, texts, patterns) = (texts.len(), Texts::of(texts)?, Texts::of(patterns)?);
            let mut last = Last::none();
            let number = |row: usize| {
                let Some((text, pattern)) = texts.get(row).zip(patterns.get(row)) else { return Ok(None) };
                last.of(pattern, NumberPattern::of)?.read(text).map(Some)
            };
            Ok(Arc::new((0..rows).map(number).collect::<Result<Float64Array>>()?))
        })
    }
}
