use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arrow::array::RecordBatch;
use proptest::collection::vec;
use proptest::prelude::*;
use skillscope_segment::{
    EndReason, Format, Input, Outcome, ReadOptions, Segment, SegmentBatchBuilder, SegmentRows, StartReason, UserType,
};
use tempfile::TempDir;

use super::*;

const HOUR_MS: i64 = 3_600_000;

/// A segment whose key and place can be chosen; it keeps every rule.
fn segment(
    account: &str,
    conversation: u32,
    index: u32,
    skill_id: i64,
    user_type: UserType,
    end_time: i64,
) -> Segment<'static> {
    let assigned = (user_type != UserType::None).then_some(end_time);
    Segment {
        account_id: account.to_owned().into(),
        conversation_id: format!("c-{conversation}").into(),
        segment_index: index,
        skill_id,
        start_time: end_time,
        end_time,
        start_reason: StartReason::NewConversation,
        end_reason: EndReason::ClosedByConsumer,
        user_type,
        outcome: Outcome::Abandoned,
        abandoned_in_queue: false,
        first_assigned_time: assigned,
        first_agent_message_time: None,
        time_to_first_agent_message_ms: None,
        agent_messages: 0,
        consumer_messages: 1,
        last_agent_id: None,
        source: Some(format!("source-{}", conversation % 7).into()),
    }
}

fn plain(account: &str, conversation: u32, end_time: i64) -> Segment<'static> {
    segment(account, conversation, 0, 1, UserType::None, end_time)
}

fn batch(segments: &[Segment<'_>]) -> RecordBatch {
    let mut builder = SegmentBatchBuilder::with_capacity(segments.len());
    segments.iter().for_each(|segment| builder.append(segment));
    builder.finish().unwrap()
}

/// What a snapshot holds: for each key, as text, the segment's JSON.
fn contents(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let mut contents = BTreeMap::new();
    for partition in snapshot.accounts().flat_map(|account| snapshot.partitions(account)) {
        for batch in partition.batches() {
            let rows = SegmentRows::new(batch).unwrap();
            for row in 0..rows.len() {
                let (key, json) = entry(&rows.segment(row).unwrap());
                assert_eq!(contents.insert(key, json), None, "a key is there twice");
            }
        }
    }
    contents
}

fn entry(segment: &Segment<'_>) -> (String, String) {
    let key = format!("{}/{}/{}", segment.account_id, segment.conversation_id, segment.segment_index);
    (key, format!("{segment:?}"))
}

fn parquet_files(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![directory.join("archive")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { folders.push(entry) } else { files.push(entry) }
        }
    }
    files.sort();
    files
}

