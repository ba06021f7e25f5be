use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow::array::{
    ArrayRef, AsArray, DictionaryArray, Int32Array, Int64Array, ListArray, StringArray, StringViewArray, UInt64Array,
};
use arrow::datatypes::{DataType, Int64Type, Schema, TimeUnit};
use arrow::ipc::writer::FileWriter;
use arrow::util::pretty::pretty_format_batches;
use proptest::prelude::*;

use super::*;

fn csv(text: impl Into<Vec<u8>>) -> Result<SmallTable> {
    SmallTable::read(TableFormat::Csv, Input::Bytes(Bytes::from(text.into())))
}

fn refusal(text: impl Into<Vec<u8>>) -> String {
    csv(text).unwrap_err().to_string()
}

fn shown(table: &SmallTable) -> Vec<String> {
    let text = pretty_format_batches(&[table.rows().clone()]).unwrap().to_string();
    let lines = text.lines().filter(|line| !line.starts_with('+'));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join("|")).collect()
}

fn types(table: &SmallTable) -> Vec<DataType> {
    table.schema().fields().iter().map(|field| field.data_type().clone()).collect()
}

const LOCAL: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

fn utc() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

#[test]
fn names_of_skills_are_read_as_people_write_them() {
    for text in [
        "skill_id,name\n1,Billing\n2,\"Cards, lost\"\n",
        "\u{feff}skill_id,name\r\n1,Billing\r\n2,\"Cards, lost\"\r\n",
        "skill_id;name\r1;Billing\r2;Cards, lost",
        "\nskill_id\tname\n\n1\tBilling\n2\tCards, lost\n\n",
        "\"skill_id\", name \n\"1\",\"Billing\"\n\"2\",\"Cards, lost\"",
    ] {
        let table = csv(text).unwrap();
        assert_eq!(shown(&table), ["skill_id|name", "1|Billing", "2|Cards, lost"], "{text:?}");
        assert_eq!(types(&table), [DataType::Int64, DataType::Utf8], "{text:?}");
    }
    let mut utf16 = vec![0xFF, 0xFE];
    utf16.extend("skill_id,name\n1,Zürich".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(shown(&csv(utf16).unwrap()), ["skill_id|name", "1|Zürich"]);
}

#[test]
fn quotes_keep_separators_line_ends_and_quotes() {
    let table = csv("a,b\n\"x\n\"\"y\"\"\",\"\"\n,\"z\"\n").unwrap();
    let column = |number: usize| table.rows().column(number).as_string::<i32>().iter().collect::<Vec<_>>();
    assert_eq!(column(0), [Some("x\n\"y\""), None]);
    // Quotes with nothing between them are an empty text, and nothing at all is null.
    assert_eq!(column(1), [Some(""), Some("z")]);
}

#[test]
fn a_column_has_the_type_that_all_of_its_values_have() {
    for (values, expected) in [
        (vec!["1", "-2", "0"], DataType::Int64),
        (vec!["9223372036854775807"], DataType::Int64),
        (vec!["9223372036854775808"], DataType::Utf8),
        (vec!["007", "12"], DataType::Utf8),
        (vec!["+1"], DataType::Utf8),
        (vec!["1", "2.5", " 3.0 "], DataType::Float64),
        (vec!["0.5", "-1.25e-05"], DataType::Float64),
        (vec!["1e5"], DataType::Utf8),
        (vec!["1.5", "9007199254740993"], DataType::Utf8),
        (vec!["1.", "NaN", "inf"], DataType::Utf8),
        (vec!["true", "FALSE"], DataType::Boolean),
        (vec!["t", "f"], DataType::Utf8),
        (vec!["2018-01-17", "2020-02-29"], DataType::Date32),
        (vec!["2019-02-29"], DataType::Utf8),
        (vec!["17.01.2018"], DataType::Utf8),
        (vec!["2018-01-17 08:00", "2018-01-17T08:00:30.5"], LOCAL),
        (vec!["2018-01-17T08:00:00Z", "2018-01-17 09:00:00+01", "2018-01-17 09:30:00.25 +01:30"], utc()),
        (vec!["2018-01-17", "2018-01-17 08:00"], DataType::Utf8),
        (vec!["2018-01-17 25:00"], DataType::Utf8),
        (vec!["1", "x"], DataType::Utf8),
        (vec![""], DataType::Utf8),
        (vec![], DataType::Utf8),
    ] {
        let lines: String = values.iter().map(|value| format!("{value},1\n")).collect();
        assert_eq!(types(&csv(format!("a,b\n{lines}")).unwrap())[0], expected, "{values:?}");
    }
    let table = csv("t,b\n2018-01-17 09:30:00.25 +01:30,1\n1969-12-31T23:59:59-00:30,2\n,3\n").unwrap();
    assert_eq!(shown(&table), ["t|b", "2018-01-17T08:00:00.250Z|1", "1970-01-01T00:29:59Z|2", "|3"]);
}

#[test]
fn columns_that_segments_have_are_of_their_type() {
    let table = csv("skill_id,agent_id,last_agent_id,source\n007,4501,1,2\n").unwrap();
    assert_eq!(types(&table), [DataType::Int64, DataType::Utf8, DataType::Utf8, DataType::Utf8]);
    assert_eq!(shown(&table)[1], "7|4501|1|2");
    assert_eq!(types(&csv("skill_id,name\n").unwrap()), [DataType::Int64, DataType::Utf8]);
    assert_eq!(types(&csv("skill_id,name\nbilling,x\n").unwrap())[0], DataType::Utf8);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, reason) in [
        ("", "it is empty; its first line has the names of the columns"),
        ("\n\n", "it is empty; its first line has the names of the columns"),
        ("a,,c\n1,2,3\n", "column 2 has no name; the first line of CSV has a name for each"),
        ("a,b,\" \"\n", "column 3 has no name; the first line of CSV has a name for each"),
        ("a,b,a\n", "two columns have the name \"a\""),
        ("a,b\n1,2\n1\n", "line 3 has 1 fields, and the first line has 2"),
        ("a,b\n\"x\ny\",2\n1,2,3\n", "line 4 has 3 fields, and the first line has 2"),
        ("a,b\n1,2,3,4\n", "line 2 has 4 fields, and the first line has 2"),
        ("a,b\n1,\"2\n", "the quotes that line 2 opens are never closed"),
        ("a,b\n1,\"2\"3\n", "line 2 goes on after the quotes that close a field; write \"\" for a quote in one"),
    ] {
        assert_eq!(refusal(text), reason, "{text:?}");
    }
    assert_eq!(refusal(b"a,b\n1,2\n3,\xE4\n"), "line 3 is not text in UTF-8; save the file with that encoding");
    assert!(refusal(b"PK\x03\x04".to_vec()).contains("a zip archive, as spreadsheets are"));
    assert!(refusal("a\u{7},b\n".to_owned()).contains("the name of column 1"));
    assert!(refusal(format!("{}\n", "x,".repeat(1_001))).contains("line 1 has more than 1000 fields"));
    assert!(refusal(format!("{}b\n", "x,".repeat(3))).contains("two columns"));
}

