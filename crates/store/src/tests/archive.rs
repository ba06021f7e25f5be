//! From the journal to the archive, and what becomes of files there.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::reader::{FileReader, SerializedFileReader};
use skillscope_segment::{Segment, column};
use tempfile::TempDir;

use super::samples::{DAY, HOUR, MINUTE, NOON, World, batch, contents, entries, maintain, plain};
use crate::{FileState, Retention, Store, check, unpack_backup};

fn append(store: &Store, segments: &[Segment<'_>]) {
    assert_eq!(store.append(&batch(segments)).unwrap().accepted, segments.len());
}

/// Rows of one hour, of three skills.
fn hour_of_rows(first: u32, rows: u32, end_time: i64) -> Vec<Segment<'static>> {
    (first..first + rows).map(|number| plain("acme", number, end_time + i64::from(number % 600) * 1000)).collect()
}

#[test]
fn an_hour_is_sealed_when_its_grace_is_over_and_not_before() {
    let world = World::new();
    let store = world.open();
    // The clock says 12:00; this hour is over now.
    append(&store, &hour_of_rows(0, 10, NOON - HOUR));
    world.wait(10 * MINUTE - 1);
    maintain(&store);
    assert!(world.archived().is_empty());
    world.wait(1);
    maintain(&store);
    assert_eq!(world.archived(), ["account=acme/date=1999-02-16/11-00000001.parquet"]);
    assert_eq!(contents(&store.snapshot()).len(), 10);
}

#[test]
fn rows_for_an_hour_that_is_sealed_are_taken_at_any_age_and_sealed_within_a_minute() {
    let world = World::new();
    let store = world.open();
    append(&store, &[plain("acme", 1, NOON - HOUR), plain("acme", 2, 5)]);
    world.wait(11 * MINUTE);
    maintain(&store);
    assert_eq!(world.archived().len(), 2);
    let late = [plain("acme", 3, NOON - HOUR), plain("acme", 4, 5), plain("acme", 5, NOON - 300 * DAY)];
    append(&store, &late);
    world.wait(MINUTE);
    maintain(&store);
    assert_eq!(world.archived().len(), 5);
    let all = entries(&[&[plain("acme", 1, NOON - HOUR), plain("acme", 2, 5)][..], &late].concat());
    assert_eq!(contents(&store.snapshot()), all);
    drop(store);
    assert_eq!(contents(&world.open().snapshot()), all);
}

#[test]
fn an_hour_that_is_not_over_is_never_sealed() {
    let world = World::new();
    let store = world.open();
    append(&store, &[plain("acme", 1, NOON + MINUTE)]);
    world.wait(HOUR - 1);
    store.seal_finished_hours().unwrap();
    assert!(world.archived().is_empty());
    world.wait(1);
    store.seal_finished_hours().unwrap();
    assert_eq!(world.archived().len(), 1);
}

#[test]
fn a_sealed_hour_leaves_the_journal() {
    let world = World::new();
    let store = world.open();
    append(&store, &hour_of_rows(0, 10, NOON - HOUR));
    append(&store, &[plain("acme", 100, NOON)]);
    store.seal_finished_hours().unwrap();
    drop(store);
    // Without its file, the hour is gone, and the rest is there.
    world.disk.take_away("/data/archive/account=acme/date=1999-02-16/11-00000001.parquet");
    assert_eq!(contents(&world.open().snapshot()), entries(&[plain("acme", 100, NOON)]));
}

#[test]
fn files_stand_by_account_and_utc_day_with_the_hour_in_the_name() {
    let world = World::new();
    let store = world.open();
    // 1999-02-15T23:59:59.999Z, and a millisecond later.
    append(&store, &[plain("acme", 1, NOON - 12 * HOUR - 1), plain("acme", 2, NOON - 12 * HOUR), plain("b.o", 1, 5)]);
    store.seal_finished_hours().unwrap();
    assert_eq!(
        world.archived(),
        [
            "account=acme/date=1999-02-15/23-00000001.parquet",
            "account=acme/date=1999-02-16/00-00000002.parquet",
            "account=b.o/date=1970-01-01/00-00000003.parquet",
        ]
    );
}