fn any_stored_segment() -> impl Strategy<Value = Segment<'static>> {
    let user_type = prop::sample::select(UserType::ALL);
    (0..2_u8, 0..12_u32, 0..3_u32, -1..4_i64, user_type, 0..4 * HOUR_MS).prop_map(
        |(account, conversation, index, skill, user_type, end_time)| {
            segment(["acme", "bolt"][usize::from(account)], conversation, index, skill, user_type, end_time)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is written in whatever batches, the first write of a key counts: now and after a restart.
    #[test]
    fn the_store_holds_what_a_map_would_hold(batches in vec(vec(any_stored_segment(), 0..12), 0..8)) {
        let directory = TempDir::new().unwrap();
        let mut model = BTreeMap::new();
        let store = Store::open(directory.path()).unwrap();
        for segments in &batches {
            let (mut accepted, mut repeated, mut refused) = (0, 0, 0);
            for segment in segments {
                let (key, value) = entry(segment);
                let end_time = segment.end_time;
                match model.get(&key) {
                    None => { accepted += 1; model.insert(key, (end_time, value)); }
                    Some((stored, _)) if *stored == end_time => repeated += 1,
                    Some(_) => refused += 1,
                }
            }
            let appended = store.append(&batch(segments)).unwrap();
            prop_assert_eq!((appended.accepted, appended.duplicates, appended.refused_count), (accepted, repeated, refused));
            prop_assert_eq!(appended.refused.len(), refused);
        }
        let expected: BTreeMap<String, String> = model.into_iter().map(|(key, (_, value))| (key, value)).collect();
        prop_assert_eq!(contents(&store.snapshot()), expected.clone());
        drop(store);
        let reopened = Store::open(directory.path()).unwrap();
        prop_assert_eq!(contents(&reopened.snapshot()), expected);
    }

    /// A partition is one account and one hour, its bounds are those of its rows, and its batches are sorted.
    #[test]
    fn partitions_are_cut_by_account_and_hour_and_sorted(batches in vec(vec(any_stored_segment(), 1..40), 1..6)) {
        let directory = TempDir::new().unwrap();
        let store = Store::open(directory.path()).unwrap();
        for segments in &batches {
            store.append(&batch(segments)).unwrap();
        }
        let snapshot = store.snapshot();
        for account in snapshot.accounts() {
            for partition in snapshot.partitions(account) {
                check_partition(partition, account.as_str())?;
            }
        }
    }
}

fn check_partition(partition: &Partition, account: &str) -> std::result::Result<(), TestCaseError> {
    let (mut end_times, mut skills, mut rows_in_all) = (Vec::new(), Vec::new(), 0);
    for batch in partition.batches() {
        let rows = SegmentRows::new(batch).unwrap();
        let mut order = Vec::new();
        for row in 0..rows.len() {
            let segment = rows.segment(row).unwrap();
            prop_assert_eq!(segment.account_id.as_ref(), account);
            prop_assert_eq!(segment.end_time / HOUR_MS * HOUR_MS, partition.hour());
            order.push((segment.skill_id, segment.user_type.as_str().to_owned(), segment.end_time));
            end_times.push(segment.end_time);
            skills.push(segment.skill_id);
        }
        prop_assert!(order.is_sorted());
        rows_in_all += rows.len();
    }
    prop_assert_eq!(partition.rows(), rows_in_all);
    prop_assert_eq!(partition.end_times(), *end_times.iter().min().unwrap()..=*end_times.iter().max().unwrap());
    prop_assert_eq!(partition.skills(), *skills.iter().min().unwrap()..=*skills.iter().max().unwrap());
    Ok(())
}

#[test]
fn many_small_batches_become_few_runs() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    for conversation in 0..100 {
        store.append(&batch(&[plain("acme", conversation, i64::from(conversation))])).unwrap();
    }
    let snapshot = store.snapshot();
    let partitions: Vec<_> = snapshot.partitions(snapshot.account("acme").unwrap()).collect();
    assert_eq!(partitions.len(), 1);
    assert_eq!(partitions[0].rows(), 100);
    // Each run is at least twice the next: 64 + 32 + 4 for a hundred rows.
    assert!(partitions[0].batches().len() <= 7, "{} runs", partitions[0].batches().len());
}

#[test]
fn a_snapshot_does_not_change() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.append(&batch(&[plain("acme", 1, 5)])).unwrap();
    let before = store.snapshot();
    store.append(&batch(&[plain("acme", 2, 6), plain("bolt", 1, 5)])).unwrap();
    assert_eq!(contents(&before).len(), 1);
    assert_eq!(contents(&store.snapshot()).len(), 3);
}

#[test]
fn files_stand_by_account_and_utc_day_with_the_hour_in_the_name() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    // 1999-02-16T23:59:59.999Z, and a millisecond later.
    store.append(&batch(&[plain("acme", 1, 919_209_599_999), plain("acme", 2, 919_209_600_000)])).unwrap();
    let files: Vec<String> = parquet_files(&directory.path().join(""))
        .iter()
        .map(|file| file.strip_prefix(directory.path()).unwrap().display().to_string())
        .collect();
    assert_eq!(files.len(), 2);
    assert!(files[0].starts_with("archive/account=acme/date=1999-02-16/23-"), "{files:?}");
    assert!(files[1].starts_with("archive/account=acme/date=1999-02-17/00-"), "{files:?}");
    assert!(files.iter().all(|file| file.ends_with(".parquet")));
}

