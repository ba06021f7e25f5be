//! Every type of Arrow in both forms. What PostgreSQL 15 sends for the same values has been worked out by hand from its
//! documentation of types and of messages.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, Decimal256Array,
    DictionaryArray, DurationMicrosecondArray, DurationMillisecondArray, DurationNanosecondArray, DurationSecondArray,
    FixedSizeBinaryArray, FixedSizeListArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array,
    Int64Array, IntervalDayTimeArray, IntervalMonthDayNanoArray, IntervalYearMonthArray, LargeBinaryArray,
    LargeListArray, LargeStringArray, ListArray, ListViewArray, NullArray, RunArray, StringArray, StringViewArray,
    StructArray, Time32MillisecondArray, Time32SecondArray, Time64MicrosecondArray, Time64NanosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Fields, Int8Type, Int32Type, IntervalDayTime, IntervalMonthDayNano, i256};
use arrow::record_batch::RecordBatch;
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireResult};

use super::{fields, rows};

/// The type, and the values of the one column of a batch as messages have them.
fn sent(array: &ArrayRef, format: &Format) -> PgWireResult<(Type, Vec<Option<Vec<u8>>>)> {
    let batch = RecordBatch::try_from_iter_with_nullable([("a", Arc::clone(array), true)]).unwrap();
    let fields = fields(&batch.schema(), format);
    let of = fields[0].datatype().clone();
    let values = rows(&batch, &fields, None)?.map(|row| {
        let data = row?.data;
        let (length, value) = data.split_first_chunk().unwrap();
        let length = i32::from_be_bytes(*length);
        assert_eq!(usize::try_from(length).unwrap_or(0), value.len());
        Ok((length >= 0).then(|| value.to_vec()))
    });
    Ok((of, values.collect::<PgWireResult<_>>()?))
}

#[track_caller]
fn check(array: impl Into<ArrayRef>, of: &Type, texts: &[Option<&str>], binaries: &[Option<&str>]) {
    let array = array.into();
    let (told, values) = sent(&array, &Format::UnifiedText).unwrap();
    assert_eq!(told.oid(), of.oid());
    let values: Vec<_> = values.into_iter().map(|value| value.map(|value| String::from_utf8(value).unwrap())).collect();
    assert_eq!(values.iter().map(Option::as_deref).collect::<Vec<_>>(), texts);
    let (_, values) = sent(&array, &Format::UnifiedBinary).unwrap();
    let hex = |value: Vec<u8>| value.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let values: Vec<Option<String>> = values.into_iter().map(|value| value.map(hex)).collect();
    let expected: Vec<Option<String>> = binaries.iter().map(|value| value.map(|hex| hex.replace(' ', ""))).collect();
    assert_eq!(values, expected);
}

fn array(of: impl arrow::array::Array + 'static) -> ArrayRef {
    Arc::new(of)
}

#[test]
fn whole_numbers_have_the_next_wider_type_that_postgresql_has() {
    check(
        array(Int8Array::from(vec![Some(2), Some(-128), Some(127), None])),
        &Type::INT2,
        &[Some("2"), Some("-128"), Some("127"), None],
        &[Some("0002"), Some("ff80"), Some("007f"), None],
    );
    check(array(UInt8Array::from(vec![255])), &Type::INT2, &[Some("255")], &[Some("00ff")]);
    check(array(Int16Array::from(vec![i16::MIN])), &Type::INT2, &[Some("-32768")], &[Some("8000")]);
    check(array(UInt16Array::from(vec![u16::MAX])), &Type::INT4, &[Some("65535")], &[Some("0000ffff")]);
    check(array(Int32Array::from(vec![-2])), &Type::INT4, &[Some("-2")], &[Some("fffffffe")]);
    check(array(UInt32Array::from(vec![u32::MAX])), &Type::INT8, &[Some("4294967295")], &[Some("00000000ffffffff")]);
    check(
        array(Int64Array::from(vec![i64::MIN, 1])),
        &Type::INT8,
        &[Some("-9223372036854775808"), Some("1")],
        &[Some("8000000000000000"), Some("0000000000000001")],
    );
    check(
        array(UInt64Array::from(vec![u64::MAX, 0])),
        &Type::NUMERIC,
        &[Some("18446744073709551615"), Some("0")],
        // 1844 6744 0737 0955 1615
        &[Some("0005 0004 0000 0000 0734 1a58 02e1 03bb 064f"), Some("0000 0000 0000 0000")],
    );
    check(
        array(BooleanArray::from(vec![true, false])),
        &Type::BOOL,
        &[Some("t"), Some("f")],
        &[Some("01"), Some("00")],
    );
}

