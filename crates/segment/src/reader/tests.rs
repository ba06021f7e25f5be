//! Segments in every format, read.

use std::io::Write;
use std::sync::Arc;

use ::arrow::array::{
    ArrayRef, Decimal128Array, FixedSizeBinaryArray, Float64Array, Int8Array, Int64Array, NullArray, RecordBatch,
    StringArray, StringViewBuilder, UInt32Array,
};
use ::arrow::compute::{cast, take};
use ::arrow::datatypes::{DataType, Field, Schema, TimeUnit, UnionFields, UnionMode};
use ::arrow::ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter};
use ::arrow::ipc::{CompressionType, MessageHeader, root_as_message};
use ::bytes::Bytes;
use ::parquet::arrow::ArrowWriter;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::testing::{abandoned_in_queue, any_segment, batch_of, interactive, segments_of};
use crate::{Segment, SegmentWriter};

const FORMATS: [Format; 4] = [Format::Ndjson, Format::Json, Format::Arrow, Format::Parquet];

/// What a reader made of an input.
struct Outcome {
    segments: Vec<Segment<'static>>,
    lines: Vec<u64>,
    rejected: Vec<(u64, String)>,
}

fn read_for(account: Option<&str>, format: Format, input: impl Into<Bytes>) -> crate::Result<Outcome> {
    let account = account.map(|account| AccountId::parse(account).unwrap());
    let options = ReadOptions { account, chunk_rows: 3, ..Default::default() };
    let mut outcome = Outcome { segments: Vec::new(), lines: Vec::new(), rejected: Vec::new() };
    read_segments::<Error>(format, Input::Bytes(input.into()), &options, |chunk| {
        assert_eq!(chunk.batch.num_rows(), chunk.lines.len());
        outcome.segments.extend(segments_of(&chunk.batch));
        outcome.lines.extend(chunk.lines);
        outcome.rejected.extend(chunk.rejected.first.into_iter().map(|r| (r.line, r.error.to_string())));
        Ok(())
    })?;
    Ok(outcome)
}

fn read(format: Format, input: impl Into<Bytes>) -> Outcome {
    read_for(None, format, input).unwrap()
}

fn written(format: Format, segments: &[Segment<'_>]) -> Vec<u8> {
    let mut writer = SegmentWriter::new(format, Vec::new()).unwrap();
    writer.write(&batch_of(segments)).unwrap();
    writer.finish().unwrap()
}

fn json(segment: &Segment<'_>) -> String {
    serde_json::to_string(segment).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_format_gives_back_the_segments_that_were_written(segments in vec(any_segment(), 0..8)) {
        for format in FORMATS {
            let outcome = read(format, written(format, &segments));
            prop_assert_eq!(&outcome.rejected, &vec![]);
            prop_assert_eq!(&outcome.segments, &segments);
            prop_assert_eq!(outcome.lines, (1..=segments.len() as u64).collect::<Vec<_>>());
        }
    }

    /// Also of a batch that could be taken as a whole.
    #[test]
    fn a_bad_row_of_a_batch_costs_itself_alone(
        good in vec(any_segment(), 1..6), at in any::<prop::sample::Index>(), names_account in any::<bool>(),
    ) {
        let at = at.index(good.len() + 1);
        let mut all: Vec<_> = good.iter().map(|segment| Segment { account_id: "acme".into(), ..segment.clone() }).collect();
        let expected = all.clone();
        let bad = if names_account { "another" } else { "acme" };
        let end_time = if names_account { 5 } else { 4 };
        all.insert(at, Segment { account_id: bad.into(), start_time: 5, end_time, ..interactive() });
        for format in [Format::Arrow, Format::Parquet] {
            let outcome = read_for(Some("acme"), format, written(format, &all)).unwrap();
            prop_assert_eq!(&outcome.segments, &expected);
            prop_assert_eq!(outcome.rejected.iter().map(|(line, _)| *line).collect::<Vec<_>>(), vec![at as u64 + 1]);
            let lines: Vec<u64> = (1..=all.len() as u64).filter(|line| *line != at as u64 + 1).collect();
            prop_assert_eq!(outcome.lines, lines);
        }
    }

    #[test]
    fn no_reader_panics_on_bytes_from_anywhere(bytes in vec(any::<u8>(), 0..300)) {
        for format in FORMATS {
            let _ = read_for(None, format, bytes.clone());
        }
    }

    #[test]
    fn no_reader_panics_on_a_damaged_input(
        segments in vec(any_segment(), 1..4), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        for format in FORMATS {
            let mut bytes = written(format, &segments);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            let _ = read_for(None, format, bytes);
        }
    }

    #[test]
    fn a_bad_line_costs_itself_alone(good in vec(any_segment(), 1..6), bad in "[^\n]{1,40}", at in any::<prop::sample::Index>()) {
        let at = at.index(good.len() + 1);
        // An empty line is passed over, also after the byte order mark that a file may begin with.
        prop_assume!(!bad.trim_start_matches('\u{feff}').trim_ascii().is_empty());
        let mut lines: Vec<String> = good.iter().map(json).collect();
        lines.insert(at, bad);
        let outcome = read(Format::Ndjson, lines.join("\n"));
        prop_assert_eq!(outcome.segments, good);
        prop_assert_eq!(outcome.rejected.iter().map(|(line, _)| *line).collect::<Vec<_>>(), vec![at as u64 + 1]);
    }
}

#[test]
fn a_line_without_a_field_says_which() {
    let line = json(&interactive()).replace("\"skill_id\":12,", "");
    let outcome = read(Format::Ndjson, line);
    assert!(outcome.rejected[0].1.contains("missing field `skill_id`"), "{:?}", outcome.rejected);
}

#[test]
fn a_wrong_word_says_in_which_field_and_what_is_allowed() {
    let line = json(&interactive()).replace("\"interactive\"", "\"chatty\"");
    let (_, error) = &read(Format::Ndjson, line).rejected[0];
    for part in ["outcome", "chatty", "non_responsive_agent"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_record_is_an_object() {
    let outcome = read(Format::Ndjson, "[1,2]\n7\n\"text\"\nnull");
    let lines: Vec<u64> = outcome.rejected.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 2, 3, 4]);
}

#[test]
fn empty_lines_are_passed_over_and_counted() {
    let text = format!("\u{feff}\n\n{}\r\n  \nbad\n", json(&interactive()));
    let outcome = read(Format::Ndjson, text);
    assert_eq!(outcome.lines, [3]);
    assert_eq!(outcome.rejected[0].0, 5);
}

#[test]
fn a_line_of_more_than_a_megabyte_is_rejected_and_the_next_one_read() {
    let text = format!("{}\n{}\n", "x".repeat(3 << 20), json(&interactive()));
    let outcome = read(Format::Ndjson, text);
    assert_eq!(outcome.segments, [interactive()]);
    assert_eq!(outcome.rejected.len(), 1);
}

#[test]
fn times_may_be_rfc_3339_text() {
    let line = json(&interactive()).replace("\"start_time\":1000000", "\"start_time\":\"1970-01-01T00:16:40Z\"");
    assert_eq!(read(Format::Ndjson, line).segments, [interactive()]);
}

#[test]
fn nullable_fields_may_be_left_out() {
    let segment = Segment { source: None, ..abandoned_in_queue() };
    let line = json(&segment)
        .replace("\"first_assigned_time\":null,", "")
        .replace("\"first_agent_message_time\":null,", "")
        .replace("\"time_to_first_agent_message_ms\":null,", "")
        .replace(",\"last_agent_id\":null,\"source\":null", "");
    assert!(!line.contains("null"));
    assert_eq!(read(Format::Ndjson, line).segments, [segment]);
}

#[test]
fn an_array_keeps_what_came_before_it_breaks_off() {
    let good = json(&interactive());
    let outcome = read(Format::Json, format!("[{good},{{\"a\":1}},[],{good}, oops"));
    assert_eq!(outcome.lines, [1, 4]);
    assert_eq!(outcome.rejected.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 5]);
}

