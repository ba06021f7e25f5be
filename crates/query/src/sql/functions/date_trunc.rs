//! `date_trunc`, fast for times in UTC, and for lengths of time too.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, IntervalMonthDayNanoArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::types::logical_string;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    Coercion, ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    TypeSignatureClass,
};

use super::computed::{Texts, computed};
use super::span::{INTERVAL, SECOND, Span, is_span, spans};

/// `date_trunc` that does not look times in UTC up in the tables of time zones, as DataFusion's does for each value;
/// and that cuts intervals and differences off, too.
pub(super) fn date_trunc() -> ScalarUDF {
    let inner = datafusion::functions::datetime::date_trunc();
    let of_spans = |class| {
        let unit = Coercion::new_exact(TypeSignatureClass::Native(logical_string()));
        TypeSignature::Coercible(vec![unit, Coercion::new_exact(class)])
    };
    let types = vec![
        inner.signature().type_signature.clone(),
        of_spans(TypeSignatureClass::Interval),
        of_spans(TypeSignatureClass::Duration),
    ];
    let signature = Signature::one_of(types, inner.signature().volatility);
    ScalarUDF::new_from_impl(DateTrunc { inner, signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DateTrunc {
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for DateTrunc {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        if let Some(value) = arguments.arg_fields.get(1).filter(|field| is_span(field.data_type())) {
            let data_type = match value.data_type() {
                DataType::Interval(_) => INTERVAL,
                _ => DataType::Duration(TimeUnit::Microsecond),
            };
            return Ok(Arc::new(Field::new(self.name(), data_type, true)));
        }
        self.inner.inner().return_field_from_args(arguments)
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if arguments.arg_fields.get(1).is_some_and(|field| is_span(field.data_type())) {
            return computed(&arguments, |columns| match columns {
                [units, values] => cut_off(units, values),
                _ => Err(super::wrong_number(self.name())),
            });
        }
        let in_zone = arguments.return_field.data_type().clone();
        let (DataType::Timestamp(unit, Some(zone)), Some(ColumnarValue::Array(times))) =
            (&in_zone, arguments.args.get(1))
        else {
            return self.inner.inner().invoke_with_args(arguments);
        };
        if zone.as_ref() != "UTC" || *times.data_type() != in_zone {
            return self.inner.inner().invoke_with_args(arguments);
        }
        let plain = DataType::Timestamp(*unit, None);
        let times = ColumnarValue::Array(cast(times, &plain)?);
        if let Some(argument) = arguments.args.get_mut(1) {
            *argument = times;
        }
        let plain_field = |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(plain.clone()));
        if let Some(field) = arguments.arg_fields.get_mut(1) {
            *field = plain_field(field);
        }
        arguments.return_field = plain_field(&arguments.return_field);
        let rows = arguments.number_rows;
        let truncated = self.inner.inner().invoke_with_args(arguments)?.into_array(rows)?;
        // The same numbers, in UTC again.
        Ok(ColumnarValue::Array(cast(&truncated, &in_zone)?))
    }

    fn output_ordering(
        &self,
        input: &[datafusion::logical_expr::sort_properties::ExprProperties],
    ) -> Result<datafusion::logical_expr::sort_properties::SortProperties> {
        self.inner.inner().output_ordering(input)
    }
}

fn cut_off(units: &ArrayRef, values: &ArrayRef) -> Result<ArrayRef> {
    let texts = Texts::of(units)?;
    let cut = |(row, span): (usize, Option<Span>)| {
        texts.get(row).zip(span).map(|(unit, span)| cut_span(&unit.to_lowercase(), span)).transpose()
    };
    let cut = spans(values)?.into_iter().enumerate().map(cut).collect::<Result<Vec<_>>>()?;
    if matches!(values.data_type(), DataType::Interval(_)) {
        let intervals = cut.into_iter().map(|span| span.map(Span::interval).transpose());
        return Ok(Arc::new(intervals.collect::<Result<IntervalMonthDayNanoArray>>()?));
    }
    let micros =
        |span: Span| i64::try_from(span.length() / 1_000).map_err(|_| exec_datafusion_err!("interval out of range"));
    let micros: ArrayRef =
        Arc::new(cut.into_iter().map(|span| span.map(micros).transpose()).collect::<Result<Int64Array>>()?);
    Ok(cast(&micros, &DataType::Duration(TimeUnit::Microsecond))?)
}

/// A length of time without what is less than a unit.
fn cut_span(unit: &str, span: Span) -> Result<Span> {
    let Span { months, days, nanoseconds } = span;
    let to = |unit: i128| Span { nanoseconds: nanoseconds / unit * unit, ..span };
    let months_to = |unit: i128| Span { months: months / unit * unit, ..Span::default() };
    Ok(match unit {
        "microsecond" | "microseconds" => to(1_000),
        "millisecond" | "milliseconds" => to(1_000_000),
        "second" => to(SECOND),
        "minute" => to(60 * SECOND),
        "hour" => to(3_600 * SECOND),
        "day" => Span { months, days, nanoseconds: 0 },
        "month" => months_to(1),
        "quarter" => months_to(3),
        "year" => months_to(12),
        "decade" => months_to(120),
        "century" => months_to(1_200),
        "millennium" => months_to(12_000),
        _ => return exec_err!("an interval cannot be cut to '{unit}'; write second, minute, hour, day, month or year"),
    })
}