#[test]
fn floating_numbers_have_the_fewest_digits() {
    let doubles = [1.0, 0.1, -0.0, 1e15, 123_456_789_012_345.0, 0.0001, 0.000_012, 1e-300, f64::NAN, f64::NEG_INFINITY];
    let texts =
        ["1", "0.1", "-0", "1e+15", "123456789012345", "0.0001", "1.2e-05", "1e-300", "NaN", "-Infinity"].map(Some);
    let binaries = doubles.map(|double: f64| format!("{:016x}", double.to_bits()));
    let binaries: Vec<Option<&str>> = binaries.iter().map(|hex| Some(hex.as_str())).collect();
    check(array(Float64Array::from(doubles.to_vec())), &Type::FLOAT8, &texts, &binaries);
    check(
        array(Float32Array::from(vec![0.1, 1e6, 123_456.0, f32::INFINITY])),
        &Type::FLOAT4,
        &[Some("0.1"), Some("1e+06"), Some("123456"), Some("Infinity")],
        &[Some("3dcccccd"), Some("49742400"), Some("47f12000"), Some("7f800000")],
    );
    let halves = arrow::compute::cast(&Float32Array::from(vec![1.0]), &DataType::Float16).unwrap();
    check(halves, &Type::FLOAT4, &[Some("1")], &[Some("3f800000")]);
}

#[test]
fn decimals_keep_all_of_their_digits() {
    let decimal = |values: Vec<i128>, scale| Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap();
    check(
        array(decimal(vec![1234, -5, 0, 100_000_000], 2)),
        &Type::NUMERIC,
        &[Some("12.34"), Some("-0.05"), Some("0.00"), Some("1000000.00")],
        &[
            Some("0002 0000 0000 0002 000c 0d48"),
            Some("0001 ffff 4000 0002 01f4"),
            Some("0000 0000 0000 0002"),
            Some("0001 0001 0000 0002 0064"),
        ],
    );
    check(
        array(decimal(vec![10_i128.pow(38) - 1], 0)),
        &Type::NUMERIC,
        &[Some("99999999999999999999999999999999999999")],
        &[Some("000a 0009 0000 0000 0063 270f 270f 270f 270f 270f 270f 270f 270f 270f")],
    );
    // A millionth of a millionth, and millions of thousands.
    check(array(decimal(vec![1], 12)), &Type::NUMERIC, &[Some("0.000000000001")], &[Some("0001 fffd 0000 000c 0001")]);
    check(
        array(decimal(vec![7, 0], -3)),
        &Type::NUMERIC,
        &[Some("7000"), Some("0")],
        &[Some("0001 0000 0000 0000 1b58"), Some("0000 0000 0000 0000")],
    );
    let wide = Decimal256Array::from(vec![i256::from_string(&format!("-1{}", "0".repeat(70))).unwrap()]);
    check(
        array(wide.with_precision_and_scale(76, 1).unwrap()),
        &Type::NUMERIC,
        &[Some(&format!("-1{}.0", "0".repeat(69)))],
        &[Some("0001 0011 4000 0001 000a")],
    );
}

#[test]
fn dates_and_times_of_day_are_those_of_the_calendar() {
    check(
        array(Date32Array::from(vec![10_957, 0, 11_016, -719_528, -719_163, 2_932_897])),
        &Type::DATE,
        &[
            Some("2000-01-01"),
            Some("1970-01-01"),
            Some("2000-02-29"),
            Some("0001-01-01 BC"),
            Some("0001-12-31 BC"),
            Some("10000-01-01"),
        ],
        &[Some("00000000"), Some("ffffd533"), Some("0000003b"), Some("fff4da8b"), Some("fff4dbf8"), Some("002c95d4")],
    );
    // The last moment of 1969 is of its last day.
    check(array(Date64Array::from(vec![-1])), &Type::DATE, &[Some("1969-12-31")], &[Some("ffffd532")]);
    for (times, micros) in [
        (array(Time32SecondArray::from(vec![3_723])), 3_723_000_000_i64),
        (array(Time32MillisecondArray::from(vec![3_723_500])), 3_723_500_000),
        (array(Time64MicrosecondArray::from(vec![3_723_000_001])), 3_723_000_001),
        (array(Time64NanosecondArray::from(vec![3_723_000_001_999])), 3_723_000_001),
    ] {
        let text = match micros {
            3_723_000_000 => "01:02:03",
            3_723_500_000 => "01:02:03.5",
            _ => "01:02:03.000001",
        };
        check(times, &Type::TIME, &[Some(text)], &[Some(&format!("{micros:016x}"))]);
    }
}