#[test]
fn text_that_is_no_array_is_an_error_of_the_whole() {
    for text in ["", "{}", "null", "oops"] {
        assert!(matches!(read_for(None, Format::Json, text), Err(Error::Unreadable { .. })), "{text:?}");
    }
    assert!(read(Format::Json, " [] ").segments.is_empty());
}

#[test]
fn a_record_without_account_takes_the_requests_and_another_account_is_rejected() {
    let anonymous = json(&interactive()).replace("\"account_id\":\"acme\",", "");
    let text = format!("{anonymous}\n{}\n", json(&Segment { account_id: "other".into(), ..interactive() }));
    let outcome = read_for(Some("acme"), Format::Ndjson, text.clone()).unwrap();
    assert_eq!(outcome.segments, [interactive()]);
    assert!(outcome.rejected[0].1.contains("other"));
    let null = json(&interactive()).replace("\"acme\"", "null");
    assert_eq!(read_for(Some("acme"), Format::Ndjson, null).unwrap().segments, [interactive()]);
    assert_eq!(read(Format::Ndjson, text).rejected[0].0, 1, "and without an account anywhere it is rejected");
}

#[test]
fn compressed_inputs_are_read_like_plain_ones() {
    let plain = written(Format::Ndjson, &[interactive()]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let zstd = zstd::encode_all(plain.as_slice(), 1).unwrap();
    for (bytes, compression) in [(gzip.finish().unwrap(), Compression::Gzip), (zstd, Compression::Zstd)] {
        let input = Input::Bytes(bytes.into()).decompressed(compression).unwrap();
        let mut text = Vec::new();
        input.into_read().read_to_end(&mut text).unwrap();
        assert_eq!(text, plain);
    }
}

/// The batch of `segments` as another writer might have it: columns sorted by name, text and whole numbers of other
/// types, microseconds, an extra column.
fn of_another_writer(segments: &[Segment<'_>]) -> RecordBatch {
    let batch = batch_of(segments);
    let schema = batch.schema();
    let mut columns: Vec<(String, ArrayRef)> = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            let data_type = match column.data_type() {
                DataType::Dictionary(..) => DataType::LargeUtf8,
                DataType::Utf8 => DataType::Utf8View,
                DataType::UInt32 => DataType::Int64,
                DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Microsecond, None),
                other => other.clone(),
            };
            (field.name().clone(), cast(column, &data_type).unwrap())
        })
        .collect();
    columns.push(("extra".to_owned(), Arc::new(Int64Array::from(vec![7; segments.len()]))));
    columns.sort_by(|(a, _), (b, _)| a.cmp(b));
    let fields: Vec<Field> =
        columns.iter().map(|(name, column)| Field::new(name, column.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, column)| column).collect())
        .unwrap()
}

fn arrow_stream(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn files_of_other_writers_are_read() {
    let segments = [interactive(), abandoned_in_queue()];
    let batch = of_another_writer(&segments);
    assert_eq!(read(Format::Arrow, arrow_stream(&batch)).segments, segments);
    assert_eq!(read(Format::Parquet, parquet(&batch)).segments, segments);
}

#[test]
fn an_arrow_file_is_read_like_a_stream() {
    let batch = batch_of(&[interactive()]);
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    assert_eq!(read(Format::Arrow, writer.into_inner().unwrap()).segments, [interactive()]);
}

/// An Arrow stream with compressed buffers, as pyarrow's `write_feather` makes them.
fn compressed_arrow_stream(batch: &RecordBatch) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).unwrap();
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

/// The batch with all its text in dictionaries, so that without rows it has no bytes of its own.
fn with_dictionaries(batch: &RecordBatch) -> RecordBatch {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let encode = |column: &ArrayRef| match column.data_type() {
        DataType::Utf8 => cast(column, &dictionary).unwrap(),
        _ => Arc::clone(column),
    };
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| (field.name(), encode(column)));
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

#[test]
fn a_batch_without_a_body_is_read() {
    let batches =
        [&[][..], &[interactive()], &[], &[abandoned_in_queue()]].map(|rows| with_dictionaries(&batch_of(rows)));
    let options = DictionaryHandling::Delta;
    let options = IpcWriteOptions::default().with_dictionary_handling(options);
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batches[0].schema(), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    let stream = writer.into_inner().unwrap();
    assert!(bodies(&stream).contains(&(MessageHeader::RecordBatch, 0)), "{:?}", bodies(&stream));
    let outcome = read(Format::Arrow, stream);
    assert_eq!(outcome.segments, [interactive(), abandoned_in_queue()]);
    assert_eq!(outcome.rejected, []);
}