#[test]
fn a_file_that_cannot_be_read_costs_itself_alone() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.append(&batch(&[plain("acme", 1, 5), plain("acme", 2, 5 + HOUR_MS)])).unwrap();
    drop(store);
    fs::write(&parquet_files(directory.path())[0], b"no parquet").unwrap();
    let store = Store::open(directory.path()).unwrap();
    let kept: Vec<String> = contents(&store.snapshot()).into_keys().collect();
    assert_eq!(kept, ["acme/c-2/0"]);
    store.append(&batch(&[plain("acme", 3, 5)])).unwrap();
    assert_eq!(parquet_files(directory.path()).len(), 3, "no file was replaced");
}

#[test]
fn a_batch_that_cannot_be_written_leaves_nothing_behind() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    // Where the folder of the second day should be, there is a file.
    let folder = directory.path().join("archive/account=acme");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("date=1970-01-02"), b"in the way").unwrap();
    let both_days = batch(&[plain("acme", 1, 5), plain("acme", 2, 5 + 24 * HOUR_MS)]);
    assert!(matches!(store.append(&both_days), Err(Error::Io { .. })));
    assert!(contents(&store.snapshot()).is_empty());
    fs::remove_file(folder.join("date=1970-01-02")).unwrap();
    assert_eq!(parquet_files(directory.path()), Vec::<std::path::PathBuf>::new());
    // The keys were given back: the same batch is new.
    assert_eq!(store.append(&both_days).unwrap().accepted, 2);
}

#[test]
fn one_process_has_a_directory_at_a_time() {
    let directory = TempDir::new().unwrap();
    let first = Store::open(directory.path()).unwrap();
    assert!(matches!(Store::open(directory.path()), Err(Error::InUse { .. })));
    drop(first);
    assert!(Store::open(directory.path()).is_ok());
}

#[test]
fn a_folder_with_other_files_is_not_taken() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("letter.txt"), "dear").unwrap();
    assert!(matches!(Store::open(directory.path()), Err(Error::NotADataDirectory { .. })));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "and nothing was put there");
}

#[test]
fn a_newer_format_is_refused() {
    let directory = TempDir::new().unwrap();
    drop(Store::open(directory.path()).unwrap());
    fs::write(directory.path().join("format-version"), "2\n").unwrap();
    let error = Store::open(directory.path()).unwrap_err();
    assert!(error.to_string().contains("format version 2"), "{error}");
}

#[test]
fn rejected_records_are_listed_in_the_order_of_their_lines() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let line = |segment: &Segment<'_>| serde_json::to_string(segment).unwrap();
    let first = plain("acme", 1, 5);
    let moved = Segment { end_time: 6, ..first.clone() };
    let backwards = Segment { start_time: 9, ..plain("acme", 2, 8) };
    let text = [line(&first), line(&moved), "oops".to_owned(), line(&first), line(&backwards)].join("\n");
    let options = ReadOptions { account: None, chunk_rows: 100 };
    let input = Input::Bytes(text.into());
    let ingested = ingest(Format::Ndjson, input, &options, |batch| store.append(batch), |_| {}).unwrap();
    assert_eq!((ingested.accepted, ingested.duplicates, ingested.rejected_count), (1, 1, 3));
    assert_eq!(ingested.rejected.iter().map(|record| record.line).collect::<Vec<_>>(), [2, 3, 5]);
    assert!(ingested.rejected[0].error.contains("end_time 5"), "{}", ingested.rejected[0].error);
}

#[test]
fn a_hundred_rejected_records_are_listed_and_all_are_counted() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let options = ReadOptions { account: None, chunk_rows: 30 };
    let input = Input::Bytes("oops\n".repeat(250).into());
    let ingested = ingest(Format::Ndjson, input, &options, |batch| store.append(batch), |_| {}).unwrap();
    assert_eq!(ingested.rejected_count, 250);
    assert_eq!(ingested.rejected.iter().map(|record| record.line).collect::<Vec<_>>(), (1..=100).collect::<Vec<_>>());
}