#[test]
fn a_table_is_bounded() {
    let too_long = vec![b' '; MAX_TABLE_BYTES + 1];
    assert_eq!(refusal(too_long), "it has more than 67108864 bytes, which is the most of a table");
    let rows = MAX_VALUES + 2;
    assert!(refusal(format!("a\n{}", "1\n".repeat(rows))).starts_with("it has more than 8388608 values"));
    // A few bytes that stand for very many.
    let text = "x".repeat(1 << 20);
    let many: ArrayRef =
        Arc::new(DictionaryArray::new(Int32Array::from(vec![0; 100]), Arc::new(StringArray::from(vec![text]))));
    let batch = RecordBatch::try_from_iter([("a", many)]).unwrap();
    for (format, bytes) in [(TableFormat::Arrow, arrow(&batch)), (TableFormat::Parquet, parquet_file(&batch))] {
        let error = SmallTable::read(format, Input::Bytes(bytes)).unwrap_err().to_string();
        assert!(error.contains("67108864") || error.contains("16384"), "{error}");
    }
}

#[test]
fn the_largest_table_that_is_taken_is_read_again() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..MAX_VALUES as i64));
    let table = SmallTable::of_rows(RecordBatch::try_from_iter([("n", numbers)]).unwrap()).unwrap();
    assert_eq!(table.bytes(), MAX_TABLE_BYTES);
    assert!(SmallTable::from_arrow(table.to_arrow().unwrap().into()).unwrap() == table);
}

fn arrow(batch: &RecordBatch) -> Bytes {
    let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap().into()
}