/// The kind and the length of the body of every message in a stream.
fn bodies(mut stream: &[u8]) -> Vec<(MessageHeader, i64)> {
    let mut bodies = Vec::new();
    while let Some((head, rest)) = stream.split_at_checked(8).filter(|(head, _)| head[4..] != [0; 4]) {
        let length = u32::from_le_bytes(head[4..].try_into().unwrap()) as usize;
        let message = root_as_message(&rest[..length]).unwrap();
        bodies.push((message.header_type(), message.bodyLength()));
        stream = &rest[length + message.bodyLength() as usize..];
    }
    bodies
}

#[test]
fn a_truncated_arrow_stream_is_told() {
    let mut writer = StreamWriter::try_new(Vec::new(), &crate::schema()).unwrap();
    writer.write(&batch_of(&[interactive()])).unwrap();
    writer.flush().unwrap();
    let first = writer.get_ref().len();
    writer.write(&batch_of(&[abandoned_in_queue()])).unwrap();
    let stream = writer.into_inner().unwrap();
    // Cut anywhere within the second batch; its dictionaries come first.
    for end in (first + 1..stream.len() - 8).step_by(11) {
        let outcome = read(Format::Arrow, stream[..end].to_vec());
        let segments = outcome.segments.len() + outcome.rejected.len();
        assert!(outcome.segments[0] == interactive() && segments >= 1, "cut at {end}");
        if outcome.segments.len() == 1 && outcome.rejected.is_empty() {
            // Only between two messages is the end of the bytes an end of the stream.
            assert!(stream[end..].starts_with(&[0xFF; 4]), "the cut at {end} of {} was not told", stream.len());
        }
    }
}

/// Twenty thousand views of one megabyte are a few megabytes here, and would be twenty gigabytes of plain text.
#[test]
fn a_view_column_takes_no_more_memory_than_its_bytes() {
    let segment = interactive();
    let batch = of_another_writer(&[segment]);
    let index = batch.schema().index_of("conversation_id").unwrap();
    let long = "x".repeat(1 << 20);
    let mut texts = StringViewBuilder::new();
    let block = texts.append_block(long.as_bytes().to_vec().into());
    for _ in 0..20_000 {
        texts.try_append_view(block, 0, 1 << 20).unwrap();
    }
    let rows = UInt32Array::from(vec![0; 20_000]);
    let mut columns: Vec<ArrayRef> = batch.columns().iter().map(|column| take(column, &rows, None).unwrap()).collect();
    columns[index] = Arc::new(texts.finish());
    let batch = RecordBatch::try_new(batch.schema(), columns).unwrap();
    let rows = crate::SegmentRows::new(&batch).unwrap();
    assert!(matches!(rows.segment(19_999), Err(Error::TextTooLong { column: "conversation_id", .. })));
}

#[test]
fn a_long_wrong_value_is_not_quoted_whole() {
    let line = json(&interactive()).replace("\"interactive\"", &format!("\"{}\"", "x".repeat(100_000)));
    let (_, error) = &read(Format::Ndjson, line).rejected[0];
    assert!(error.len() < 500 && error.contains("outcome") && error.contains("non_responsive_agent"), "{error}");
}

#[test]
fn an_arrow_stream_may_be_compressed() {
    let segments = [interactive(), abandoned_in_queue()];
    assert_eq!(read(Format::Arrow, compressed_arrow_stream(&batch_of(&segments))).segments, segments);
}

#[test]
fn a_length_that_no_bytes_follow_takes_no_memory() {
    // A stream that says its first message has two gigabytes.
    let outcome = read_for(None, Format::Arrow, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1, 2, 3].to_vec());
    assert!(matches!(outcome, Err(Error::Unreadable { .. })));

    // Compressed buffers that say they unfold to an exabyte each.
    let stream = compressed_arrow_stream(&batch_of(&vec![interactive(); 1000]));
    let lz4 = [0x04, 0x22, 0x4D, 0x18];
    let mut bomb = stream.clone();
    for frame in (8..stream.len() - 4).filter(|at| stream[*at..].starts_with(&lz4)) {
        bomb[frame - 8..frame].copy_from_slice(&(1_i64 << 60).to_le_bytes());
    }
    assert_ne!(stream, bomb, "the stream has compressed buffers");
    let Err(Error::Unreadable { reason, .. }) = read_for(None, Format::Arrow, bomb) else {
        panic!("the bomb was read")
    };
    assert!(reason.contains("unfolds"), "{reason}");
}

#[test]
fn a_buffer_that_unfolds_to_more_than_it_says_is_refused() {
    let stream = compressed_arrow_stream(&batch_of(&vec![interactive(); 1000]));
    let lz4 = [0x04, 0x22, 0x4D, 0x18];
    let first = (8..stream.len() - 4).find(|at| stream[*at..].starts_with(&lz4)).unwrap();
    let mut bomb = stream;
    bomb[first - 8..first].copy_from_slice(&8_i64.to_le_bytes());
    let Err(Error::Unreadable { reason, .. }) = read_for(None, Format::Arrow, bomb) else { panic!("it was read") };
    assert_eq!(reason, "a buffer unfolds to more bytes than it says");
}

#[test]
fn an_arrow_stream_is_read_as_far_as_it_may_unfold() {
    // A dictionary of one text, which each row has.
    let texts: StringArray = std::iter::repeat_n(Some("x".repeat(1024)), 2000).collect();
    let segments: Vec<_> = (0..2000).map(|index| Segment { segment_index: index, ..interactive() }).collect();
    let batch = batch_of(&segments);
    let mut columns = batch.columns().to_vec();
    columns[1] = cast(&texts, &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))).unwrap();
    let names = batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    let batch =
        RecordBatch::try_from_iter_with_nullable(names.into_iter().zip(columns).map(|(n, c)| (n, c, true))).unwrap();
    let stream = compressed_arrow_stream(&batch);
    assert!(stream.len() < 40_000, "{}", stream.len());
    let read = |most_unfolded| {
        let options = ReadOptions { most_unfolded, ..Default::default() };
        let mut rows = 0;
        read_segments::<Error>(Format::Arrow, Input::Bytes(stream.clone().into()), &options, |chunk| {
            rows += chunk.batch.num_rows();
            Ok(())
        })
        .map(|()| rows)
    };
    assert!(matches!(read(Some(1 << 20)), Err(Error::UnfoldsTooFar { most: 1_048_576 })));
    // 2000 rows of 128 bytes, and texts of 1024 and of a few bytes.
    assert_eq!(read(Some(3 << 20)).unwrap(), 2000);
    assert_eq!(read(None).unwrap(), 2000);
}

