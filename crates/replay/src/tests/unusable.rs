//! Rows that no report can count.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{cast, filter_record_batch, nullif};
use arrow::datatypes::{DataType, Field, Schema};
use skillscope_segment::column;
use tempfile::TempDir;

use super::world::{Asked, DAY, END, rows, write};

/// The rows with plain text and with columns that may be null, as another program may write them.
fn foreign(rows: &RecordBatch) -> RecordBatch {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, values) in rows.schema().fields().iter().zip(rows.columns()) {
        let data_type = match field.data_type() {
            DataType::Dictionary(..) => DataType::Utf8,
            other => other.clone(),
        };
        fields.push(Field::new(field.name(), data_type.clone(), true));
        columns.push(cast(values, &data_type).unwrap());
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// Whether each row is one of those that are spoilt: every 40th.
fn spoilt(rows: &RecordBatch) -> BooleanArray {
    (0..rows.num_rows()).map(|row| Some(row % 40 == 7)).collect()
}

/// The rows with nulls, or another word, in a column of the spoilt ones.
fn with(rows: &RecordBatch, name: &str, word: Option<&str>) -> RecordBatch {
    let place = rows.schema().index_of(name).unwrap();
    let mut columns = rows.columns().to_vec();
    let bad = spoilt(rows);
    let column: ArrayRef = match word {
        None => nullif(&columns[place], &bad).unwrap(),
        Some(word) => {
            let own = columns[place].as_string::<i32>();
            let spoil = |(own, bad): (Option<&str>, Option<bool>)| {
                if bad == Some(true) { Some(word.to_owned()) } else { own.map(str::to_owned) }
            };
            Arc::new(own.iter().zip(&bad).map(spoil).collect::<StringArray>())
        }
    };
    columns[place] = column;
    RecordBatch::try_new(rows.schema(), columns).unwrap()
}

fn good(rows: &RecordBatch) -> RecordBatch {
    filter_record_batch(rows, &arrow::compute::not(&spoilt(rows)).unwrap()).unwrap()
}

async fn refused(asked: &Asked, folder: &Path) -> String {
    asked.replayed(folder).await.unwrap_err().to_string()
}

#[tokio::test]
async fn rows_without_what_reports_count_by_are_refused_or_left_out() {
    let rows = rows(2_000, 3);
    let all = Asked { account: None, from: END - 2 * DAY, ..Asked::plain() };
    for (name, word, told) in [
        (column::OUTCOME, Some("lost"), "the outcome \"lost\", which is none of "),
        (column::OUTCOME, Some("Interactive"), "the outcome \"Interactive\", which is none of "),
        (column::OUTCOME, None, "no outcome"),
        (column::USER_TYPE, Some("HUMAN"), "the user_type \"HUMAN\", which is none of bot, human"),
        (column::USER_TYPE, None, "no user_type"),
        (column::SKILL_ID, None, "no skill_id"),
        (column::ACCOUNT_ID, None, "no account_id"),
        (column::END_TIME, None, "no end_time"),
        (column::ABANDONED_IN_QUEUE, None, "no abandoned_in_queue"),
    ] {
        let folder = TempDir::new().unwrap();
        let (first, second) = (rows.slice(0, 1_000), rows.slice(1_000, 1_000));
        write(&folder.path().join("a.parquet"), &foreign(&first), 300);
        let bad = write(&folder.path().join("b.parquet"), &with(&foreign(&second), name, word), 300);
        let found = refused(&all, folder.path()).await;
        assert!(found.starts_with(&format!("{} has ", bad.display())), "{name}: {found}");
        assert!(found.contains(told) && found.ends_with("--keep-going leaves such rows out"), "{name}: {found}");
        let one = Asked { account: Some("account-1"), ..all.clone() };
        let bots = one.clone().with("userType", "bot");
        for asked in [&one, &bots] {
            assert!(refused(asked, folder.path()).await.contains(told), "{name}");
        }

        let out = folder.path().join("out.ndjson");
        let summary = all.replay(folder.path(), &out, true).await.unwrap();
        let left_out: Vec<_> = summary.skipped.iter().map(|one| (one.file.clone(), one.rows)).collect();
        assert_eq!(left_out, [(bad.display().to_string(), Some(25))], "{name}");
        assert!(summary.skipped[0].problem.contains(told), "{name}");
        let counted = arrow::compute::concat_batches(&rows.schema(), [&first, &good(&second)]).unwrap();
        assert_eq!(fs::read_to_string(&out).unwrap(), all.answers(&counted).await, "{name}");
    }
}

#[tokio::test]
async fn more_words_than_a_dictionary_has_keys_for_are_told() {
    let rows = rows(1_000, 4);
    let place = rows.schema().index_of(column::OUTCOME).unwrap();
    let mut columns = foreign(&rows).columns().to_vec();
    columns[place] = Arc::new(StringArray::from_iter_values((0..1_000).map(|row| format!("outcome {row}"))));
    let folder = TempDir::new().unwrap();
    let file = write(
        &folder.path().join("a.parquet"),
        &RecordBatch::try_new(foreign(&rows).schema(), columns).unwrap(),
        1_000,
    );
    let asked = Asked { from: END - DAY, ..Asked::plain() };
    let found = refused(&asked, folder.path()).await;
    assert!(found.starts_with(&file.display().to_string()) && found.contains("the outcome \"outcome "), "{found}");
}