fn arrow_file(batch: &RecordBatch) -> Bytes {
    let mut writer = FileWriter::try_new(Vec::new(), batch.schema_ref()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap().into()
}

fn parquet_file(batch: &RecordBatch) -> Bytes {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap().into()
}

#[test]
fn parquet_and_arrow_keep_their_types_and_texts_become_plain() {
    let skills: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    let counts: ArrayRef = Arc::new(UInt64Array::from(vec![1, u64::MAX]));
    let names: ArrayRef =
        Arc::new(vec!["Billing", "Cards"].into_iter().collect::<DictionaryArray<arrow::datatypes::Int8Type>>());
    let views: ArrayRef = Arc::new(StringViewArray::from(vec![Some("a longer text than twelve"), None]));
    let batch =
        RecordBatch::try_from_iter([("skill_id", skills), ("n", counts), ("name", names), ("note", views)]).unwrap();
    for (format, bytes) in [
        (TableFormat::Arrow, arrow(&batch)),
        (TableFormat::Arrow, arrow_file(&batch)),
        (TableFormat::Parquet, parquet_file(&batch)),
        // The bytes tell the format, whatever the name says.
        (TableFormat::Csv, parquet_file(&batch)),
        (TableFormat::Parquet, arrow_file(&batch)),
    ] {
        let table = SmallTable::read(format, Input::Bytes(bytes)).unwrap();
        assert_eq!(types(&table), [DataType::Int32, DataType::UInt64, DataType::Utf8, DataType::Utf8]);
        let expected =
            ["skill_id|n|name|note", "1|1|Billing|a longer text than twelve", "|18446744073709551615|Cards|"];
        assert_eq!(shown(&table), expected);
    }
}

#[test]
fn columns_of_other_types_are_refused_by_name() {
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(vec![Some(vec![Some(1)])]));
    let batch = RecordBatch::try_from_iter([("tags", lists)]).unwrap();
    for bytes in [arrow(&batch), arrow_file(&batch), parquet_file(&batch)] {
        let error = SmallTable::read(TableFormat::Arrow, Input::Bytes(bytes)).unwrap_err().to_string();
        assert!(error.starts_with("column \"tags\" has the type List"), "{error}");
    }
    let twice: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("a", Arc::clone(&twice)), ("a", twice)]).unwrap();
    let error = SmallTable::read(TableFormat::Arrow, Input::Bytes(arrow(&batch))).unwrap_err().to_string();
    assert_eq!(error, "two columns have the name \"a\"");
}

#[test]
fn damaged_files_are_errors() {
    let batch =
        RecordBatch::new_empty(Arc::new(Schema::new(vec![arrow::datatypes::Field::new("a", DataType::Int64, true)])));
    let bytes = arrow(&batch);
    assert_eq!(SmallTable::read(TableFormat::Arrow, Input::Bytes(bytes.clone())).unwrap().rows().num_rows(), 0);
    for (format, file) in [(TableFormat::Arrow, bytes), (TableFormat::Parquet, parquet_file(&batch))] {
        for end in [5, 9, file.len() / 2] {
            SmallTable::read(format, Input::Bytes(file.slice(..end))).unwrap_err();
        }
    }
}

#[test]
fn the_name_of_a_file_tells_its_format() {
    for (name, format) in [
        ("a.csv", Some(TableFormat::Csv)),
        ("a.CSV.gz", Some(TableFormat::Csv)),
        ("a.tsv", Some(TableFormat::Csv)),
        ("a.parquet", Some(TableFormat::Parquet)),
        ("a.arrow", Some(TableFormat::Arrow)),
        ("a.arrows.zst", Some(TableFormat::Arrow)),
        ("a.feather", Some(TableFormat::Arrow)),
        ("a.xlsx", None),
        ("csv", None),
        ("", None),
    ] {
        assert_eq!(TableFormat::from_path(Path::new(name)), format, "{name}");
    }
}

/// A field as CSV writes it; nothing at all for none.
fn field(value: &Option<String>) -> String {
    value.as_ref().map_or_else(String::new, |text| format!("\"{}\"", text.replace('"', "\"\"")))
}

proptest! {
    #[test]
    fn any_texts_are_read_as_they_were_written(
        rows in prop::collection::vec((prop::option::of("[a-zé🦀 ,;\"\r\n\t']{0,6}"), prop::option::of("[a-z\"\n,]{0,4}")), 0..8),
        line_end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
    ) {
        // A comma stands in each line, so that none is a line of nothing; and a word of letters makes both columns text.
        let mut text = format!("agent_id,source{line_end}");
        for (first, second) in &rows {
            text.push_str(&format!("{},{}{line_end}", field(first), field(second)));
        }
        let table = csv(text).unwrap();
        let column = |number: usize| -> Vec<Option<String>> {
            table.rows().column(number).as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
        };
        prop_assert_eq!(column(0), rows.iter().map(|(first, _)| first.clone()).collect::<Vec<_>>());
        prop_assert_eq!(column(1), rows.iter().map(|(_, second)| second.clone()).collect::<Vec<_>>());
        let again = SmallTable::read(TableFormat::Arrow, Input::Bytes(table.to_arrow().unwrap().into())).unwrap();
        prop_assert_eq!(again, table);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), is_text in any::<bool>()) {
        let bytes = if is_text { bytes.into_iter().map(|byte| byte & 0x7F).collect() } else { bytes };
        for format in [TableFormat::Csv, TableFormat::Parquet, TableFormat::Arrow] {
            let _ = SmallTable::read(format, Input::Bytes(bytes.clone().into()));
        }
    }
}