#[test]
fn instants_have_the_offset_of_their_zone() {
    // The first instant of 2018 is 17532 days after that of 1970, and 568,080,000 seconds after that of 2000.
    let (second, binary) = (1_514_764_800_i64, format!("{:016x}", 568_080_000_000_000_i64));
    let in_zone = |zone: &str| array(TimestampSecondArray::from(vec![second]).with_timezone(zone));
    for (zone, text) in [
        ("UTC", "2018-01-01 00:00:00+00"),
        ("+05:30", "2018-01-01 05:30:00+05:30"),
        ("Asia/Kolkata", "2018-01-01 05:30:00+05:30"),
        ("Asia/Kathmandu", "2018-01-01 05:45:00+05:45"),
        ("America/St_Johns", "2017-12-31 20:30:00-03:30"),
        ("America/New_York", "2017-12-31 19:00:00-05"),
        ("-00:30", "2017-12-31 23:30:00-00:30"),
    ] {
        check(in_zone(zone), &Type::TIMESTAMPTZ, &[Some(text)], &[Some(&binary)]);
    }
    // Clocks once went by the sun: in 1800 those of Kolkata were 5:53:28 ahead.
    let sun = array(TimestampSecondArray::from(vec![-5_364_662_400]).with_timezone("Asia/Kolkata"));
    let (_, values) = sent(&sun, &Format::UnifiedText).unwrap();
    assert_eq!(values[0].as_deref().unwrap(), b"1800-01-01 05:53:28+05:53:28");
    for (instants, text, micros) in [
        (array(TimestampMillisecondArray::from(vec![second * 1_000 + 70])), "2018-01-01 00:00:00.07", 70_000),
        (array(TimestampMicrosecondArray::from(vec![second * 1_000_000 - 1])), "2017-12-31 23:59:59.999999", -1),
        (array(TimestampNanosecondArray::from(vec![second * 1_000_000_000 + 1_999])), "2018-01-01 00:00:00.000001", 1),
        (array(TimestampNanosecondArray::from(vec![second * 1_000_000_000 - 1])), "2017-12-31 23:59:59.999999", -1),
    ] {
        let binary = format!("{:016x}", 568_080_000_000_000_i64 + micros);
        check(instants, &Type::TIMESTAMP, &[Some(text)], &[Some(&binary)]);
    }
}

#[test]
fn times_that_postgresql_does_not_have_are_errors() {
    for beyond in [
        array(TimestampMillisecondArray::from(vec![i64::MAX]).with_timezone("UTC")),
        array(TimestampMicrosecondArray::from(vec![i64::MIN])),
        array(TimestampSecondArray::from(vec![i64::MIN]).with_timezone("Asia/Kolkata")),
        array(Date32Array::from(vec![i32::MAX])),
        array(Date64Array::from(vec![i64::MAX])),
        array(DurationSecondArray::from(vec![i64::MAX])),
        array(DurationMillisecondArray::from(vec![i64::MIN])),
    ] {
        for format in [Format::UnifiedText, Format::UnifiedBinary] {
            let error = ErrorInfo::from(sent(&beyond, &format).unwrap_err());
            assert_eq!(error.code, "22008", "{}", error.message);
            assert!(error.message.ends_with("out of range"), "{}", error.message);
        }
    }
}