#[test]
fn a_schema_that_is_deep_or_wide_is_refused_before_it_is_decoded() {
    let stream = |schema: Schema| StreamWriter::try_new(Vec::new(), &schema).unwrap().into_inner().unwrap();
    let mut deep = DataType::Int64;
    for _ in 0..31 {
        deep = DataType::Struct(vec![Field::new("g", deep, true)].into());
    }
    let wide: Vec<_> = (0..10_001).map(|number| Field::new(format!("c{number}"), DataType::Int64, true)).collect();
    let long = Field::new("c", DataType::Int64, true).with_metadata([("k".to_owned(), "v".repeat(17 << 20))].into());
    let deep = Schema::new(vec![Field::new("deep", deep, true), Field::new("d", DataType::Int8, true)]);
    for (schema, reason) in [(deep, ""), (Schema::new(wide), "too many fields"), (Schema::new(vec![long]), "too long")]
    {
        let refused = read_for(None, Format::Arrow, stream(schema));
        match refused {
            Err(Error::Unreadable { reason: told, .. }) => assert!(told.contains(reason), "{told}"),
            Err(Error::ColumnMissing { .. }) => assert_eq!(reason, "", "32 levels are taken"),
            _ => panic!("it was read"),
        }
    }
}

#[test]
fn a_column_that_can_have_no_rows_costs_its_file_alone() {
    let mut fields = crate::schema().fields().to_vec();
    fields.push(Field::new("extra", DataType::Union(UnionFields::empty(), UnionMode::Sparse), false).into());
    let schema = Schema::new(fields);
    let stream = StreamWriter::try_new(Vec::new(), &schema).unwrap().into_inner().unwrap();
    let mut file = FileWriter::try_new(Vec::new(), &schema).unwrap();
    file.finish().unwrap();
    for input in [stream, file.into_inner().unwrap()] {
        assert!(matches!(read_for(None, Format::Arrow, input), Err(Error::Unreadable { .. })));
    }
}

#[test]
fn a_stream_has_one_schema() {
    let stream = arrow_stream(&batch_of(&[interactive()]));
    let schema = 8 + u32::from_le_bytes(stream[4..8].try_into().unwrap()) as usize;
    let twice = [&stream[..schema], &stream[..]].concat();
    let Err(Error::Unreadable { reason, .. }) = read_for(None, Format::Arrow, twice) else { panic!("it was read") };
    assert_eq!(reason, "it has a second schema");
}

#[test]
fn of_very_many_rejected_records_the_first_are_kept_and_all_are_counted() {
    let options = ReadOptions { chunk_rows: 1 << 20, ..Default::default() };
    let (mut kept, mut count) = (0, 0);
    read_segments::<Error>(Format::Ndjson, Input::Bytes("{}\n".repeat(5000).into()), &options, |chunk| {
        kept += chunk.rejected.first.len();
        count += chunk.rejected.count;
        Ok(())
    })
    .unwrap();
    assert_eq!((kept, count), (1000, 5000));
}

fn without(batch: &RecordBatch, name: &str) -> RecordBatch {
    let kept: Vec<usize> =
        (0..batch.num_columns()).filter(|index| batch.schema().field(*index).name() != name).collect();
    batch.project(&kept).unwrap()
}

#[test]
fn a_missing_column_is_named_unless_it_is_nullable() {
    let batch = batch_of(&[interactive()]);
    for field in batch.schema().fields() {
        let bytes = arrow_stream(&without(&batch, field.name()));
        let outcome = read_for(Some("acme"), Format::Arrow, bytes);
        if field.is_nullable() || field.name() == "account_id" {
            assert!(outcome.is_ok(), "{}", field.name());
        } else {
            assert!(matches!(outcome, Err(Error::ColumnMissing { column, .. }) if column == field.name()));
        }
    }
}

/// Arrow's null type has a length and no bytes: a few bytes may stand for any number of rows.
#[test]
fn a_column_of_nulls_is_as_if_missing_whatever_its_length() {
    let batch = batch_of(&[interactive()]);
    let rows = 1 << 50;
    let fields: Vec<Field> =
        batch.schema().fields().iter().map(|field| Field::new(field.name(), DataType::Null, true)).collect();
    let nulls = fields.iter().map(|_| Arc::new(NullArray::new(rows)) as ArrayRef).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), nulls).unwrap();
    let outcome = read_for(Some("acme"), Format::Arrow, arrow_stream(&batch));
    assert!(matches!(outcome, Err(Error::ColumnMissing { column: "conversation_id", .. })));
}

#[test]
fn a_column_of_another_type_is_named() {
    let batch = batch_of(&[interactive()]);
    let index = batch.schema().index_of("skill_id").unwrap();
    let mut columns = batch.columns().to_vec();
    columns[index] = Arc::new(StringArray::from(vec!["twelve"]));
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields[index] = Field::new("skill_id", DataType::Utf8, false);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let outcome = read_for(None, Format::Parquet, parquet(&batch));
    assert!(matches!(outcome, Err(Error::ColumnType { column: "skill_id", .. })));
}

#[test]
fn a_number_that_does_not_fit_costs_its_row_alone() {
    let segments = [interactive(), Segment { conversation_id: "c-2".into(), ..interactive() }];
    let batch = of_another_writer(&segments);
    let index = batch.schema().index_of("segment_index").unwrap();
    let mut columns = batch.columns().to_vec();
    columns[index] = Arc::new(Int64Array::from(vec![-1, 0]));
    let batch = RecordBatch::try_new(batch.schema(), columns).unwrap();
    let outcome = read(Format::Arrow, arrow_stream(&batch));
    assert_eq!(outcome.lines, [2]);
    assert!(outcome.rejected[0].1.contains("segment_index"));
}

#[test]
fn an_unknown_word_in_a_column_costs_its_row_alone() {
    let batch = of_another_writer(&[interactive()]);
    let index = batch.schema().index_of("outcome").unwrap();
    let mut columns = batch.columns().to_vec();
    columns[index] = cast(&StringArray::from(vec!["chatty"]), &DataType::LargeUtf8).unwrap();
    let batch = RecordBatch::try_new(batch.schema(), columns).unwrap();
    let (line, error) = read(Format::Parquet, parquet(&batch)).rejected.remove(0);
    assert_eq!(line, 1);
    assert!(error.contains("chatty") && error.contains("abandoned"), "{error}");
}

