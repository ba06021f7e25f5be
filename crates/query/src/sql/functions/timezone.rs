//! `timezone(zone, time)`, which `time at time zone zone` stands for.

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone};
use datafusion::common::{exec_datafusion_err, exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::computed::{Texts, computed};
use super::span::{SECOND, is_span, spans};

/// An instant becomes the local time of a zone, without a zone; and a local time without a zone becomes the instant at
/// which clocks there show it. Of two such instants it is the one of standard time, as in PostgreSQL.
pub(super) fn timezone() -> ScalarUDF {
    ScalarUDF::new_from_impl(Timezone { signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Timezone {
    signature: Signature,
}

impl ScalarUDFImpl for Timezone {
    fn name(&self) -> &str {
        "timezone"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [zone, time] = types else { return plan_err!("timezone takes a zone and a time") };
        let zone = match zone {
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => zone.clone(),
            DataType::Null | DataType::Dictionary(..) => DataType::Utf8,
            span if is_span(span) => span.clone(),
            other => return plan_err!("a time zone is a name such as 'Europe/Berlin' or an interval, and not {other}"),
        };
        let time = match time {
            DataType::Timestamp(..) => time.clone(),
            DataType::Date32
            | DataType::Date64
            | DataType::Utf8
            | DataType::Utf8View
            | DataType::LargeUtf8
            | DataType::Null => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            other => return plan_err!("AT TIME ZONE is for times, and not for {other}"),
        };
        Ok(vec![zone, time])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [_, DataType::Timestamp(unit, zone)] => {
                let other = if zone.is_some() { None } else { Some("UTC".into()) };
                Ok(DataType::Timestamp(*unit, other))
            }
            _ => plan_err!("timezone takes a zone and a time"),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let returned = arguments.return_field.data_type().clone();
        computed(&arguments, |columns| {
            let [zones, times] = columns else { return Err(super::wrong_number(self.name())) };
            moved(zones, times, &returned)
        })
    }
}

fn moved(zones: &ArrayRef, times: &ArrayRef, returned: &DataType) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, zone) = returned else { return exec_err!("timezone gives a time") };
    let (is_local, per_second) = (zone.is_some(), per_second(*unit));
    let zones = Zones::of(zones)?;
    let numbers = cast(times, &DataType::Int64)?;
    let numbers = numbers.as_primitive::<Int64Type>();
    let mut clock = Clock::default();
    let moved = |(row, number): (usize, Option<i64>)| -> Result<Option<i64>> {
        let Some(number) = number else { return Ok(None) };
        if !zones.enter(row, &mut clock)? {
            return Ok(None);
        }
        let seconds = number.div_euclid(per_second);
        let offset = if is_local { clock.of_local(seconds)?.checked_neg() } else { Some(clock.of_instant(seconds)?) };
        let moved = offset.and_then(|offset| offset.checked_mul(per_second)).and_then(|by| number.checked_add(by));
        moved.map(Some).ok_or_else(|| exec_datafusion_err!("time out of range"))
    };
    let moved = numbers.iter().enumerate().map(moved).collect::<Result<PrimitiveArray<Int64Type>>>()?;
    Ok(cast(&moved, returned)?)
}

/// How many of a unit a second has.
pub(super) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// The zone of each row.
pub(super) enum Zones {
    Named(Texts),
    /// Seconds east of Greenwich.
    Offsets(Vec<Option<i64>>),
}

impl Zones {
    pub(super) fn of(zones: &ArrayRef) -> Result<Self> {
        if !is_span(zones.data_type()) {
            return Texts::of(zones).map(Self::Named);
        }
        let seconds = |span: super::span::Span| i64::try_from(span.length() / SECOND).ok();
        Ok(Self::Offsets(spans(zones)?.into_iter().map(|span| span.and_then(seconds)).collect()))
    }

    /// Puts the clock into the zone of a row; `false` where that has none.
    pub(super) fn enter(&self, row: usize, clock: &mut Clock) -> Result<bool> {
        match self {
            Self::Named(names) => match names.get(row) {
                Some(name) => clock.enter(name).map(|()| true),
                None => Ok(false),
            },
            Self::Offsets(offsets) => {
                let offset = offsets.get(row).copied().flatten();
                clock.known = offset.map(|offset| (Stretch::Always, offset));
                Ok(offset.is_some())
            }
        }
    }
}

/// Clocks of a zone. What they show beside UTC changes at quarters of an hour alone, so it is looked up once for each: instants by
/// one clock, and local times by another.
#[derive(Default)]
pub(super) struct Clock {
    zone: Option<(String, Tz)>,
    known: Option<(Stretch, i64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stretch {
    Always,
    Quarter(i64),
}

impl Clock {
    fn enter(&mut self, name: &str) -> Result<()> {
        if self.zone.as_ref().is_some_and(|(known, _)| known == name) {
            return Ok(());
        }
        self.zone = Some((name.to_owned(), zone(name)?));
        self.known = None;
        Ok(())
    }

    /// Seconds east of Greenwich at an instant.
    pub(super) fn of_instant(&mut self, seconds: i64) -> Result<i64> {
        self.of(seconds, |zone, at| zone.offset_from_utc_datetime(&at).fix().local_minus_utc())
    }

    /// Seconds east of Greenwich when clocks show this.
    pub(super) fn of_local(&mut self, seconds: i64) -> Result<i64> {
        self.of(seconds, |zone, shown| of_shown(zone, shown, &zone.offset_from_local_datetime(&shown)))
    }

    /// The same, but of two instants at which clocks show this it is the first.
    pub(super) fn first_of_local(&mut self, seconds: i64) -> Result<i64> {
        self.of(seconds, |zone, shown| match zone.offset_from_local_datetime(&shown) {
            LocalResult::Ambiguous(first, _) => first.fix().local_minus_utc(),
            other => of_shown(zone, shown, &other),
        })
    }

    fn of(&mut self, seconds: i64, look_up: impl FnOnce(&Tz, NaiveDateTime) -> i32) -> Result<i64> {
        let quarter = Stretch::Quarter(seconds.div_euclid(900));
        match self.known {
            Some((stretch, offset)) if stretch == Stretch::Always || stretch == quarter => return Ok(offset),
            _ => {}
        }
        let at = DateTime::from_timestamp(seconds, 0).map(|at| at.naive_utc());
        let (Some((_, zone)), Some(at)) = (&self.zone, at) else { return exec_err!("time out of range") };
        let offset = i64::from(look_up(zone, at));
        self.known = Some((quarter, offset));
        Ok(offset)
    }
}

/// Seconds east of Greenwich when clocks show this, which is so `found`.
fn of_shown(zone: &Tz, shown: NaiveDateTime, found: &LocalResult<<Tz as TimeZone>::Offset>) -> i32 {
    match found {
        LocalResult::Single(offset) => offset.fix().local_minus_utc(),
        // Once in summer time, and once in standard time.
        LocalResult::Ambiguous(_, later) => later.fix().local_minus_utc(),
        // Clocks leave it out: it counts as if they had not been put forward yet. Some have left out a whole day.
        LocalResult::None => {
            let before = [3, 27].into_iter().filter_map(|hours| shown.checked_sub_signed(TimeDelta::hours(hours)));
            let offset = before.filter_map(|before| zone.offset_from_local_datetime(&before).earliest()).next();
            offset.map_or(0, |offset| offset.fix().local_minus_utc())
        }
    }
}

/// The zone of a name.
pub(super) fn zone(name: &str) -> Result<Tz> {
    if ["utc", "gmt", "z", "zulu"].iter().any(|utc| name.eq_ignore_ascii_case(utc)) {
        return Ok("UTC".parse::<Tz>()?);
    }
    if name.starts_with(['+', '-']) || name.starts_with(|first: char| first.is_ascii_digit()) {
        return exec_err!(
            "'{name}' as a zone is west of Greenwich in PostgreSQL and east elsewhere; write interval '2 hours' for two \
             hours east, or a name such as 'Europe/Berlin'"
        );
    }
    name.parse()
        .map_err(|_| exec_datafusion_err!("there is no time zone '{name}'; names are like 'Europe/Berlin' or 'UTC'"))
}
