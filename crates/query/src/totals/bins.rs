//! Bins of equal width on the time line, as `date_bin` and `date_trunc` make them.

use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::functions::datetime::date_bin::DateBinFunc;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;
use skillscope_segment::column;

/// DataFusion's function, and the one that SQL has in its place: both give the same.
const DATE_TRUNC: &str = "date_trunc";

pub(super) const NS_PER_MS: i64 = 1_000_000;

const NS_PER_DAY: i64 = 86_400_000 * NS_PER_MS;

/// 146 years.
const MAX_ORIGIN_NS: u64 = 1 << 62;

/// 73 years.
const MAX_WIDTH_NS: i64 = 1 << 61;

/// Bins of equal width, one after the other without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bins {
    /// The start of bin 0, in nanoseconds since the epoch.
    origin_ns: i64,
    /// The first millisecond that lies in bin 0.
    origin: i64,
    /// In milliseconds; `None` where one bin has all times.
    width: Option<i64>,
}

impl Bins {
    /// One bin for all times.
    pub(super) const ONE: Self = Self { origin_ns: 0, origin: 0, width: None };

    /// The bins of `date_bin` over the end time, or of `date_trunc` where its bins are of equal width. `None` for any
    /// other expression.
    pub(super) fn recognise(expression: &Expr) -> Option<Self> {
        let Expr::ScalarFunction(function) = expression else { return None };
        if function.func.inner().is::<DateBinFunc>() {
            Self::of_date_bin(function)
        } else if function.func.name() == DATE_TRUNC {
            Self::of_date_trunc(function)
        } else {
            None
        }
    }

    fn of_date_bin(function: &ScalarFunction) -> Option<Self> {
        let (width, time, origin) = match function.args.as_slice() {
            [width, time] => (width, time, 0),
            [width, time, Expr::Literal(origin, _)] => (width, time, nanoseconds(origin)?),
            _ => return None,
        };
        let Expr::Literal(width, _) = width else { return None };
        let width = match width {
            ScalarValue::IntervalMonthDayNano(Some(width)) if width.months == 0 => {
                i64::from(width.days).checked_mul(NS_PER_DAY)?.checked_add(width.nanoseconds)?
            }
            ScalarValue::IntervalDayTime(Some(width)) => i64::from(width.days)
                .checked_mul(NS_PER_DAY)?
                .checked_add(i64::from(width.milliseconds).checked_mul(NS_PER_MS)?)?,
            _ => return None,
        };
        is_end_time(time).then(|| Self::new(origin, width))?
    }

    fn of_date_trunc(function: &ScalarFunction) -> Option<Self> {
        let [Expr::Literal(granularity, _), time] = function.args.as_slice() else { return None };
        const SECOND: i64 = 1_000 * NS_PER_MS;
        let (origin, width) = match granularity.try_as_str().flatten()?.to_ascii_lowercase().as_str() {
            "second" => (0, SECOND),
            "minute" => (0, 60 * SECOND),
            "hour" => (0, 3_600 * SECOND),
            "day" => (0, NS_PER_DAY),
            // The epoch was a Thursday, and weeks begin on Mondays.
            "week" => (4 * NS_PER_DAY, 7 * NS_PER_DAY),
            _ => return None,
        };
        is_end_time(time).then(|| Self::new(origin, width))?
    }

    fn new(origin_ns: i64, width_ns: i64) -> Option<Self> {
        // Beyond these bounds, the start of a bin of present times may not fit into 64 bits of nanoseconds.
        if origin_ns.unsigned_abs() > MAX_ORIGIN_NS || width_ns > MAX_WIDTH_NS {
            return None;
        }
        // A bin that begins between two milliseconds has the end times from the later one on.
        let origin = origin_ns.div_euclid(NS_PER_MS) + i64::from(origin_ns.rem_euclid(NS_PER_MS) > 0);
        let is_whole = width_ns > 0 && width_ns % NS_PER_MS == 0;
        is_whole.then_some(Self { origin_ns, origin, width: Some(width_ns / NS_PER_MS) })
    }