#[test]
fn intervals_are_months_days_and_time() {
    let parts = [(14, 3, 14_706_789_000_000), (-1, 2, -1_000), (0, 0, 0), (1, 0, 0), (0, -1, 3_600_000_000_000)];
    let parts = parts.map(|(months, days, nanoseconds)| IntervalMonthDayNano { months, days, nanoseconds });
    check(
        array(IntervalMonthDayNanoArray::from(parts.to_vec())),
        &Type::INTERVAL,
        &[
            Some("1 year 2 mons 3 days 04:05:06.789"),
            Some("-1 mons +2 days -00:00:00.000001"),
            Some("00:00:00"),
            Some("1 mon"),
            Some("-1 days +01:00:00"),
        ],
        &[
            Some("000000036c97ca88 00000003 0000000e"),
            Some("ffffffffffffffff 00000002 ffffffff"),
            Some("0000000000000000 00000000 00000000"),
            Some("0000000000000000 00000000 00000001"),
            Some("00000000d693a400 ffffffff 00000000"),
        ],
    );
    let years = IntervalYearMonthArray::from(vec![Some(-25), None]);
    check(
        array(years),
        &Type::INTERVAL,
        &[Some("-2 years -1 mons"), None],
        &[Some("0000000000000000 00000000 ffffffe7"), None],
    );
    let days = IntervalDayTimeArray::from(vec![IntervalDayTime { days: 1, milliseconds: -1 }]);
    let minus = format!("{:016x} 00000001 00000000", -1_000_i64);
    check(array(days), &Type::INTERVAL, &[Some("1 day -00:00:00.001")], &[Some(&minus)]);
    // The days of a difference have 24 hours each.
    let expected = (&[Some("1 day 01:00:00")][..], format!("{:016x} 00000001 00000000", 3_600_000_000_i64));
    for duration in [
        array(DurationSecondArray::from(vec![90_000])),
        array(DurationMillisecondArray::from(vec![90_000_000])),
        array(DurationMicrosecondArray::from(vec![90_000_000_000])),
        array(DurationNanosecondArray::from(vec![90_000_000_000_000])),
    ] {
        check(duration, &Type::INTERVAL, expected.0, &[Some(&expected.1)]);
    }
}

#[test]
fn texts_and_bytes_are_as_they_are() {
    for texts in [
        array(StringArray::from(vec![Some("\u{fc}"), Some(""), None])),
        array(LargeStringArray::from(vec![Some("\u{fc}"), Some(""), None])),
        array(StringViewArray::from(vec![Some("\u{fc}"), Some(""), None])),
        array(DictionaryArray::<Int8Type>::new(
            Int8Array::from(vec![Some(1), Some(0), None]),
            Arc::new(StringArray::from(vec!["", "\u{fc}"])),
        )),
        // A null may be among the dictionary's values.
        array(DictionaryArray::<Int32Type>::new(
            Int32Array::from(vec![2, 1, 0]),
            Arc::new(StringArray::from(vec![None, Some(""), Some("\u{fc}")])),
        )),
        array(
            RunArray::<Int32Type>::try_new(
                &Int32Array::from(vec![1, 2, 3]),
                &StringArray::from(vec![Some("\u{fc}"), Some(""), None]),
            )
            .unwrap(),
        ),
    ] {
        check(texts, &Type::TEXT, &[Some("\u{fc}"), Some(""), None], &[Some("c3bc"), Some(""), None]);
    }
    let bytes: &[u8] = b"\0\xff\\";
    for bytes in [
        array(BinaryArray::from(vec![bytes])),
        array(LargeBinaryArray::from(vec![bytes])),
        array(BinaryViewArray::from(vec![bytes])),
        array(FixedSizeBinaryArray::try_from(vec![bytes]).unwrap()),
    ] {
        check(bytes, &Type::BYTEA, &[Some("\\x00ff5c")], &[Some("00ff5c")]);
    }
    check(array(NullArray::new(2)), &Type::TEXT, &[None, None], &[None, None]);
    let none = DictionaryArray::<Int8Type>::new(Int8Array::from(vec![None]), Arc::new(StringArray::new_null(0)));
    check(array(none), &Type::TEXT, &[None], &[None]);
}

fn list(element: DataType, values: ArrayRef, lengths: &[usize], nulls: Option<Vec<bool>>) -> ListArray {
    let field = Arc::new(Field::new("item", element, true));
    ListArray::new(field, OffsetBuffer::from_lengths(lengths.iter().copied()), values, nulls.map(NullBuffer::from))
}

