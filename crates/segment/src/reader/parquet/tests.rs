//! Parquet files that were made to do harm, and files of every kind that do none.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowWriter, encode_arrow_schema};
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use proptest::prelude::*;

use super::*;
use crate::testing::{batch_of, interactive};
use crate::{ReadOptions, Segment, column, read_segments};

/// The rows that are read, and the first rejection; or the error of the whole.
fn read_within(bytes: impl Into<Bytes>, most_unfolded: Option<u64>) -> std::result::Result<(usize, String), Error> {
    let options = ReadOptions { most_unfolded, ..ReadOptions::default() };
    let (mut rows, mut told) = (0, String::new());
    read_segments::<Error>(Format::Parquet, Input::Bytes(bytes.into()), &options, |chunk| {
        rows += chunk.batch.num_rows();
        if let Some(rejection) = chunk.rejected.first.first().filter(|_| told.is_empty()) {
            told = rejection.error.to_string();
        }
        Ok(())
    })?;
    Ok((rows, told))
}

fn read(bytes: impl Into<Bytes>) -> std::result::Result<(usize, String), Error> {
    read_within(bytes, None)
}

#[track_caller]
fn assert_refused(bytes: impl Into<Bytes>, reason: &str) {
    match read(bytes) {
        Err(Error::Unreadable { reason: told, .. }) => assert!(told.contains(reason), "{told}"),
        other => panic!("{other:?}"),
    }
}