#[test]
fn bytes_of_another_format_are_an_error_of_the_whole() {
    for (format, written_as) in
        [(Format::Arrow, Format::Parquet), (Format::Parquet, Format::Arrow), (Format::Json, Format::Ndjson)]
    {
        let bytes = written(written_as, &[interactive()]);
        assert!(matches!(read_for(None, format, bytes), Err(Error::Unreadable { .. })), "{format:?}");
    }
}

/// Text in every encoding that is read.
fn encodings(text: &str) -> Vec<Vec<u8>> {
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    vec![
        format!("\u{feff}{text}").into_bytes(),
        [&[0xFF, 0xFE][..], &little].concat(),
        [&[0xFE, 0xFF][..], &big].concat(),
        little,
        big,
    ]
}

#[test]
fn text_may_begin_with_a_mark_or_be_in_utf_16() {
    let segment = Segment { source: Some("Größe 🦀".into()), ..interactive() };
    for format in [Format::Ndjson, Format::Json] {
        let text = String::from_utf8(written(format, &[segment.clone(), abandoned_in_queue()])).unwrap();
        for bytes in encodings(&text) {
            let outcome = read(format, bytes.clone());
            assert_eq!(outcome.segments, [segment.clone(), abandoned_in_queue()], "{bytes:?}");
            assert_eq!(outcome.rejected, []);
        }
    }
}

#[test]
fn what_an_input_is_instead_is_told_in_plain_words() {
    let plain = written(Format::Ndjson, &[interactive()]);
    let zstd = zstd::encode_all(plain.as_slice(), 1).unwrap();
    let (arrow, parquet) = (written(Format::Arrow, &[interactive()]), written(Format::Parquet, &[interactive()]));
    let zip = b"PK\x03\x04 and so on".to_vec();
    for (format, bytes, told) in [
        (Format::Ndjson, zstd.clone(), "zstd"),
        (Format::Json, parquet.clone(), "a Parquet file"),
        (Format::Ndjson, arrow.clone(), "an Arrow file or stream"),
        (Format::Ndjson, zip.clone(), "a zip archive"),
        (Format::Parquet, zstd, "zstd"),
        (Format::Parquet, plain.clone(), "JSON"),
        (Format::Parquet, arrow, "an Arrow file"),
        (Format::Arrow, parquet, "a Parquet file"),
        (Format::Arrow, plain, "JSON"),
        (Format::Arrow, zip, "a zip archive"),
    ] {
        let Err(Error::Unreadable { reason, .. }) = read_for(None, format, bytes) else { panic!("{told} was read") };
        assert!(reason.contains(told), "{reason}");
    }
}

#[test]
fn an_input_is_unpacked_as_its_first_bytes_say() {
    let plain = written(Format::Ndjson, &[interactive()]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let gzip = gzip.finish().unwrap();
    let twice = zstd::encode_all(gzip.as_slice(), 1).unwrap();
    for packed in [plain.clone(), gzip, twice] {
        let mut read = Vec::new();
        Input::Bytes(packed.into()).unpacked().unwrap().into_read().read_to_end(&mut read).unwrap();
        assert_eq!(read, plain);
    }
}

#[test]
fn json_is_read_as_other_programs_write_it() {
    let segment = interactive();
    let line = json(&segment);
    let capitals: serde_json::Value = serde_json::from_str(&line).unwrap();
    let capitals = capitals.as_object().unwrap().iter().map(|(key, value)| (key.to_uppercase(), value.clone()));
    let capitals = serde_json::Value::Object(capitals.collect()).to_string();
    let floats = line
        .replace("\"segment_index\":0", "\"segment_index\":0.0")
        .replace("\"first_assigned_time\":1010000", "\"first_assigned_time\":1010000.0")
        .replace("\"time_to_first_agent_message_ms\":1000", "\"time_to_first_agent_message_ms\":1e3")
        .replace("\"abandoned_in_queue\":false", "\"abandoned_in_queue\":0");
    assert_ne!(floats, line);
    for text in [capitals.clone(), floats] {
        assert_eq!(read(Format::Ndjson, text.clone()).segments, std::slice::from_ref(&segment), "{text}");
        assert_eq!(read(Format::Json, format!("[{text}]")).segments, std::slice::from_ref(&segment), "{text}");
    }
    let digits = line.replace("\"c-1\"", "4711").replace("\"acme\"", "12345678");
    let read_back = read(Format::Ndjson, digits).segments.remove(0);
    assert_eq!((read_back.account_id.as_ref(), read_back.conversation_id.as_ref()), ("12345678", "4711"));
    for (bad, told) in [
        (line.replace("\"skill_id\":12", "\"skill_id\":12.5"), "skill_id"),
        (line.replace("\"skill_id\":12", "\"skill_id\":1e300"), "skill_id"),
        (line.replace("\"agent_messages\":1", "\"agent_messages\":-1"), "agent_messages"),
        (line.replace("\"abandoned_in_queue\":false", "\"abandoned_in_queue\":2"), "abandoned_in_queue"),
        (capitals.replace("\"SKILL_ID\":12", "\"SKILL_ID\":12,\"skill_id\":13"), "skill_id"),
        (line.replace("\"skill_id\":12", "\"skill_id\":\"12\""), "skill_id"),
    ] {
        let rejected = read(Format::Ndjson, bad.clone()).rejected;
        assert!(rejected.len() == 1 && rejected[0].1.contains(told), "{bad}: {rejected:?}");
    }
}

fn read_in(zone: &str, format: Format, input: impl Into<Bytes>) -> Outcome {
    let options = ReadOptions { time_zone: Some(TimeZone::parse(zone).unwrap()), ..Default::default() };
    let mut outcome = Outcome { segments: Vec::new(), lines: Vec::new(), rejected: Vec::new() };
    read_segments::<Error>(format, Input::Bytes(input.into()), &options, |chunk| {
        outcome.segments.extend(segments_of(&chunk.batch));
        outcome.lines.extend(chunk.lines);
        outcome.rejected.extend(chunk.rejected.first.into_iter().map(|r| (r.line, r.error.to_string())));
        Ok(())
    })
    .unwrap();
    outcome
}

/// 30 March 2025, 01:00 UTC, when clocks in Berlin went from 02:00 to 03:00.
const SPRING: i64 = 1_743_296_400_000;

/// A segment that began at noon UTC of the day before the clocks changed, and ended at an instant.
fn until(end_time: i64) -> Segment<'static> {
    let start_time = SPRING - 46_800_000;
    Segment { start_time, end_time, ..abandoned_in_queue() }
}

