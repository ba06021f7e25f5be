//! Segments in every format, read.

use std::io::Write;
use std::sync::Arc;

use ::arrow::array::{ArrayRef, Int64Array, NullArray, RecordBatch, StringArray, StringViewBuilder, UInt32Array};
use ::arrow::compute::{cast, take};
use ::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
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