#[test]
fn files_are_laid_out_for_pruning() {
    const ROWS: u32 = 140_000;
    let world = World::new();
    let store = world.open();
    for first in (0..ROWS).step_by(20_000) {
        append(&store, &hour_of_rows(first, 20_000, NOON - HOUR));
    }
    store.seal_finished_hours().unwrap();
    let path = format!("/data/archive/{}", world.archived()[0]);
    let bytes = Bytes::from(world.disk.read(&path));

    let reader = SerializedFileReader::new(bytes.clone()).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 2);
    for (number, group) in reader.metadata().row_groups().iter().enumerate() {
        let place = |name: &str| group.columns().iter().position(|c| c.column_path().string() == name).unwrap();
        let of = |name: &str| group.column(place(name));
        assert!(group.columns().iter().all(|column| matches!(column.compression(), Compression::ZSTD(_))));
        assert!(group.columns().iter().all(|column| column.column_index_offset().is_some()));
        assert!(of(column::CONVERSATION_ID).bloom_filter_offset().is_some());
        assert!(of(column::SKILL_ID).dictionary_page_offset().is_some());
        assert!(of(column::SKILL_ID).statistics().is_some() && of(column::END_TIME).statistics().is_some());
        let sorted: Vec<i32> = group.sorting_columns().unwrap().iter().map(|column| column.column_idx).collect();
        let expected = [column::SKILL_ID, column::USER_TYPE, column::END_TIME].map(|name| place(name) as i32);
        assert_eq!(sorted, expected, "group {number}");
    }

    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    let mut rows = Vec::new();
    for batch in builder.build().unwrap() {
        let batch = batch.unwrap();
        let skills = batch.column_by_name(column::SKILL_ID).unwrap().as_primitive::<Int64Type>().values().to_vec();
        let times = batch.column_by_name(column::END_TIME).unwrap();
        let times = times.as_primitive::<arrow::datatypes::TimestampMillisecondType>().values().to_vec();
        rows.extend(skills.into_iter().zip(times));
    }
    assert_eq!(rows.len(), ROWS as usize);
    // All rows are of one user type.
    assert!(rows.is_sorted());
}

#[test]
fn small_files_of_a_day_are_merged_and_those_of_another_day_are_not() {
    let world = World::new();
    let store = world.open();
    let days = [NOON - 5 * DAY, NOON - 6 * DAY];
    let mut all = Vec::new();
    for (number, day) in days.into_iter().enumerate() {
        for hour in 0..4 {
            all.extend(hour_of_rows(number as u32 * 1000 + hour * 100, 20, day + i64::from(hour) * HOUR));
        }
    }
    append(&store, &all);
    store.seal_finished_hours().unwrap();
    assert_eq!(world.archived().len(), 8);
    let before = store.snapshot();
    maintain(&store);
    assert_eq!(
        world.archived(),
        ["account=acme/date=1999-02-10/12-15-00000009.parquet", "account=acme/date=1999-02-11/12-15-00000010.parquet"]
    );
    assert_eq!(contents(&store.snapshot()), entries(&all));
    assert_eq!(contents(&before), entries(&all), "whoever began before reads on");
    drop(before);
    drop(store);
    assert_eq!(contents(&world.open().snapshot()), entries(&all));
}

#[test]
fn files_of_a_hot_hour_are_merged_with_each_other_alone() {
    let world = World::new();
    let store = world.open();
    for round in 0..4 {
        append(&store, &[plain("acme", round, NOON - HOUR), plain("acme", 10 + round, NOON - 2 * HOUR)]);
        store.seal_finished_hours().unwrap();
    }
    assert_eq!(world.archived().len(), 8);
    maintain(&store);
    let names = ["10-00000009.parquet", "11-00000010.parquet"];
    assert_eq!(world.archived(), names.map(|name| format!("account=acme/date=1999-02-16/{name}")));
    let snapshot = store.snapshot();
    assert!(snapshot.all_files().all(|file| snapshot.is_resident(file) && file.state() == FileState::Sealed));
    assert_eq!(contents(&snapshot).len(), 8);
}