    /// The number of the bin that a time lies in.
    pub(super) fn of(&self, time: i64) -> i64 {
        match self.width {
            Some(width) => time.saturating_sub(self.origin).div_euclid(width),
            None => 0,
        }
    }

    /// The first millisecond of a bin.
    pub(super) fn start(&self, bin: i64) -> i64 {
        match self.width {
            Some(width) => bin.saturating_mul(width).saturating_add(self.origin),
            None if bin <= 0 => i64::MIN,
            None => i64::MAX,
        }
    }

    /// About how many bins a range of times touches.
    pub(super) fn count(&self, from: i64, until: i64) -> u64 {
        let span = u64::try_from(until.saturating_sub(from)).unwrap_or(0);
        self.width.map_or(1, |width| span / width.unsigned_abs() + 1)
    }

    /// The milliseconds of a bin; `None` where there is only one.
    pub(super) fn width(&self) -> Option<i64> {
        self.width
    }

    /// The starts of bins in a column's own type.
    pub(super) fn labels(&self, mut bins: Vec<i64>, data_type: &DataType) -> Result<ArrayRef> {
        let DataType::Timestamp(unit, zone) = data_type else { return Err(unexpected(data_type)) };
        let width_ns = self.width.unwrap_or(1).checked_mul(NS_PER_MS).ok_or_else(out_of_range)?;
        for bin in &mut bins {
            let label = bin.checked_mul(width_ns).and_then(|since| since.checked_add(self.origin_ns));
            *bin = label.ok_or_else(out_of_range)?;
        }
        match unit {
            TimeUnit::Nanosecond => Ok(Arc::new(TimestampNanosecondArray::from(bins).with_timezone_opt(zone.clone()))),
            TimeUnit::Microsecond => {
                bins.iter_mut().for_each(|label| *label /= 1_000);
                Ok(Arc::new(TimestampMicrosecondArray::from(bins).with_timezone_opt(zone.clone())))
            }
            TimeUnit::Millisecond => {
                // DataFusion rounds towards the epoch, too.
                bins.iter_mut().for_each(|label| *label /= NS_PER_MS);
                Ok(Arc::new(TimestampMillisecondArray::from(bins).with_timezone_opt(zone.clone())))
            }
            _ => Err(unexpected(data_type)),
        }
    }
}

/// The end time, also in nanoseconds instead of milliseconds.
pub(super) fn is_end_time(expression: &Expr) -> bool {
    match expression {
        Expr::Column(name) => name.name == column::END_TIME,
        Expr::Cast(cast) => {
            let is_same_clock = |zone: &Option<Arc<str>>| zone.as_deref().is_none_or(|zone| zone == "UTC");
            let keeps_all = match cast.field.data_type() {
                DataType::Timestamp(TimeUnit::Second, _) => false,
                DataType::Timestamp(_, zone) => is_same_clock(zone),
                _ => false,
            };
            keeps_all && is_end_time(&cast.expr)
        }
        _ => false,
    }
}

/// An instant in nanoseconds since the epoch.
pub(super) fn nanoseconds(instant: &ScalarValue) -> Option<i64> {
    match instant {
        ScalarValue::TimestampSecond(Some(time), _) => time.checked_mul(1_000 * NS_PER_MS),
        ScalarValue::TimestampMillisecond(Some(time), _) => time.checked_mul(NS_PER_MS),
        ScalarValue::TimestampMicrosecond(Some(time), _) => time.checked_mul(1_000),
        ScalarValue::TimestampNanosecond(Some(time), _) => Some(*time),
        _ => None,
    }
}

fn out_of_range() -> DataFusionError {
    DataFusionError::Execution("the start of a bin lies beyond the times that can be written".to_owned())
}

fn unexpected(data_type: &DataType) -> DataFusionError {
    DataFusionError::Internal(format!("the starts of bins are not of type {data_type}"))
}