#[test]
fn lists_are_arrays() {
    let texts = StringArray::from(vec![Some("a"), Some("a b"), Some(""), None, Some("null"), Some("\"\\,{")]);
    let lists = list(DataType::Utf8, Arc::new(texts), &[6, 0, 0], Some(vec![true, true, false]));
    check(
        array(lists),
        &Type::TEXT_ARRAY,
        &[Some(r#"{a,"a b","",NULL,"null","\"\\,{"}"#), Some("{}"), None],
        &[
            Some(
                "00000001 00000001 00000019 00000006 00000001 \
                 00000001 61 00000003 612062 00000000 ffffffff 00000004 6e756c6c 00000004 225c2c7b",
            ),
            Some("00000000 00000000 00000019"),
            None,
        ],
    );
    // 2 and 3 are the second row's.
    let numbers: ArrayRef = Arc::new(Int8Array::from(vec![1, 2, 3]));
    let item = Arc::new(Field::new("item", DataType::Int8, true));
    let sliced = list(DataType::Int8, Arc::clone(&numbers), &[1, 2], None).slice(1, 1);
    let large = LargeListArray::new(Arc::clone(&item), OffsetBuffer::from_lengths([1, 2]), Arc::clone(&numbers), None);
    let (offsets, sizes) = (ScalarBuffer::from(vec![1]), ScalarBuffer::from(vec![2]));
    let view = ListViewArray::new(Arc::clone(&item), offsets, sizes, numbers, None);
    let four: ArrayRef = Arc::new(Int8Array::from(vec![0, 1, 2, 3]));
    let fixed = FixedSizeListArray::new(item, 2, four, None).slice(1, 1);
    let binary = "00000001 00000000 00000015 00000002 00000001 00000002 0002 00000002 0003";
    for lists in [array(sliced), array(large.slice(1, 1)), array(view), array(fixed)] {
        check(lists, &Type::INT2_ARRAY, &[Some("{2,3}")], &[Some(binary)]);
    }
    let instants: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0]).with_timezone("+05:30"));
    let lists = list(instants.data_type().clone(), instants, &[1], None);
    let binary = "00000001 00000000 000004a0 00000001 00000001 00000008 fffca2fec4c82000";
    check(array(lists), &Type::TIMESTAMPTZ_ARRAY, &[Some(r#"{"1970-01-01 05:30:00+05:30"}"#)], &[Some(binary)]);
    let of_nulls = list(DataType::Null, Arc::new(NullArray::new(1)), &[1], None);
    let binary = "00000001 00000001 00000019 00000001 00000001 ffffffff";
    check(array(of_nulls), &Type::TEXT_ARRAY, &[Some("{NULL}")], &[Some(binary)]);
}

#[test]
fn lists_of_lists_are_arrays_of_more_dimensions() {
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3, 4]));
    let pairs: ArrayRef = Arc::new(list(DataType::Int32, Arc::clone(&numbers), &[2, 2], None));
    let nested = list(pairs.data_type().clone(), pairs, &[2], None);
    check(
        array(nested),
        &Type::INT4_ARRAY,
        &[Some("{{1,2},{3,4}}")],
        &[Some(
            "00000002 00000000 00000017 00000002 00000001 00000002 00000001 \
         00000004 00000001 00000004 00000002 00000004 00000003 00000004 00000004",
        )],
    );
    let uneven: ArrayRef = Arc::new(list(DataType::Int32, numbers, &[1, 3], None));
    let nested = array(list(uneven.data_type().clone(), uneven, &[2], None));
    let (_, values) = sent(&nested, &Format::UnifiedText).unwrap();
    assert_eq!(values[0].as_deref().unwrap(), b"{{1},{2,3,4}}");
    let error = ErrorInfo::from(sent(&nested, &Format::UnifiedBinary).unwrap_err());
    assert!(error.message.contains("lists of different lengths"), "{}", error.message);
}

#[test]
fn structures_are_records() {
    let fields = Fields::from(vec![Field::new("a", DataType::Int8, true), Field::new("b", DataType::Utf8, true)]);
    let texts = StringArray::from(vec![Some("x"), Some("a \"b\""), None, Some("")]);
    let columns: Vec<ArrayRef> = vec![Arc::new(Int8Array::from(vec![1, 2, 3, 4])), Arc::new(texts)];
    let nulls = NullBuffer::from(vec![true, true, true, false]);
    let records = array(StructArray::new(fields.clone(), columns, Some(nulls)));
    check(
        Arc::clone(&records),
        &Type::RECORD,
        &[Some("(1,x)"), Some(r#"(2,"a ""b""")"#), Some("(3,)"), None],
        &[
            Some("00000002 00000015 00000002 0001 00000019 00000001 78"),
            Some("00000002 00000015 00000002 0002 00000019 00000005 6120226222"),
            Some("00000002 00000015 00000002 0003 00000019 ffffffff"),
            None,
        ],
    );
    let lists = array(list(DataType::Struct(fields), records.slice(0, 1), &[1], None));
    let (of, values) = sent(&lists, &Format::UnifiedText).unwrap();
    assert_eq!((of, values[0].as_deref().unwrap()), (Type::RECORD_ARRAY, &br#"{"(1,x)"}"#[..]));
}