#[test]
fn a_few_small_files_are_merged_once_no_more_come() {
    let world = World::new();
    let store = world.open();
    for round in 0..2 {
        append(&store, &[plain("acme", round, NOON - 5 * DAY)]);
        store.seal_finished_hours().unwrap();
    }
    maintain(&store);
    assert_eq!(world.archived().len(), 2);
    world.wait(HOUR);
    maintain(&store);
    assert_eq!(world.archived().len(), 1);
    assert_eq!(contents(&store.snapshot()).len(), 2);
}

#[test]
fn expired_files_go_and_nothing_else_does() {
    let retention = Retention::parse(&["3d", "keep=forever", "short=2h"]).unwrap();
    let world = World::with(|options| options.retention = retention);
    let store = world.open();
    let kept = [plain("acme", 1, NOON - 3 * DAY + HOUR), plain("keep", 2, 5), plain("short", 3, NOON - HOUR)];
    let expired = [plain("acme", 4, NOON - 3 * DAY - HOUR), plain("short", 5, NOON - 3 * HOUR), plain("acme", 6, 5)];
    append(&store, &[&kept[..], &expired].concat());
    store.seal_finished_hours().unwrap();
    maintain(&store);
    assert_eq!(contents(&store.snapshot()), entries(&kept));
    assert_eq!(world.archived().len(), 3);
    assert!(world.quarantined().is_empty());
    drop(store);
    assert_eq!(contents(&world.open().snapshot()), entries(&kept));
}

#[test]
fn all_files_of_a_day_and_of_an_account_go_at_once_with_their_folders() {
    let world = World::with(|options| options.retention = Retention::parse(&["1d"]).unwrap());
    let store = world.open();
    let days = [NOON - 3 * DAY, NOON - 3 * DAY + HOUR, NOON - 4 * DAY];
    append(&store, &days.map(|time| plain("acme", (time % 1000) as u32 + (time / HOUR % 100) as u32, time)));
    store.seal_finished_hours().unwrap();
    assert_eq!(world.archived().len(), 3);
    maintain(&store);
    assert!(world.archived().is_empty() && store.shared().writer().retired().is_empty());
    assert!(store.snapshot().accounts().next().is_none());
}

#[test]
fn retention_goes_by_the_machines_clock_and_the_hot_hours_by_the_reports() {
    let world = World::with(|options| {
        options.retention = Retention::parse(&["30d"]).unwrap();
        // Reports look at a time long past.
        options.hot_clock = crate::Clock::Fixed(NOON - 10 * DAY);
    });
    let store = world.open();
    append(
        &store,
        &[plain("acme", 1, NOON - 10 * DAY - HOUR), plain("acme", 2, NOON - DAY), plain("acme", 3, NOON - 29 * DAY)],
    );
    store.seal_finished_hours().unwrap();
    maintain(&store);
    let snapshot = store.snapshot();
    let resident: Vec<i64> =
        snapshot.all_files().filter(|file| snapshot.is_resident(file)).map(|file| *file.end_times().start()).collect();
    assert_eq!(resident, [NOON - 10 * DAY - HOUR]);
    assert_eq!(contents(&snapshot).len(), 3);
}