/// A file that is all footer.
fn file_of(metadata: &[u8]) -> Vec<u8> {
    let mut file = b"PAR1".to_vec();
    file.extend_from_slice(metadata);
    file.extend_from_slice(&u32::try_from(metadata.len()).unwrap().to_le_bytes());
    file.extend_from_slice(b"PAR1");
    file
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The beginning of a footer: its version, and a schema of so many elements.
fn schema_of(elements: u64) -> Vec<u8> {
    let mut bytes = vec![0x15, 2, 0x19, 0xFC];
    varint(elements, &mut bytes);
    bytes
}

/// A group of `children`, or a column of 64-bit integers where there are none.
fn element(name: &str, children: u64, bytes: &mut Vec<u8>) {
    if children == 0 {
        // Its type, and that it may be missing.
        bytes.extend([0x15, 4, 0x25, 2]);
    } else {
        bytes.extend([0x35, 0]);
    }
    bytes.push(0x18);
    varint(name.len() as u64, bytes);
    bytes.extend(name.bytes());
    if children > 0 {
        bytes.push(0x15);
        varint(2 * children, bytes);
    }
    bytes.push(0);
}

#[test]
fn a_schema_that_is_deep_is_refused_before_it_is_decoded() {
    for depth in [33, 10_000] {
        let mut metadata = schema_of(depth + 1);
        (0..depth).for_each(|_| element("g", 1, &mut metadata));
        element("c", 0, &mut metadata);
        assert_refused(file_of(&metadata), if depth < 100 { "nested too deep" } else { "" });
    }
    // As it comes at the very end of what is listed at once.
    let mut metadata = schema_of(9_999);
    (0..9_998).for_each(|_| element("g", 1, &mut metadata));
    element("c", 0, &mut metadata);
    assert_refused(file_of(&metadata), "nested too deep");
}

#[test]
fn a_schema_that_is_wide_is_refused_before_it_is_decoded() {
    let mut metadata = schema_of(20_001);
    element("root", 20_000, &mut metadata);
    (0..20_000).for_each(|_| element("c", 0, &mut metadata));
    assert_refused(file_of(&metadata), "too many columns");
    // Every column keeps the names of the groups around it.
    let mut metadata = schema_of(9_002);
    element("root", 1, &mut metadata);
    element(&"g".repeat(100_000), 9_000, &mut metadata);
    (0..9_000).for_each(|_| element("c", 0, &mut metadata));
    assert_refused(file_of(&metadata), "names in its schema");
    let mut metadata = schema_of(2);
    element("root", i32::MAX as u64, &mut metadata);
    element("c", 0, &mut metadata);
    assert_refused(file_of(&metadata), "too many columns");
}

#[test]
fn lengths_are_not_believed_before_their_bytes_are_there() {
    let small = || {
        let mut metadata = schema_of(2);
        element("root", 1, &mut metadata);
        element("c", 0, &mut metadata);
        metadata.extend([0x16, 2]);
        metadata
    };
    // Two thousand million row groups, pairs, orders of columns; and fields that nobody knows.
    for list in [&[0x19, 0xFC][..], &[0x29, 0xFC], &[0x49, 0xFC], &[0xA9, 0xF3], &[0xA9, 0xF1]] {
        let mut metadata = small();
        metadata.extend(list);
        varint(i32::MAX as u64, &mut metadata);
        assert_refused(file_of(&metadata), "longer than the bytes");
    }
    // Lists of booleans take bytes for some readers, and none for others.
    let mut metadata = small();
    metadata.extend([0xA9, 0x51, 1, 1, 1, 1, 1, 0]);
    assert_refused(file_of(&metadata), "booleans");
    let mut file = file_of(&small());
    let length = file.len() - 8;
    file[length..length + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_refused(file, "longer than the file");
}

#[test]
fn row_groups_are_counted_before_there_is_room_for_them() {
    for (count, is_many) in [(32_768, false), (32_769, true)] {
        let mut metadata = schema_of(2);
        element("root", 1, &mut metadata);
        element("c", 0, &mut metadata);
        // The number of rows, and structs of which each is its end alone.
        metadata.extend([0x16, 2, 0x19, 0xFC]);
        varint(count, &mut metadata);
        metadata.resize(metadata.len() + count as usize + 1, 0);
        let Err(Error::Unreadable { reason, .. }) = read(file_of(&metadata)) else { panic!("it was read") };
        assert_eq!(reason.contains("too many row groups: at most 32768"), is_many, "{reason}");
    }
}

#[test]
fn a_field_of_another_type_than_its_own_is_refused() {
    // The library takes field 2 for a list whatever its type is, and so would come upon a schema in the bytes.
    let mut metadata = vec![0x15, 2, 0x18];
    let mut schema = schema_of(5_001).split_off(3);
    (0..5_000).for_each(|_| element("g", 1, &mut schema));
    element("c", 0, &mut schema);
    varint(schema.len() as u64, &mut metadata);
    metadata.extend(schema);
    metadata.push(0);
    assert_refused(file_of(&metadata), "another type");
}

fn rows(count: u32) -> Vec<Segment<'static>> {
    let row = |index| Segment { segment_index: index, ..interactive() };
    (0..count).map(row).collect()
}

fn written(batch: &RecordBatch, properties: WriterPropertiesBuilder) -> Vec<u8> {
    let options = ArrowWriterOptions::new().with_properties(properties.build());
    let mut writer = ArrowWriter::try_new_with_options(Vec::new(), batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

/// The same batch with other conversations.
fn with_conversations(batch: &RecordBatch, texts: StringArray) -> RecordBatch {
    let place = batch.schema().index_of(column::CONVERSATION_ID).unwrap();
    let mut columns = batch.columns().to_vec();
    columns[place] = Arc::new(texts) as ArrayRef;
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

fn zstd() -> Compression {
    Compression::ZSTD(ZstdLevel::default())
}

#[test]
fn files_of_every_kind_that_writers_make_are_read() {
    let batch = batch_of(&rows(3000));
    let ids = (0..3000).map(|row| Some(format!("conversation-{}", row % 700)));
    let batch = with_conversations(&batch, ids.collect());
    let compressions = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4_RAW,
        Compression::LZ4,
        zstd(),
    ];
    for compression in compressions {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for encoding in [Encoding::PLAIN, Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY] {
                for is_dictionary in [true, false] {
                    let properties = WriterProperties::builder()
                        .set_compression(compression)
                        .set_writer_version(version)
                        .set_data_page_row_count_limit(1000)
                        .set_write_batch_size(100)
                        .set_column_encoding(column::CONVERSATION_ID.into(), encoding)
                        .set_column_encoding(column::LAST_AGENT_ID.into(), encoding)
                        .set_dictionary_enabled(is_dictionary);
                    let told = format!("{compression:?}, {version:?}, {encoding:?}, {is_dictionary}");
                    let read = read_within(written(&batch, properties), Some(1 << 20));
                    assert_eq!(read.unwrap(), (3000, String::new()), "{told}");
                }
            }
        }
    }
}

#[test]
fn a_text_of_a_hundred_megabytes_is_refused_before_there_is_room_for_it() {
    let texts: StringArray = [Some("x".repeat(100 << 20))].into_iter().collect();
    let batch = with_conversations(&batch_of(&rows(1)), texts);
    for is_dictionary in [false, true] {
        let properties = WriterProperties::builder()
            .set_compression(zstd())
            .set_dictionary_enabled(is_dictionary)
            .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None);
        let file = written(&batch, properties);
        assert!(file.len() < 50_000, "{}", file.len());
        let refused = read_within(file, Some(64 << 20));
        assert!(matches!(refused, Err(Error::UnfoldsTooFar { most: 67_108_864 })), "{refused:?}");
    }
}

#[test]
fn pages_that_are_in_memory_together_are_bounded_by_what_the_file_has() {
    // In tests they may have a megabyte, or eight times the file.
    let batch = batch_of(&rows(15_000));
    let same = std::iter::repeat_n(Some("x".repeat(100)), 15_000).collect();
    let digits = |number: u64| format!("{:016x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let others = (0..15_000).map(|row| Some((0..6).map(|word| digits(6 * row + word)).collect::<String>())).collect();
    for (texts, is_much) in [(same, true), (others, false)] {
        let properties = WriterProperties::builder()
            .set_compression(zstd())
            .set_dictionary_enabled(false)
            .set_data_page_size_limit(usize::MAX);
        let file = written(&with_conversations(&batch, texts), properties);
        if is_much {
            assert_refused(file, "pages of its columns unfold to ");
        } else {
            let metadata = footer::read(&Bytes::from(file.clone())).unwrap();
            assert!(metadata.row_group(0).total_byte_size() > 2 << 20);
            assert_eq!(read(file).unwrap().0, 15_000);
        }
    }
}

#[test]
fn a_page_that_says_less_than_it_unfolds_to_is_refused() {
    let texts = [Some("x".repeat(1000))].into_iter().collect();
    let batch = with_conversations(&batch_of(&rows(1)), texts);
    let compressions = [
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::SNAPPY,
        zstd(),
        Compression::LZ4_RAW,
    ];
    for compression in compressions {
        let properties = WriterProperties::builder().set_compression(compression).set_dictionary_enabled(false);
        let mut file = written(&batch, properties);
        let metadata = footer::read(&Bytes::from(file.clone())).unwrap();
        let page = usize::try_from(metadata.row_group(0).column(1).data_page_offset()).unwrap();
        // Its kind, and its length once it is decompressed.
        assert_eq!(file[page..page + 3], [0x15, 0, 0x15]);
        file[page + 4] -= 1;
        assert!(matches!(read(file), Err(Error::Unreadable { .. })), "{compression:?}");
    }
}

#[test]
fn rows_that_run_lengths_stand_for_are_counted_before_they_are_decoded() {
    let batch = batch_of(&rows(10_000));
    let properties = WriterProperties::builder()
        .set_compression(zstd())
        .set_column_encoding(column::SEGMENT_INDEX.into(), Encoding::DELTA_BINARY_PACKED)
        .set_column_dictionary_enabled(column::SEGMENT_INDEX.into(), false);
    let file = written(&batch, properties);
    assert!(file.len() < 15_000, "{}", file.len());
    let refused = read_within(file.clone(), Some(1 << 20));
    assert!(matches!(refused, Err(Error::UnfoldsTooFar { .. })), "{refused:?}");
    assert_eq!(read_within(file, Some(2 << 20)).unwrap().0, 10_000);
}

#[test]
fn texts_that_a_dictionary_repeats_are_counted_before_they_are_copied() {
    let properties = || WriterProperties::builder().set_compression(zstd());
    let texts = std::iter::repeat_n(Some("x".repeat(1024)), 3000).collect();
    let file = written(&with_conversations(&batch_of(&rows(3000)), texts), properties());
    assert!(file.len() < 25_000, "{}", file.len());
    let refused = read_within(file.clone(), Some(1 << 20));
    assert!(matches!(refused, Err(Error::UnfoldsTooFar { .. })), "{refused:?}");
    assert_eq!(read(file).unwrap().0, 3000);
    // A text that is longer than one may be is an error of its row; one that is much longer, of the file.
    for (length, is_refused) in [(1025, false), (16 << 10, false), ((16 << 10) + 1, true)] {
        let texts = std::iter::repeat_n(Some("x".repeat(length)), 3000).collect();
        let batch = with_conversations(&batch_of(&rows(3000)), texts);
        for encoding in [Encoding::PLAIN, Encoding::DELTA_BYTE_ARRAY] {
            let properties = properties()
                .set_dictionary_enabled(encoding == Encoding::PLAIN)
                .set_column_encoding(column::CONVERSATION_ID.into(), encoding);
            let file = written(&batch, properties);
            if is_refused {
                assert_refused(file, "it has a text of 16385 bytes");
            } else {
                let (rows, told) = read(file).unwrap();
                assert_eq!((rows, told.as_str()), (0, "conversation_id is longer than 1024 bytes"));
            }
        }
    }
}

#[test]
fn a_page_with_more_lengths_than_values_is_refused() {
    for encoding in [Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY] {
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_column_encoding(column::CONVERSATION_ID.into(), encoding);
        let mut file = written(&batch_of(&rows(3)), properties);
        let lengths = [0x80, 0x01, 0x04, 0x03];
        let place = file.windows(4).position(|window| window == lengths).unwrap();
        file[place + 3] = 0x7f;
        assert_refused(file, "more lengths than values");
    }
}

#[test]
fn a_page_with_more_values_than_rows_is_refused() {
    let properties = WriterProperties::builder().set_dictionary_enabled(false);
    let mut file = written(&batch_of(&rows(3)), properties);
    let metadata = footer::read(&Bytes::from(file.clone())).unwrap();
    let page = usize::try_from(metadata.row_group(0).column(1).data_page_offset()).unwrap();
    // The number of values is the first field of the header of a data page.
    let values = file[page..].windows(4).position(|window| window[..3] == [0x2c, 0x15, 0x06]).unwrap();
    file[page + values + 2] = 0x7e;
    assert_refused(file, "more values than there are rows");
}

#[test]
fn an_arrow_schema_that_is_deep_is_refused_before_it_is_decoded() {
    let batch = batch_of(&rows(1));
    let mut deep = DataType::Int64;
    for _ in 0..40 {
        deep = DataType::Struct(vec![Field::new("g", deep, true)].into());
    }
    let deep = encode_arrow_schema(&Schema::new(vec![Field::new("deep", deep, true)]));
    let unreadable = "the Arrow schema that it carries";
    for (encoded, reason) in [(&*deep, "nested too deep"), ("no base64", unreadable), ("/////w==", unreadable)] {
        let pairs = vec![KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), encoded.to_owned())];
        let properties = WriterProperties::builder().set_key_value_metadata(Some(pairs)).build();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let mut writer = ArrowWriter::try_new_with_options(Vec::new(), batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        assert_refused(writer.into_inner().unwrap(), reason);
    }
}

#[test]
fn reading_ends_where_nobody_waits_for_the_outcome() {
    let file = written(&batch_of(&rows(5000)), WriterProperties::builder());
    let flag = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let options = ReadOptions { is_abandoned: Some(Arc::clone(&flag)), chunk_rows: 1000, ..ReadOptions::default() };
    let mut rows = 0;
    let outcome = read_segments::<Error>(Format::Parquet, Input::Bytes(file.into()), &options, |chunk| {
        rows += chunk.batch.num_rows();
        flag.store(true, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    });
    assert!(matches!(outcome, Err(Error::Abandoned)), "{outcome:?}");
    assert!((1..=2048).contains(&rows), "{rows}");
}

proptest! {
    #[test]
    fn no_footer_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(file_of(&bytes));
        let mut metadata = schema_of(3);
        element("root", 2, &mut metadata);
        metadata.extend(bytes);
        let _ = read(file_of(&metadata));
    }

    #[test]
    fn a_damaged_file_never_makes_it_panic(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        encoding in prop::sample::select(vec![Encoding::PLAIN, Encoding::DELTA_BYTE_ARRAY]),
        is_dictionary in any::<bool>(),
    ) {
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(is_dictionary)
            .set_column_encoding(column::CONVERSATION_ID.into(), encoding);
        let mut file = written(&batch_of(&rows(3)), properties);
        for (place, by) in places {
            let place = place.index(file.len());
            file[place] = by;
        }
        let _ = read_within(file, Some(1 << 20));
    }
}
