use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};
use chrono::{NaiveDateTime, Utc};
use proptest::prelude::*;

use super::*;

fn micros(time: &str) -> i64 {
    time.parse::<DateTime<Utc>>().unwrap().timestamp_micros()
}

fn told(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap().format("%Y-%m-%dT%H:%MZ").to_string()
}

fn one(time: i64) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![time]).with_timezone("UTC"))
}

fn text(text: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![text]))
}

fn value(column: &ArrayRef) -> i64 {
    column.as_primitive::<TimestampMicrosecondType>().value(0)
}

fn cut(unit: &str, time: i64, zone: &str) -> i64 {
    value(&truncated(&text(unit), &one(time), &text(zone)).unwrap())
}

fn bin(stride: i64, time: i64, origin: &str, zone: &str) -> i64 {
    let stride = Int64Array::from(vec![stride]);
    let stride = cast(&stride, &DataType::Duration(TimeUnit::Microsecond)).unwrap();
    let origin = NaiveDateTime::parse_from_str(origin, "%Y-%m-%d %H:%M").unwrap().and_utc().timestamp_micros();
    let origin: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![origin]));
    value(&binned(&stride, &one(time), &origin, &text(zone)).unwrap())
}

#[test]
fn a_unit_begins_by_the_clocks_of_the_zone() {
    for (unit, time, zone, expected) in [
        ("day", "2018-03-25T12:00:00Z", "Europe/Berlin", "2018-03-24T23:00Z"),
        ("day", "2018-10-28T12:00:00Z", "Europe/Berlin", "2018-10-27T22:00Z"),
        ("DAY", "2018-10-28T22:59:59Z", "Europe/Berlin", "2018-10-27T22:00Z"),
        ("day", "2018-10-28T23:00:00Z", "Europe/Berlin", "2018-10-28T23:00Z"),
        // The hour from two to three comes twice.
        ("hour", "2018-10-28T00:30:00Z", "Europe/Berlin", "2018-10-28T00:00Z"),
        ("hour", "2018-10-28T01:30:00Z", "Europe/Berlin", "2018-10-28T01:00Z"),
        ("minute", "2018-10-28T00:30:45Z", "Europe/Berlin", "2018-10-28T00:30Z"),
        ("week", "2018-03-25T12:00:00Z", "Europe/Berlin", "2018-03-18T23:00Z"),
        ("week", "2018-03-26T12:00:00Z", "Europe/Berlin", "2018-03-25T22:00Z"),
        ("month", "2018-10-31T23:30:00Z", "Europe/Berlin", "2018-10-31T23:00Z"),
        ("month", "2018-07-01T03:00:00Z", "America/New_York", "2018-06-01T04:00Z"),
        ("quarter", "2018-05-17T12:00:00Z", "Europe/Berlin", "2018-03-31T22:00Z"),
        ("year", "2018-05-17T12:00:00Z", "Europe/Berlin", "2017-12-31T23:00Z"),
        ("decade", "2018-05-17T12:00:00Z", "UTC", "2010-01-01T00:00Z"),
        ("century", "2000-12-31T12:00:00Z", "UTC", "1901-01-01T00:00Z"),
        ("century", "2018-05-17T12:00:00Z", "Europe/Berlin", "2000-12-31T23:00Z"),
        ("millennium", "2018-05-17T12:00:00Z", "UTC", "2001-01-01T00:00Z"),
        ("hour", "2018-01-01T10:15:00Z", "Asia/Kolkata", "2018-01-01T09:30Z"),
        ("year", "1969-05-17T12:00:00Z", "UTC", "1969-01-01T00:00Z"),
    ] {
        assert_eq!(told(cut(unit, micros(time), zone)), expected, "{unit} {time} {zone}");
    }
    truncated(&text("fortnight"), &one(0), &text("UTC")).unwrap_err();
    truncated(&text("day"), &one(0), &text("Nowhere/Land")).unwrap_err();
}

#[test]
fn bins_begin_by_the_clocks_of_the_zone() {
    for (stride, time, expected) in [
        (DAY, "2018-10-27T22:00:00Z", "2018-10-27T22:00Z"),
        (DAY, "2018-10-28T22:59:00Z", "2018-10-27T22:00Z"),
        (DAY, "2018-10-28T23:00:00Z", "2018-10-28T23:00Z"),
        (DAY, "2018-03-24T23:00:00Z", "2018-03-24T23:00Z"),
        (DAY, "2018-03-25T21:59:00Z", "2018-03-24T23:00Z"),
        (DAY, "2018-03-25T22:00:00Z", "2018-03-25T22:00Z"),
        (7 * DAY, "2018-03-25T12:00:00Z", "2018-03-18T23:00Z"),
        (6 * HOUR, "2018-03-25T02:00:00Z", "2018-03-24T23:00Z"),
        (6 * HOUR, "2018-03-25T04:00:00Z", "2018-03-25T04:00Z"),
        // Quarters of the hour that comes twice come twice, and two hours with it are three.
        (HOUR / 4, "2018-10-28T00:20:00Z", "2018-10-28T00:15Z"),
        (HOUR / 4, "2018-10-28T01:20:00Z", "2018-10-28T01:15Z"),
        (2 * HOUR, "2018-10-28T00:30:00Z", "2018-10-28T00:00Z"),
        (2 * HOUR, "2018-10-28T01:30:00Z", "2018-10-28T00:00Z"),
        (2 * HOUR, "2018-10-28T02:30:00Z", "2018-10-28T00:00Z"),
        // Clocks never show two o'clock on this day.
        (2 * HOUR, "2018-03-25T01:30:00Z", "2018-03-25T01:00Z"),
    ] {
        let found = bin(stride, micros(time), "2001-01-01 00:00", "Europe/Berlin");
        assert_eq!(told(found), expected, "{stride} {time}");
    }
    assert_eq!(
        told(bin(DAY, micros("2018-07-17T03:00:00Z"), "2018-01-01 06:00", "Europe/Berlin")),
        "2018-07-16T04:00Z"
    );
}

proptest! {
    #[test]
    fn bins_follow_one_another_and_have_their_times_in_them(
        times in prop::collection::vec(0_i64..4_000_000_000, 2..40),
        stride in prop::sample::select(vec![HOUR / 12, HOUR / 4, HOUR / 2, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY]),
        zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
    ) {
        let mut times: Vec<i64> = times.into_iter().map(|seconds| seconds * SECOND).collect();
        times.sort_unstable();
        let mut last = i64::MIN;
        for time in times {
            let begun = bin(stride, time, "2001-01-01 00:00", zone);
            prop_assert!(begun <= time && time - begun < stride + HOUR);
            prop_assert!(last <= begun);
            prop_assert_eq!(bin(stride, begun, "2001-01-01 00:00", zone), begun);
            last = begun;
            if stride == DAY {
                prop_assert_eq!(begun, cut("day", time, zone));
            }
        }
    }
}