#[test]
fn hours_leave_memory_when_they_are_not_hot_any_more() {
    let world = World::new();
    let store = world.open();
    append(&store, &hour_of_rows(0, 10, NOON - HOUR));
    store.seal_finished_hours().unwrap();
    let (hot, keys) = (store.snapshot(), store.shared().writer().keys().len());
    assert_eq!((hot.all_partitions().count(), keys), (1, 10));
    world.wait(26 * HOUR);
    maintain(&store);
    let cold = store.snapshot();
    assert_eq!((cold.all_partitions().count(), store.shared().writer().keys().len()), (0, 0));
    assert_eq!(cold.archived(cold.account("acme").unwrap()).count(), 1);
    assert_eq!(contents(&cold), contents(&hot));
}

#[test]
fn the_oldest_hours_are_read_from_files_where_memory_is_short() {
    let world = World::new();
    let store = world.open();
    for hour in 0..4_u32 {
        append(&store, &hour_of_rows(hour * 1000, 1000, NOON - i64::from(4 - hour) * HOUR));
    }
    store.seal_finished_hours().unwrap();
    let all = contents(&store.snapshot());
    let bytes: usize = store.snapshot().all_partitions().map(|partition| partition.bytes()).sum();
    drop(store);

    let small =
        World { options: crate::StoreOptions { hot_bytes: bytes as u64 / 2, ..world.options.clone() }, ..world };
    let store = small.open();
    maintain(&store);
    let snapshot = store.snapshot();
    let hours: Vec<i64> = snapshot.all_partitions().map(|partition| partition.hour()).collect();
    assert!(!hours.is_empty() && hours.len() <= 2, "{hours:?}");
    assert_eq!(hours.last(), Some(&(NOON - HOUR)), "the latest stay");
    let used: usize = snapshot.all_partitions().map(|partition| partition.bytes()).sum();
    assert!(used + store.shared().writer().keys().bytes() <= small.options.hot_bytes as usize);
    assert_eq!(contents(&snapshot), all);
}

#[test]
fn no_account_costs_another_one_its_hours_in_memory() {
    const ROWS: u32 = 20_000;
    // Of the present hour; far ahead of the clock; late, of one hour and of many.
    let floods: [fn(u32) -> i64; 4] = [
        |_| NOON,
        |number| NOON + 50 * HOUR + i64::from(number % 2) * HOUR,
        |_| NOON - 90 * DAY,
        |number| NOON - 90 * DAY - i64::from(number % 20) * HOUR,
    ];
    for flood in floods {
        let world = World::with(|options| options.hot_bytes = 3 << 20);
        let store = world.open();
        for hour in 0..4_u32 {
            append(&store, &hour_of_rows(hour * 1000, 1000, NOON - i64::from(4 - hour) * HOUR));
        }
        store.seal_finished_hours().unwrap();
        let rows: Vec<_> = (0..ROWS).map(|number| plain("flood", number, flood(number))).collect();
        append(&store, &rows);
        maintain(&store);
        let snapshot = store.snapshot();
        let acme = snapshot.account("acme").unwrap();
        let hours: Vec<i64> = snapshot.partitions(acme).map(|partition| partition.hour()).collect();
        assert_eq!(hours, [4, 3, 2, 1].map(|hour| NOON - hour * HOUR), "{:?}", flood(0) - NOON);
        let used: usize = snapshot.all_partitions().map(|partition| partition.bytes()).sum();
        assert!(used + store.shared().writer().keys().bytes() <= 3 << 20);
        assert_eq!(contents(&snapshot).len(), 4000 + ROWS as usize);
        drop(store);
        assert_eq!(contents(&world.open().snapshot()).len(), 4000 + ROWS as usize);
    }
}

#[test]
fn rows_far_ahead_of_the_clock_are_archived_and_count_when_their_time_has_come() {
    let world = World::new();
    let store = world.open();
    let ahead = [plain("acme", 1, NOON + 30 * HOUR), plain("acme", 2, NOON + 2 * HOUR)];
    append(&store, &[&ahead[..], &[plain("acme", 3, NOON + HOUR)]].concat());
    world.wait(MINUTE);
    maintain(&store);
    assert_eq!(world.archived().len(), 2);
    let hours: Vec<i64> = store.snapshot().all_partitions().map(|partition| partition.hour()).collect();
    assert_eq!(hours, [NOON + HOUR], "clocks may differ a little");
    assert_eq!(store.append(&batch(&ahead)).unwrap().duplicates, 2);
    world.wait(3 * HOUR);
    append(&store, &[plain("acme", 4, NOON + 2 * HOUR)]);
    maintain(&store);
    assert_eq!(contents(&store.snapshot()).len(), 4);
    drop(store);
    assert_eq!(contents(&world.open().snapshot()).len(), 4);
}

