//! When rows arrived: kept in memory, in the journal and in files.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMillisecondType;
use skillscope_segment::{AccountId, SegmentRows, column};

use super::samples::{HOUR, MINUTE, NOON, World, batch, maintain, plain};
use crate::Snapshot;

/// When each conversation's row arrived, wherever it is.
fn arrivals(snapshot: &Snapshot) -> BTreeMap<String, Option<i64>> {
    let mut arrivals = BTreeMap::new();
    let mut take = |rows: &RecordBatch, times: &dyn Array| {
        let (rows, times) = (SegmentRows::new(rows).unwrap(), times.as_primitive::<TimestampMillisecondType>());
        for row in 0..rows.len() {
            let time = times.is_valid(row).then(|| times.value(row));
            arrivals.insert(rows.segment(row).unwrap().conversation_id.into_owned(), time);
        }
    };
    for account in snapshot.accounts() {
        for (rows, times) in snapshot.partitions(account).flat_map(|partition| partition.batches()) {
            take(rows, &times.column(0..rows.num_rows()));
        }
        for file in snapshot.archived(account) {
            for rows in file.read_rows().unwrap() {
                take(&rows, rows.column_by_name(column::ARRIVAL_TIME).unwrap());
            }
        }
    }
    arrivals
}

/// Each row keeps the time at which it was taken: while runs are merged, over a restart, in a file, in a merged file, and
/// whatever a batch says of it.
#[test]
fn a_row_keeps_the_time_when_it_arrived() {
    let world = World::new();
    let mut expected = BTreeMap::new();
    let append = |store: &crate::Store, number: u32, end: i64| {
        let rows = batch(&[plain("acme", number, end), plain("other", number + 500, end)]);
        assert_eq!(store.append(&rows).unwrap().accepted, 2);
    };
    let store = world.open();
    for number in 0..20 {
        append(&store, number, NOON - i64::from(number) * MINUTE);
        expected.insert(format!("c-{number}"), Some(world.now()));
        expected.insert(format!("c-{}", number + 500), Some(world.now()));
        world.wait(1_234);
        maintain(&store);
    }
    assert_eq!(arrivals(&store.snapshot()), expected, "in memory");
    drop(store);
    let store = world.open();
    assert_eq!(arrivals(&store.snapshot()), expected, "from the journal");
    world.wait(3 * HOUR);
    store.seal_finished_hours().unwrap();
    append(&store, 40, NOON);
    expected.insert("c-40".to_owned(), Some(world.now()));
    expected.insert("c-540".to_owned(), Some(world.now()));
    assert_eq!(arrivals(&store.snapshot()), expected, "beside a file");
    drop(store);
    let store = world.open();
    assert_eq!(arrivals(&store.snapshot()), expected, "from a file and the journal");
    world.wait(48 * HOUR);
    maintain(&store);
    assert_eq!(store.snapshot().partitions(&AccountId::parse("acme").unwrap()).count(), 0, "all are in files alone");
    assert_eq!(arrivals(&store.snapshot()), expected, "from merged files");
}