#[test]
fn times_without_a_zone_need_one() {
    let line = |end: &str| json(&until(SPRING)).replace(&SPRING.to_string(), &format!("\"{end}\""));
    let text = ["2025-03-30T01:59:00", "2025-03-30 02:30:00", "2025-03-30 03:00:00.5", "2025-03-30T01:00:00Z"];
    let text = text.map(line).join("\n");
    let outcome = read(Format::Ndjson, text.clone());
    assert_eq!(outcome.lines, [4]);
    assert!(outcome.rejected.iter().all(|(_, told)| told.contains("--time-zone")), "{:?}", outcome.rejected);
    let outcome = read_in("Europe/Berlin", Format::Ndjson, text);
    assert_eq!(outcome.segments, [SPRING - 60_000, SPRING + 500, SPRING].map(until));
    assert!(outcome.rejected[0].0 == 2 && outcome.rejected[0].1.contains("put forward"), "{:?}", outcome.rejected);
}

/// The batch with another column in the place of one of its own.
fn replaced(batch: &RecordBatch, name: &str, column: ArrayRef) -> RecordBatch {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, old)| {
        let new = if field.name() == name { Arc::clone(&column) } else { Arc::clone(old) };
        (field.name().clone(), new, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).unwrap()
}

/// What both formats of columns make of a batch.
#[track_caller]
fn read_both(zone: Option<&str>, batch: &RecordBatch) -> Outcome {
    let read = |format, bytes| match zone {
        Some(zone) => read_in(zone, format, bytes),
        None => read(format, bytes),
    };
    let (one, other) = (read(Format::Arrow, arrow_stream(batch)), read(Format::Parquet, parquet(batch)));
    assert_eq!((&one.segments, &one.lines, &one.rejected), (&other.segments, &other.lines, &other.rejected));
    one
}

#[test]
fn times_of_columns_without_a_zone_are_of_the_one_that_is_given() {
    let shown = ["2025-03-30 01:59:00", "2025-03-30 02:30:00", "2025-03-30 03:00:00"];
    let texts: ArrayRef = Arc::new(StringArray::from(shown.to_vec()));
    let batch = batch_of(&[until(SPRING), until(SPRING), until(SPRING)]);
    let local = cast(&texts, &DataType::Timestamp(TimeUnit::Microsecond, None)).unwrap();
    for (column, needs_one) in [(texts, true), (local, false)] {
        let batch = replaced(&batch, "end_time", column);
        let outcome = read_both(Some("Europe/Berlin"), &batch);
        assert_eq!(outcome.segments, [SPRING - 60_000, SPRING].map(until));
        assert!(outcome.rejected[0].0 == 2 && outcome.rejected[0].1.contains("put forward"), "{:?}", outcome.rejected);
        let outcome = read_both(None, &batch);
        if needs_one {
            assert!(outcome.rejected.iter().all(|(_, told)| told.contains("--time-zone")), "{:?}", outcome.rejected);
        } else {
            // UTC.
            assert_eq!(outcome.segments, [SPRING + 3_540_000, SPRING + 5_400_000, SPRING + 7_200_000].map(until));
        }
    }
    let with_zone = StringArray::from(vec![Some("2025-03-30T01:00:00Z"), Some("2025-03-30 03:00:00+02"), Some("noon")]);
    let outcome = read_both(None, &replaced(&batch, "end_time", Arc::new(with_zone)));
    assert_eq!(outcome.segments, [until(SPRING), until(SPRING)]);
    assert!(outcome.rejected[0].1.contains("noon"), "{:?}", outcome.rejected);
}

#[test]
fn whole_numbers_of_any_type_are_read_and_others_cost_their_row() {
    let batch = batch_of(&[interactive(), interactive(), interactive()]);
    let float = |values: Vec<Option<f64>>| Arc::new(Float64Array::from(values)) as ArrayRef;
    let decimal = Decimal128Array::from(vec![Some(1200), Some(1250), None]).with_precision_and_scale(38, 2).unwrap();
    for column in [float(vec![Some(12.0), Some(12.5), Some(f64::NAN)]), Arc::new(decimal)] {
        let outcome = read_both(None, &replaced(&batch, "skill_id", column));
        assert_eq!(outcome.segments, [interactive()]);
        let told: Vec<&str> = outcome.rejected.iter().map(|(_, told)| told.as_str()).collect();
        assert_eq!(
            told,
            ["skill_id is no whole number, or one that its type cannot hold exactly", "skill_id is missing"]
        );
    }
    let outcome = read_both(None, &replaced(&batch, "agent_messages", float(vec![Some(1.0), Some(-1.0), Some(1e10)])));
    assert_eq!(outcome.lines, [1]);
    let assigned = float(vec![Some(1_010_000.0), None, Some(f64::NAN)]);
    let outcome = read_both(None, &replaced(&batch, "first_assigned_time", assigned));
    assert_eq!(outcome.segments[0], interactive());
    // A user type without an assignment.
    assert_eq!(outcome.rejected.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
    let flags = Int8Array::from(vec![0, 2, 0]);
    let outcome = read_both(None, &replaced(&batch, "abandoned_in_queue", Arc::new(flags)));
    assert_eq!(outcome.lines, [1, 3]);
    assert!(outcome.rejected[0].1.contains("abandoned_in_queue"));
}

#[test]
fn text_in_bytes_and_identifiers_of_digits_are_read() {
    let batch = batch_of(&[interactive(), abandoned_in_queue()]);
    for data_type in [DataType::Binary, DataType::LargeBinary, DataType::BinaryView] {
        let mut bytes = batch.clone();
        for name in ["conversation_id", "last_agent_id", "source", "outcome", "end_reason", "account_id"] {
            let plain = cast(bytes.column_by_name(name).unwrap(), &DataType::Utf8).unwrap();
            bytes = replaced(&bytes, name, cast(&plain, &data_type).unwrap());
        }
        assert_eq!(read_both(None, &bytes).segments, [interactive(), abandoned_in_queue()], "{data_type}");
    }
    let bytes: ArrayRef = Arc::new(::arrow::array::BinaryArray::from(vec![&b"c-1"[..], b"\xFF\xFE"]));
    let outcome = read_both(None, &replaced(&batch, "conversation_id", bytes));
    assert_eq!(outcome.lines, [1]);
    assert_eq!(outcome.rejected[0].1, "conversation_id is not UTF-8");
    let digits: ArrayRef = Arc::new(Int64Array::from(vec![4711, 4712]));
    let outcome = read_both(None, &replaced(&batch, "conversation_id", digits));
    assert_eq!(outcome.segments[1].conversation_id, "4712");
}

#[test]
fn a_uuid_is_read_as_its_text() {
    let bytes: [u8; 16] = std::array::from_fn(|place| place as u8 * 17);
    let uuids: ArrayRef = Arc::new(FixedSizeBinaryArray::try_from_iter([bytes].iter()).unwrap());
    let batch = replaced(&batch_of(&[interactive()]), "conversation_id", uuids);
    let schema = batch.schema();
    let fields = schema.fields().iter().map(|field| match field.name().as_str() {
        "conversation_id" => {
            field.as_ref().clone().with_metadata([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())].into())
        }
        _ => field.as_ref().clone(),
    });
    let tagged = batch.clone().with_schema(Arc::new(Schema::new(fields.collect::<Vec<_>>()))).unwrap();
    for bytes in [arrow_stream(&tagged), parquet(&tagged)] {
        let format = Format::of(&bytes).unwrap();
        assert_eq!(read(format, bytes).segments[0].conversation_id, "00112233-4455-6677-8899-aabbccddeeff");
    }
}

