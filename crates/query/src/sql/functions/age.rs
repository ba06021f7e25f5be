//! `age`: the years, months and days from one time to another.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, IntervalMonthDayNanoArray};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::computed::computed;
use super::span::{DAY, INTERVAL, Span};

/// `age(to, from)`.
pub(super) fn age() -> ScalarUDF {
    ScalarUDF::new_from_impl(Age { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Age {
    signature: Signature,
}

impl ScalarUDFImpl for Age {
    fn name(&self) -> &str {
        "age"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [_, _] => Ok(vec![DataType::Timestamp(TimeUnit::Microsecond, None); 2]),
            _ => datafusion::common::plan_err!("age takes two times, or one"),
        }
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(INTERVAL)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        computed(&arguments, |columns| {
            let [to, from] = columns else { return Err(super::wrong_number(self.name())) };
            ages(to, from)
        })
    }
}

fn ages(to: &ArrayRef, from: &ArrayRef) -> Result<ArrayRef> {
    let (to, from) = (to.as_primitive::<TimestampMicrosecondType>(), from.as_primitive::<TimestampMicrosecondType>());
    let of_row = |(to, from): (Option<i64>, Option<i64>)| {
        let Some((to, from)) = to.zip(from) else { return Ok(None) };
        let age = if to < from { between(from, to, true) } else { between(to, from, false) };
        let age = age.ok_or_else(|| exec_datafusion_err!("time out of range"))?;
        age.interval().map(Some)
    };
    Ok(Arc::new(to.iter().zip(from.iter()).map(of_row).collect::<Result<IntervalMonthDayNanoArray>>()?))
}

/// From the earlier to the later time: whole months, then whole days, then hours and less.
fn between(later: i64, earlier: i64, is_negative: bool) -> Option<Span> {
    let (late, early) = (time(later)?, time(earlier)?);
    let of_day = |micros: i64| i128::from(micros.rem_euclid(86_400_000_000)) * 1_000;
    let mut nanoseconds = of_day(later) - of_day(earlier);
    let mut days = i128::from(late.day()) - i128::from(early.day());
    let mut months = i128::from(late.year() - early.year()) * 12 + i128::from(late.month()) - i128::from(early.month());
    if nanoseconds < 0 {
        nanoseconds += DAY;
        days -= 1;
    }
    if days < 0 {
        // The days that are lent are those of the month of the earlier time.
        days += i128::from(days_of_month(early)?);
        months -= 1;
    }
    let sign = if is_negative { -1 } else { 1 };
    Some(Span { months: months * sign, days: days * sign, nanoseconds: nanoseconds * sign })
}

fn time(micros: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(micros).map(|time| time.naive_utc())
}

fn days_of_month(time: NaiveDateTime) -> Option<u32> {
    let (year, month) = if time.month() == 12 { (time.year() + 1, 1) } else { (time.year(), time.month() + 1) };
    Some(NaiveDate::from_ymd_opt(year, month, 1)?.pred_opt()?.day())
}
