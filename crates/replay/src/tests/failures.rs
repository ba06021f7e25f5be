//! What cannot be read, and what is not there.

use std::fs;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use skillscope_segment::column;
use std::sync::Arc;
use tempfile::TempDir;

use super::world::{Asked, DAY, END, rows, store, write};
use crate::{Archive, Instants, Location, PlanRunner, Replay};

async fn error(folder: &Path) -> String {
    Asked::plain().replayed(folder).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_column_that_is_missing_or_of_another_type_is_named() {
    let rows = rows(100, 1);
    for name in [column::END_TIME, column::TIME_TO_FIRST_AGENT_MESSAGE_MS, column::ACCOUNT_ID, column::USER_TYPE] {
        let folder = TempDir::new().unwrap();
        let kept: Vec<usize> = (0..18).filter(|place| rows.schema().field(*place).name() != name).collect();
        let file = write(&folder.path().join("a.parquet"), &rows.project(&kept).unwrap(), 100);
        let error = error(folder.path()).await;
        assert!(error.starts_with(&format!("{} has no column {name}", file.display())), "{error}");
        assert!(error.contains("conversation_id, segment_index"), "{error}");
    }
    for (name, wrong) in [(column::END_TIME, DataType::Utf8), (column::SKILL_ID, DataType::Float64)] {
        let folder = TempDir::new().unwrap();
        let place = rows.schema().index_of(name).unwrap();
        let mut columns = rows.columns().to_vec();
        columns[place] = cast(&columns[place], &wrong).unwrap();
        let mut fields: Vec<Field> = rows.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        fields[place] = Field::new(name, wrong.clone(), false);
        let wrong_rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
        write(&folder.path().join("a.parquet"), &wrong_rows, 100);
        let error = error(folder.path()).await;
        assert!(error.contains(&format!("the column {name} is {wrong}; it has to be")), "{error}");
    }
}

#[tokio::test]
async fn an_archive_that_is_not_there_or_empty_is_told() {
    let folder = TempDir::new().unwrap();
    let nowhere = folder.path().join("nowhere");
    assert_eq!(error(&nowhere).await, format!("cannot read {}: there is no such folder or bucket", nowhere.display()));
    fs::write(folder.path().join("notes.txt"), "none").unwrap();
    assert_eq!(
        error(folder.path()).await,
        format!("{} has no Parquet files, not even in folders below it", folder.path().display())
    );
    let rows = rows(10, 1);
    write(&folder.path().join("a.parquet"), &rows.slice(0, 0), 10);
    let all = Asked { account: None, ..Asked::plain() };
    let error = all.replayed(folder.path()).await.unwrap_err().to_string();
    assert!(error.ends_with("has no segments, and so no accounts; name one to have its empty reports"), "{error}");
    assert_eq!(Asked::plain().replayed(folder.path()).await.unwrap(), Asked::plain().answers(&rows.slice(0, 0)).await);
}

#[tokio::test]
async fn a_period_without_segments_has_empty_reports() {
    let rows = rows(100, 1);
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("a.parquet"), &rows, 100);
    for from in [0, END - 400 * DAY, END + 10 * DAY] {
        for account in [Some("account-1"), None] {
            let asked = Asked { account, from, to: from + DAY, ..Asked::plain() };
            let replayed = asked.replayed(folder.path()).await.unwrap();
            assert_eq!(replayed, asked.answers(&rows).await);
            assert!(replayed.contains(r#""report":{"skillsMetrics":{},"metricsTotal""#));
        }
    }
}

#[tokio::test]
async fn corrupt_files_are_named_or_left_out() {
    let rows = rows(2_000, 2);
    let folder = TempDir::new().unwrap();
    let good = write(&folder.path().join("good.parquet"), &rows.slice(0, 1_500), 400);
    // One has lost its end, one is empty, and one has pages that cannot be decompressed or decoded.
    let short = write(&folder.path().join("short.parquet"), &rows.slice(1_500, 100), 400);
    let bytes = fs::read(&short).unwrap();
    fs::write(&short, &bytes[..bytes.len() / 2]).unwrap();
    let empty = folder.path().join("empty.parquet");
    fs::write(&empty, "").unwrap();
    let asked = Asked { from: END - DAY, ..Asked::plain() };
    let found = asked.replayed(folder.path()).await.unwrap_err().to_string();
    assert!(found.starts_with(&format!("{} cannot be read as Parquet: ", empty.display())), "{found}");
    assert!(found.ends_with("--keep-going leaves such files out"), "{found}");

    let damaged = write(&folder.path().join("late.parquet"), &rows.slice(1_600, 400), 400);
    let mut bytes = fs::read(&damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[4..middle].fill(0xff);
    fs::write(&damaged, bytes).unwrap();
    let out = folder.path().join("out.ndjson");
    let summary = asked.replay(folder.path(), &out, true).await.unwrap();
    let mut skipped: Vec<_> = summary.skipped.into_iter().map(|skipped| skipped.file).collect();
    skipped.sort();
    assert_eq!(skipped, [&empty, &damaged, &short].map(|path| path.display().to_string()));
    // Also the rows that were read before the damage was found are out.
    assert_eq!(fs::read_to_string(&out).unwrap(), asked.answers(&rows.slice(0, 1_500)).await);

    for bad in [&short, &empty] {
        fs::remove_file(bad).unwrap();
    }
    let found = asked.replayed(folder.path()).await.unwrap_err().to_string();
    assert!(found.starts_with(&format!("{} cannot be read as Parquet: ", damaged.display())), "{found}");
    assert!(good.exists());
}

#[tokio::test]
async fn corrupt_files_are_left_out_before_accounts_are_known() {
    let rows = rows(2_000, 2);
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("good.parquet"), &rows.slice(0, 1_500), 400);
    let damaged = write(&folder.path().join("late.parquet"), &rows.slice(1_500, 500), 500);
    let mut bytes = fs::read(&damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[4..middle].fill(0xff);
    fs::write(&damaged, bytes).unwrap();
    let asked = Asked { account: None, from: END - DAY, ..Asked::plain() };
    let found = asked.replayed(folder.path()).await.unwrap_err().to_string();
    assert!(found.starts_with(&format!("{} cannot be read as Parquet: ", damaged.display())), "{found}");
    let out = folder.path().join("out.ndjson");
    let summary = asked.replay(folder.path(), &out, true).await.unwrap();
    assert_eq!(summary.skipped.len(), 1);
    assert_eq!(fs::read_to_string(&out).unwrap(), asked.answers(&rows.slice(0, 1_500)).await);
}

/// A file whose schema has 10,000 groups, each in the one before.
fn deep_file() -> Vec<u8> {
    // The version, and a list of 10,001 structs.
    let mut metadata = vec![0x15, 2, 0x19, 0xFC, 0x91, 0x4E];
    for _ in 0..10_000 {
        // Repetition, name and number of children.
        metadata.extend([0x35, 0, 0x18, 1, b'g', 0x15, 2, 0]);
    }
    metadata.extend([0x15, 4, 0x25, 2, 0x18, 1, b'c', 0, 0]);
    let length = u32::try_from(metadata.len()).unwrap();
    [b"PAR1", &metadata[..], &length.to_le_bytes(), b"PAR1"].concat()
}

#[tokio::test]
async fn a_file_that_was_made_to_do_harm_is_an_error_of_its_own() {
    let rows = rows(1_000, 2);
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("good.parquet"), &rows, 400);
    let deep = folder.path().join("deep.parquet");
    fs::write(&deep, deep_file()).unwrap();
    let asked = Asked { from: END - DAY, ..Asked::plain() };
    let found = asked.replayed(folder.path()).await.unwrap_err().to_string();
    assert!(found.starts_with(&format!("{} cannot be read as Parquet: ", deep.display())), "{found}");
    let out = folder.path().join("out.ndjson");
    let summary = asked.replay(folder.path(), &out, true).await.unwrap();
    assert_eq!(summary.skipped.into_iter().map(|one| one.file).collect::<Vec<_>>(), [deep.display().to_string()]);
    assert_eq!(fs::read_to_string(&out).unwrap(), asked.answers(&rows).await);
}

#[tokio::test]
async fn a_file_that_changes_meanwhile_ends_the_replay() {
    let rows = rows(1_000, 2);
    let folder = TempDir::new().unwrap();
    let file = write(&folder.path().join("a.parquet"), &rows, 100);
    for change in ["other", "gone"] {
        let archive = Archive::open(Location::Folder(folder.path().to_owned()), true).await.unwrap();
        let out = folder.path().join("out.ndjson");
        let replay = Replay::new(Asked::plain().question(), archive, PlanRunner::local().unwrap(), &out).unwrap();
        match change {
            "other" => drop(write(&file, &rows.slice(0, 500), 100)),
            _ => fs::remove_file(&file).unwrap(),
        }
        let error = replay.run(|_| ()).await.unwrap_err().to_string();
        assert!(error.contains(&file.display().to_string()), "{error}");
        assert!(!out.exists());
    }
}

#[tokio::test]
async fn segments_without_a_skill_are_told() {
    let rows = rows(100, 1);
    let folder = TempDir::new().unwrap();
    let place = rows.schema().index_of(column::SKILL_ID).unwrap();
    let mut columns = rows.columns().to_vec();
    columns[place] = arrow::array::new_null_array(&DataType::Int64, rows.num_rows());
    let mut fields: Vec<Field> = rows.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields[place] = Field::new(column::SKILL_ID, DataType::Int64, true);
    write(
        &folder.path().join("a.parquet"),
        &RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap(),
        100,
    );
    let error = error(folder.path()).await;
    assert!(error.contains("rows that no report can count, with no skill_id"), "{error}");
}

#[tokio::test]
async fn a_damaged_file_of_a_data_directory_is_named_or_left_out() {
    let rows = rows(2_000, 2);
    let directory = TempDir::new().unwrap();
    let sealed = store(directory.path(), &rows);
    sealed.seal_finished_hours().unwrap();
    drop(sealed);
    let day = directory.path().join("archive/account=account-1/date=2018-01-17");
    let mut files: Vec<_> = fs::read_dir(day).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut bytes = fs::read(&files[3]).unwrap();
    bytes[100] ^= 1;
    fs::write(&files[3], bytes).unwrap();
    let name = files[3].strip_prefix(directory.path()).unwrap().display().to_string();
    let asked = Asked { from: END - 2 * DAY, ..Asked::plain() };
    let error = asked.replayed(directory.path()).await.unwrap_err().to_string();
    assert_eq!(error, format!("{name} of the data directory is damaged or gone; --keep-going leaves such files out"));
    let out = TempDir::new().unwrap();
    let summary = asked.replay(directory.path(), &out.path().join("out.ndjson"), true).await.unwrap();
    assert_eq!(summary.skipped.into_iter().map(|skipped| skipped.file).collect::<Vec<_>>(), [name]);
    assert!(files[3].exists(), "nothing in the directory is changed");
}

#[tokio::test]
async fn a_directory_that_is_open_elsewhere_is_told() {
    let directory = TempDir::new().unwrap();
    let _open = store(directory.path(), &rows(10, 1));
    let error = Archive::open(Location::Folder(directory.path().to_owned()), false).await.unwrap_err().to_string();
    assert!(error.contains("in use") || error.contains("open"), "{error}");
}

#[test]
fn instants_and_places_that_cannot_be_are_told() {
    assert!(Instants::new(5, 4, 1).is_err());
    assert!(Instants::new(5, 5, 0).is_err());
    assert_eq!(Instants::new(i64::MIN, i64::MAX, i64::MAX).unwrap().count(), 3);
    for wrong in ["gs://bucket", "s3://", "http://x/y"] {
        let error = wrong.parse::<Location>().unwrap_err().to_string();
        assert_eq!(error, format!("{wrong} is no archive: it is a folder, or s3://bucket/prefix"));
    }
    let bucket = "s3://b/one/two/".parse::<Location>().unwrap();
    assert_eq!(bucket, Location::Bucket { bucket: "b".to_owned(), prefix: "one/two".to_owned() });
}