#[test]
fn columns_may_be_named_in_capitals() {
    let batch = batch_of(&[interactive(), abandoned_in_queue()]);
    let renamed = |rename: &dyn Fn(&str) -> String| {
        let schema = batch.schema();
        let columns = schema
            .fields()
            .iter()
            .zip(batch.columns())
            .map(|(field, column)| (rename(field.name()), Arc::clone(column), field.is_nullable()));
        RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).unwrap()
    };
    let capitals = renamed(&|name| name.to_uppercase());
    assert_eq!(read_both(None, &capitals).segments, [interactive(), abandoned_in_queue()]);
    // The exact name goes first; of two others, nobody knows which is meant.
    let with = |name: &str, more: &str| {
        let mut columns: Vec<(String, ArrayRef, bool)> = capitals
            .schema()
            .fields()
            .iter()
            .zip(capitals.columns())
            .map(|(field, column)| (field.name().clone(), Arc::clone(column), true))
            .collect();
        let column = Arc::clone(capitals.column_by_name(&name.to_uppercase()).unwrap());
        columns.push((more.to_owned(), column, true));
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    };
    assert_eq!(read_both(None, &with("skill_id", "skill_id")).segments.len(), 2);
    let twice = with("skill_id", "Skill_Id");
    for (format, bytes) in [(Format::Arrow, arrow_stream(&twice)), (Format::Parquet, parquet(&twice))] {
        assert!(matches!(read_for(None, format, bytes), Err(Error::ColumnTwice { column: "skill_id" })));
    }
}

#[test]
fn times_in_seconds_are_told_before_anything_is_taken() {
    let seconds = Segment { start_time: 1_516_179_100, end_time: 1_516_179_130, ..abandoned_in_queue() };
    let later = Segment { conversation_id: "c-2".into(), ..seconds.clone() };
    for format in FORMATS {
        let refused = read_for(None, format, written(format, &[seconds.clone(), later.clone()]));
        assert!(matches!(refused, Err(Error::TimesInSeconds)), "{format:?}");
        // One that is not tells that they count milliseconds.
        assert_eq!(read(format, written(format, &[seconds.clone(), interactive()])).segments.len(), 2);
    }
    // Also where the times contradict what is in milliseconds.
    let line = json(&Segment { time_to_first_agent_message_ms: Some(1000), ..interactive() });
    let line = ["1000000", "1060000", "1010000", "1011000"].iter().fold(line, |line, time| {
        line.replace(*time, &(1_516_000_000 + time.parse::<i64>().unwrap() / 1000).to_string())
    });
    assert!(matches!(read_for(None, Format::Ndjson, line), Err(Error::TimesInSeconds)));
    let event =
        r#"{"account_id":"acme","conversation_id":"c","sequence":0,"time":1516179100,"type":"returned_to_queue"}"#;
    let read = read_events::<Error>(Input::Bytes(event.into()), &ReadOptions::default(), |_| Ok(()));
    assert!(matches!(read, Err(Error::TimesInSeconds)));
}

fn arrow_file(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

/// Where the footer of a file begins.
fn footer_of(file: &[u8]) -> usize {
    let length = file.len() - 10;
    length - u32::from_le_bytes(file[length..length + 4].try_into().unwrap()) as usize
}

#[test]
fn an_arrow_file_is_read_by_its_footer() {
    let segments = [interactive(), abandoned_in_queue()];
    let file = arrow_file(&segments.each_ref().map(|segment| batch_of([segment])));
    let schema = file.windows(4).position(|window| window == [0xFF; 4]).unwrap();
    let length = u32::from_le_bytes(file[schema + 4..schema + 8].try_into().unwrap()) as usize;
    let mut without_schema = file.clone();
    without_schema[schema..schema + 8 + length].fill(0);
    let footer = footer_of(&file);
    let without_end = [&file[..footer - 8], &file[footer..]].concat();
    for file in [file, without_schema, without_end] {
        let outcome = read(Format::Arrow, file);
        assert_eq!((outcome.segments, outcome.rejected), (segments.to_vec(), vec![]));
    }
}

#[test]
fn an_arrow_file_that_was_cut_off_keeps_what_came_before() {
    let segments = [interactive(), abandoned_in_queue()];
    let file = arrow_file(&segments.each_ref().map(|segment| batch_of([segment])));
    let footer = footer_of(&file);
    for end in [file.len() - 1, footer + 20, footer] {
        let outcome = read(Format::Arrow, file[..end].to_vec());
        assert_eq!(outcome.segments, segments, "{end}");
        assert_eq!(outcome.rejected.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3], "{end}");
        assert!(outcome.rejected[0].1.contains("breaks off"), "{:?}", outcome.rejected);
    }
}

