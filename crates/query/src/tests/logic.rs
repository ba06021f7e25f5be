//! The statements in `tests/sql` have the answers that stand there, wherever the rows are.

use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::FieldRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use skillscope_segment::{Chunk, Format, Input, ReadOptions, Segment, SegmentRows, parse_instant, read_segments};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use super::world::World;
use crate::Error;

/// The clock of the sample.
const NOW: &str = "2018-01-18T08:51:55.679Z";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sql")
}

/// The rows of a file of segments.
fn read(path: &Path) -> RecordBatch {
    let bytes = fs::read(path).unwrap();
    let options = ReadOptions { account: None, chunk_rows: 1 << 20, ..ReadOptions::default() };
    let mut batches = Vec::new();
    read_segments(Format::Ndjson, Input::Bytes(bytes.into()), &options, |Chunk { batch, rejected, .. }| {
        assert!(rejected.is_empty(), "{rejected:?}");
        batches.push(batch);
        Ok::<_, skillscope_segment::Error>(())
    })
    .unwrap();
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

/// Runs a file of statements over these rows: in memory, in files, and some here and some there.
fn run(file: &str, rows: Option<&Path>) {
    run_over(file, rows, |all| vec![(26, 0), (0, all), (6, all), (26, all / 2)]);
}

/// Runs a file of statements over these rows, for each number of hours in memory and of rows in files.
fn run_over(file: &str, rows: Option<&Path>, places: impl Fn(usize) -> Vec<(u32, usize)>) {
    let batch = rows.map(read);
    let rows = batch.as_ref().map(|batch| SegmentRows::new(batch).unwrap());
    let segments: Vec<Segment<'_>> =
        rows.iter().flat_map(|rows| (0..rows.len()).map(|row| rows.segment(row).unwrap())).collect();
    let now = parse_instant(NOW).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (hot_hours, archived) in places(segments.len()) {
        let world = World::with_hot_hours(now, hot_hours, archived, &segments);
        let mut runner = Runner::new(|| async { Ok(Database(&world)) });
        runner.with_column_validator(sqllogictest::strict_column_validator);
        let done = runtime.block_on(runner.run_file_async(folder().join(file)));
        done.unwrap_or_else(|error| panic!("{hot_hours} hot hours, {archived} archived: {}", error.display(false)));
        drop(runner);
    }
}

struct Database<'w>(&'w World);

#[async_trait]
impl AsyncDB for Database<'_> {
    type Error = Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Error> {
        let mut stream = self.0.session(None).run(sql, Vec::new()).await?;
        let types = stream.schema().fields().iter().map(|field| column_type(field.data_type())).collect();
        let mut rows = Vec::new();
        while let Some(batch) = futures::TryStreamExt::try_next(&mut stream).await? {
            rows.extend(texts(&batch));
        }
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}
}

fn column_type(data_type: &arrow::datatypes::DataType) -> DefaultColumnType {
    if data_type.is_integer() {
        DefaultColumnType::Integer
    } else if data_type.is_floating() || data_type.is_decimal() {
        DefaultColumnType::FloatingPoint
    } else {
        DefaultColumnType::Text
    }
}

fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap());
    let columns: Vec<_> = columns.collect();
    let value = |column: &ArrayFormatter<'_>, row| match column.value(row).to_string() {
        text if text.is_empty() => "(empty)".to_owned(),
        text => text,
    };
    // A whole number is one, whatever its type.
    let shortened = |text: String| text.strip_suffix(".0").map_or(text.clone(), str::to_owned);
    let schema = batch.schema();
    let shown = |(column, field): (&ArrayFormatter<'_>, &FieldRef), row| match column_type(field.data_type()) {
        DefaultColumnType::FloatingPoint => shortened(value(column, row)),
        _ => value(column, row),
    };
    let row = |row| columns.iter().zip(schema.fields()).map(|column| shown(column, row)).collect();
    (0..batch.num_rows()).map(row).collect()
}

#[test]
fn of_empty_tables() {
    run("empty.slt", None);
}

#[test]
fn what_there_is() {
    run("information_schema.slt", None);
}

#[test]
fn at_the_edges() {
    run("edges.slt", Some(&folder().join("edges.ndjson")));
}

#[test]
fn subqueries() {
    run("subqueries.slt", Some(&folder().join("../../data/segments.ndjson")));
}

#[test]
fn in_the_dialect_of_postgresql() {
    run("dialect.slt", Some(&folder().join("edges.ndjson")));
}

#[test]
fn in_words_of_duckdb() {
    run("duckdb.slt", Some(&folder().join("edges.ndjson")));
}

#[test]
fn analysts_questions() {
    run("questions.slt", Some(&folder().join("../../data/segments.ndjson")));
}

/// What PostgreSQL 15 answers to the same statements over the same rows. Most of them are of what is computed, wherever
/// the rows are.
#[test]
fn postgresql_means_the_same() {
    for file in ["postgresql.slt", "patterns.slt"] {
        run_over(file, Some(&folder().join("../../data/segments.ndjson")), |all| vec![(26, all / 2)]);
    }
}
