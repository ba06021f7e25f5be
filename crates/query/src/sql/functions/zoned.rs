//! `date_trunc` and `date_bin` by the clocks of a zone, where days have 23 or 25 hours now and then.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, Datelike, NaiveDate};
use datafusion::common::{exec_datafusion_err, exec_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::computed::{Texts, computed};
use super::span::{INTERVAL, Span, is_span, spans};
use super::timezone::{Clock, Zones};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// The instants that both functions take and give.
fn instants() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// `date_trunc(unit, instant, zone)`: the instant at which the unit began by the clocks of the zone.
pub(super) fn zoned_date_trunc() -> ScalarUDF {
    ScalarUDF::new_from_impl(Zoned { kind: Kind::Truncated, signature: Signature::user_defined(Volatility::Immutable) })
}

/// `date_bin(stride, instant, origin, zone)`: the instant at which the bin began by the clocks of the zone, if one began
/// when they showed `origin`.
pub(super) fn zoned_date_bin() -> ScalarUDF {
    ScalarUDF::new_from_impl(Zoned { kind: Kind::Binned, signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Zoned {
    kind: Kind,
    signature: Signature,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Truncated,
    Binned,
}

impl ScalarUDFImpl for Zoned {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Truncated => "zoned_date_trunc",
            Kind::Binned => "zoned_date_bin",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let zone = |zone: &DataType| if is_span(zone) { zone.clone() } else { DataType::Utf8 };
        match (self.kind, types) {
            (Kind::Truncated, [_, _, of]) => Ok(vec![DataType::Utf8, instants(), zone(of)]),
            (Kind::Binned, [stride, _, origin, of]) => {
                let stride = if matches!(stride, DataType::Duration(_)) { stride.clone() } else { INTERVAL };
                let origin = match origin {
                    DataType::Timestamp(_, Some(_)) => instants(),
                    _ => DataType::Timestamp(TimeUnit::Microsecond, None),
                };
                Ok(vec![stride, instants(), origin, zone(of)])
            }
            (Kind::Truncated, _) => plan_err!("date_trunc takes a unit, a time and a zone"),
            (Kind::Binned, _) => plan_err!("date_bin takes a stride, a time, an origin and a zone"),
        }
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(instants())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        computed(&arguments, |columns| match (self.kind, columns) {
            (Kind::Truncated, [units, times, zones]) => truncated(units, times, zones),
            (Kind::Binned, [strides, times, origins, zones]) => binned(strides, times, origins, zones),
            _ => Err(super::wrong_number(self.name())),
        })
    }
}

fn truncated(units: &ArrayRef, times: &ArrayRef, zones: &ArrayRef) -> Result<ArrayRef> {
    let (units, mut clocks) = (Texts::of(units)?, Clocks::of(zones)?);
    let cut = |(row, time): (usize, Option<i64>)| -> Result<Option<i64>> {
        let (Some(time), Some(unit)) = (time, units.get(row)) else { return Ok(None) };
        let Some(local) = clocks.local(row, time)? else { return Ok(None) };
        let unit = Unit::parse(unit)?;
        let begun = unit.cut(local).ok_or_else(out_of_range)?;
        // Within a day it is the clock as it is now that counts: an hour that comes twice begins twice.
        let instant = if unit.has_whole_days() { clocks.instant(begun)? } else { time.checked_sub(local - begun) };
        instant.map(Some).ok_or_else(out_of_range)
    };
    let times = times.as_primitive::<TimestampMicrosecondType>();
    column(times.iter().enumerate().map(cut).collect::<Result<_>>()?)
}

fn binned(strides: &ArrayRef, times: &ArrayRef, origins: &ArrayRef, zones: &ArrayRef) -> Result<ArrayRef> {
    let (strides, mut clocks) = (spans(strides)?, Clocks::of(zones)?);
    let is_local = matches!(origins.data_type(), DataType::Timestamp(_, None));
    let origins = cast(origins, &DataType::Int64)?;
    let origins = origins.as_primitive::<arrow::datatypes::Int64Type>();
    let bin = |(row, time): (usize, Option<i64>)| -> Result<Option<i64>> {
        let stride = strides.get(row).copied().flatten();
        let origin = (row < origins.len() && origins.is_valid(row)).then(|| origins.value(row));
        let (Some(time), Some(stride), Some(origin)) = (time, stride, origin) else { return Ok(None) };
        let Some(local) = clocks.local(row, time)? else { return Ok(None) };
        let origin = if is_local { Some(origin) } else { clocks.local(row, origin)? };
        let (Some(origin), stride) = (origin, length(stride)?) else { return Ok(None) };
        let begun = begun(local, origin, stride).ok_or_else(out_of_range)?;
        clocks.beginning(time, local, begun, stride)?.map(Some).ok_or_else(out_of_range)
    };
    let times = times.as_primitive::<TimestampMicrosecondType>();
    column(times.iter().enumerate().map(bin).collect::<Result<_>>()?)
}

fn column(instants: PrimitiveArray<TimestampMicrosecondType>) -> Result<ArrayRef> {
    let instants: TimestampMicrosecondArray = instants.with_timezone("UTC");
    Ok(Arc::new(instants))
}

/// The beginning of the bin, by clocks.
fn begun(local: i64, origin: i64, stride: i64) -> Option<i64> {
    let since = local.checked_sub(origin)?;
    origin.checked_add(since.checked_div_euclid(stride)?.checked_mul(stride)?)
}

/// A stride in microseconds.
fn length(stride: Span) -> Result<i64> {
    if stride.months != 0 {
        return exec_err!("months and years have no length of their own: write date_trunc('month', time, zone)");
    }
    match i64::try_from(stride.length() / 1_000) {
        Ok(length) if length > 0 => Ok(length),
        _ => exec_err!("the stride of date_bin is longer than nothing"),
    }
}

fn out_of_range() -> DataFusionError {
    exec_datafusion_err!("time out of range")
}

/// What the clocks of the zone of a row show, looked up from both sides.
struct Clocks {
    zones: Zones,
    of_instants: Clock,
    of_locals: Clock,
    of_beginnings: Clock,
}

impl Clocks {
    fn of(zones: &ArrayRef) -> Result<Self> {
        let [of_instants, of_locals, of_beginnings] = std::array::from_fn(|_| Clock::default());
        Ok(Self { zones: Zones::of(zones)?, of_instants, of_locals, of_beginnings })
    }

    /// What clocks show at an instant; `None` where the row has no zone.
    fn local(&mut self, row: usize, time: i64) -> Result<Option<i64>> {
        for clock in [&mut self.of_instants, &mut self.of_locals, &mut self.of_beginnings] {
            if !self.zones.enter(row, clock)? {
                return Ok(None);
            }
        }
        let offset = self.of_instants.of_instant(time.div_euclid(SECOND))?;
        time.checked_add(offset * SECOND).map(Some).ok_or_else(out_of_range)
    }

    /// The instant at which clocks show this; of two, as PostgreSQL has it.
    fn instant(&mut self, local: i64) -> Result<Option<i64>> {
        let offset = self.of_locals.of_local(local.div_euclid(SECOND))?;
        Ok(local.checked_sub(offset * SECOND))
    }

    /// The instant at which a bin began, for a time in it. Bins that are longer than clocks are ever put back have the
    /// hour that comes twice as one; shorter ones come twice.
    fn beginning(&mut self, time: i64, local: i64, begun: i64, stride: i64) -> Result<Option<i64>> {
        let offset = local - time;
        let as_now = begun.checked_sub(offset);
        let Some(seconds) = as_now.map(|as_now| as_now.div_euclid(SECOND)) else { return Ok(None) };
        if stride <= HOUR && self.of_instants.of_instant(seconds)? * SECOND == offset {
            return Ok(as_now);
        }
        let offset = self.of_beginnings.first_of_local(begun.div_euclid(SECOND))?;
        Ok(begun.checked_sub(offset * SECOND))
    }
}

/// What a time is cut off to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// So many microseconds.
    Fixed(i64),
    Week,
    Months(i32),
    /// So many years, of which the first of an era is 1.
    Era(i32),
}

impl Unit {
    fn parse(name: &str) -> Result<Self> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "microsecond" | "microseconds" => Self::Fixed(1),
            "millisecond" | "milliseconds" => Self::Fixed(1_000),
            "second" | "seconds" => Self::Fixed(SECOND),
            "minute" | "minutes" => Self::Fixed(60 * SECOND),
            "hour" | "hours" => Self::Fixed(HOUR),
            "day" | "days" => Self::Fixed(DAY),
            "week" | "weeks" => Self::Week,
            "month" | "months" => Self::Months(1),
            "quarter" => Self::Months(3),
            "year" | "years" => Self::Months(12),
            "decade" | "decades" => Self::Months(120),
            "century" | "centuries" => Self::Era(100),
            "millennium" | "millennia" => Self::Era(1_000),
            _ => return exec_err!("'{name}' is no unit of date_trunc; write hour, day, week, month, quarter or year"),
        })
    }

    fn has_whole_days(self) -> bool {
        !matches!(self, Self::Fixed(length) if length < DAY)
    }

    /// When the unit began that a time is in.
    fn cut(self, local: i64) -> Option<i64> {
        if let Self::Fixed(length) = self {
            return local.checked_div_euclid(length)?.checked_mul(length);
        }
        let day = local.div_euclid(DAY);
        // 1970-01-01 was a Thursday.
        let monday = day - (day + 3).rem_euclid(7);
        let date = DateTime::from_timestamp(day.checked_mul(DAY / SECOND)?, 0)?.date_naive();
        let first = match self {
            Self::Fixed(_) | Self::Week => return monday.checked_mul(DAY),
            Self::Months(length) => {
                let month = date.year().checked_mul(12)?.checked_add(i32::try_from(date.month0()).ok()?)?;
                let month = month.div_euclid(length) * length;
                NaiveDate::from_ymd_opt(month.div_euclid(12), u32::try_from(month.rem_euclid(12)).ok()? + 1, 1)?
            }
            Self::Era(length) => NaiveDate::from_ymd_opt((date.year() - 1).div_euclid(length) * length + 1, 1, 1)?,
        };
        first.signed_duration_since(NaiveDate::default()).num_days().checked_mul(DAY)
    }
}

#[cfg(test)]
mod tests;