#[test]
fn streams_and_files_one_after_the_other_are_all_read() {
    let segments = [0, 1, 2].map(|index| Segment { segment_index: index, ..interactive() });
    let batches = segments.each_ref().map(|segment| batch_of([segment]));
    let [one, two, three] = &batches;
    let (stream, file) = (arrow_stream, |batch: &RecordBatch| arrow_file(std::slice::from_ref(batch)));
    let none = batch_of(&[]);
    // Streams of other columns, too.
    let other = of_another_writer(&segments[1..2]);
    for (name, bytes) in [
        ("streams", [stream(one), stream(&other), stream(three)].concat()),
        ("files", [file(one), file(two), file(three)].concat()),
        ("a stream and files", [stream(one), file(two), file(three)].concat()),
        ("with zeros between", [stream(one), vec![0; 8], stream(two), stream(three)].concat()),
        ("with empty ones", [stream(&none), stream(one), file(&none), file(two), file(&none), file(three)].concat()),
    ] {
        let outcome = read(Format::Arrow, bytes);
        assert_eq!(outcome.rejected, [], "{name}");
        assert_eq!((outcome.segments.as_slice(), outcome.lines), (segments.as_slice(), vec![1, 2, 3]), "{name}");
    }
    let outcome = read(Format::Arrow, [stream(one), b"\xFF\xFF\xFF\xFFoops".to_vec()].concat());
    assert_eq!((outcome.segments.len(), outcome.rejected.len()), (1, 1));
}

#[test]
fn parquet_files_put_together_are_refused() {
    let one = written(Format::Parquet, &[interactive()]);
    let Err(Error::Unreadable { reason, .. }) = read_for(None, Format::Parquet, [one.clone(), one].concat()) else {
        panic!("they were read")
    };
    assert!(reason.contains("several files"), "{reason}");
}

/// A Parquet file with times of 96 bits, as Spark and Impala write them: nanoseconds of a day, and its Julian number.
fn with_times_of_96_bits(days: &[u32]) -> Vec<u8> {
    use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type, Int96, Int96Type};
    use ::parquet::file::properties::WriterProperties;
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;
    let schema = "message segments { required binary account_id (UTF8); required binary conversation_id (UTF8); \
        required int32 segment_index; required int64 skill_id; required int96 start_time; required int96 end_time; \
        required binary start_reason (UTF8); required binary end_reason (UTF8); required binary user_type (UTF8); \
        required binary outcome (UTF8); required boolean abandoned_in_queue; required int32 agent_messages; \
        required int32 consumer_messages; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(WriterProperties::new())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let texts = ["acme", "c-1", "new_conversation", "closed_by_consumer", "none", "abandoned"];
    let mut texts = texts.iter().map(|text| vec![ByteArray::from(*text); days.len()]);
    let times: Vec<Int96> = days
        .iter()
        .map(|day| {
            let mut time = Int96::new();
            // A second after midnight.
            time.set_data(1_000_000_000, 0, *day);
            time
        })
        .collect();
    let mut number = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        let written = match number {
            0 | 1 | 6..=9 => column.typed::<ByteArrayType>().write_batch(&texts.next().unwrap(), None, None),
            2 => column.typed::<Int32Type>().write_batch(&(0..days.len() as i32).collect::<Vec<_>>(), None, None),
            3 => column.typed::<Int64Type>().write_batch(&vec![12; days.len()], None, None),
            4 | 5 => column.typed::<Int96Type>().write_batch(&times, None, None),
            10 => column.typed::<BoolType>().write_batch(&vec![false; days.len()], None, None),
            _ => column.typed::<Int32Type>().write_batch(&vec![0; days.len()], None, None),
        };
        assert_eq!(written.unwrap(), days.len());
        number += 1;
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn times_of_96_bits_are_read_beyond_the_year_2262_and_never_wrap() {
    // 1 January 1970 is Julian day 2440588. 2199-12-31 is 84005 days later; 2262-04-12 and 2554 are beyond 64 bits.
    let file =
        with_times_of_96_bits(&[2_440_588 + 17_548, 2_440_588 + 84_005, 2_440_588 + 106_752, 2_440_588 + 213_504]);
    for zone in ["UTC", "Europe/Berlin"] {
        let outcome = read_in(zone, Format::Parquet, file.clone());
        let times: Vec<i64> = outcome.segments.iter().map(|segment| segment.end_time).collect();
        assert_eq!(times, [17_548 * 86_400_000 + 1000, 84_005 * 86_400_000 + 1000]);
        let told: Vec<(u64, bool)> =
            outcome.rejected.iter().map(|(line, told)| (*line, told.contains("1970 to 2199"))).collect();
        assert_eq!(told, [(3, true), (4, true)], "{:?}", outcome.rejected);
    }
}

/// Files of other people's programs. They are not part of the source: where they are not there, this tells so.
#[test]
fn files_of_the_field_have_their_right_value() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/field");
    if !folder.exists() {
        let _ = writeln!(std::io::stderr(), "SKIPPED files_of_the_field_have_their_right_value: they are not here");
        return;
    }
    let bytes = |name: &str| std::fs::read(folder.join(name)).unwrap();
    for name in [
        "09-byte-order-mark/segments.json",
        "09-byte-order-mark/segments.ndjson",
        "10-arrow-files/go.arrow",
        "10-arrow-files/polars.arrow",
        "12-duckdb-and-pandas-parquet/duckdb.parquet",
        "12-duckdb-and-pandas-parquet/pandas.parquet",
    ] {
        let (format, _) = Format::from_path(std::path::Path::new(name));
        let outcome = read(format.unwrap(), bytes(name));
        assert_eq!((outcome.segments.len(), outcome.rejected), (4, vec![]), "{name}");
    }
    let history = |name: &str| {
        let (mut segments, mut rejected) = (Vec::new(), Vec::new());
        read_history::<Error>(Input::Bytes(bytes(name).into()), &ReadOptions::default(), |chunk| {
            segments.extend(segments_of(&chunk.batch));
            rejected.extend(chunk.rejected.first.into_iter().map(|rejection| rejection.error.to_string()));
            Ok(())
        })
        .unwrap();
        (segments, rejected)
    };
    for (name, taken) in [
        ("07-history-documented-types/history.json", 2),
        ("08-history-list-of-records/records.json", 1),
        ("09-byte-order-mark/history.json", 1),
    ] {
        let (segments, rejected) = history(name);
        assert_eq!((segments.len(), rejected), (taken, vec![]), "{name}");
        assert!(segments.iter().all(|segment| segment.outcome == crate::Outcome::Interactive), "{name}");
    }
    let (segments, rejected) = history("06-history-without-messages/history.json");
    assert!(segments.is_empty());
    assert!(rejected[0].contains("no-messages") && rejected[0].contains("messageRecords"), "{rejected:?}");
    assert!(rejected[1].contains("partial") && rejected[1].contains("isPartial"), "{rejected:?}");
}