#[test]
fn a_backup_opens_as_a_data_directory_and_holds_one_moment() {
    let source = TempDir::new().unwrap();
    let store = Store::open(source.path()).unwrap();
    append(&store, &[plain("acme", 1, 5), plain("acme", 2, HOUR)]);
    store.seal_finished_hours().unwrap();
    append(&store, &[plain("acme", 3, 2 * HOUR), plain("bolt", 1, 6)]);
    let (expected, backup) = (contents(&store.snapshot()), store.backup().unwrap());
    // What comes later is not in it, and what is merged and removed meanwhile still is.
    append(&store, &[plain("acme", 4, 5)]);
    store.seal_finished_hours().unwrap();
    let mut tar = Vec::new();
    backup.write_to(&mut tar).unwrap();

    let copy = TempDir::new().unwrap();
    unpack_backup(tar.as_slice(), copy.path()).unwrap();
    assert_eq!(check(copy.path()).unwrap().problems, Vec::<String>::new());
    let restored = Store::open(copy.path()).unwrap();
    assert_eq!(contents(&restored.snapshot()), expected);
    assert_eq!(restored.append(&batch(&[plain("acme", 1, 5)])).unwrap().duplicates, 1);
    drop(backup);
    assert_eq!(std::fs::read_dir(source.path().join("staging")).unwrap().count(), 0);
    assert!(unpack_backup(tar.as_slice(), copy.path()).unwrap_err().to_string().contains("is not empty"));
}

#[test]
fn a_backup_that_was_cut_short_is_no_data_directory() {
    let world = World::new();
    let store = world.open();
    append(&store, &hour_of_rows(0, 100, NOON - HOUR));
    store.seal_finished_hours().unwrap();
    let mut tar = Vec::new();
    store.backup().unwrap().write_to(&mut tar).unwrap();
    for length in [0, 511, 512, 5000, tar.len() / 2, tar.len() - 2048] {
        let copy = TempDir::new().unwrap();
        let place = copy.path().join("copy");
        let error = unpack_backup(&tar[..length], &place).unwrap_err();
        assert!(error.to_string().contains("cannot be unpacked"), "{length}: {error}");
        assert!(check(&place).is_err(), "{length}");
    }
}

#[test]
fn a_backup_that_would_write_elsewhere_is_refused() {
    for (name, kind) in [("../escaped", tar::EntryType::Regular), ("link", tar::EntryType::Symlink)] {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, &[][..]).unwrap();
        let copy = TempDir::new().unwrap();
        let error = unpack_backup(archive.into_inner().unwrap().as_slice(), &copy.path().join("copy")).unwrap_err();
        assert!(error.to_string().contains("does not belong"), "{error}");
        assert!(!copy.path().join("escaped").exists());
    }
}

#[test]
fn a_file_can_be_read_to_its_end_after_it_was_removed() {
    let world = World::with(|options| {
        options.hot_hours = 0;
        options.retention = Retention::parse(&["1h"]).unwrap();
    });
    let store = world.open();
    append(&store, &hour_of_rows(0, 10, NOON - HOUR));
    store.seal_finished_hours().unwrap();
    let snapshot = store.snapshot();
    let file = Arc::clone(snapshot.all_files().next().unwrap());
    world.wait(3 * HOUR);
    maintain(&store);
    assert!(world.archived().is_empty());
    assert_eq!(file.read_rows().unwrap()[0].num_rows(), 10);
}
