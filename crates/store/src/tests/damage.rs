//! Files that are damaged while the store is open, after they were read: whoever reads them is right or is told, and
//! the file is set aside without a restart.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use proptest::prelude::*;
use skillscope_segment::{Segment, column};
use tempfile::TempDir;

use super::recovery::flipped;
use super::samples::{DAY, HOUR, NOON, World, batch, contents, entries, maintain, plain};
use crate::archive::file::checksum;
use crate::journal::change::JournalChange;
use crate::journal::file_record::FileRecord;
use crate::journal::verified::BLOCK_BYTES;
use crate::maintenance::scrub::scrub;
use crate::{ArchiveFile, Error, Store, unpack_backup};

const DAMAGED: &str = "/data/archive/account=acme/date=1999-02-06/12-00000002.parquet";

const ROWS: u32 = 30_000;

/// A cold file of several blocks, and one of another day.
fn stored(world: &World) -> Store {
    let store = world.open();
    let rows: Vec<_> = (0..ROWS).map(|number| plain("acme", number, NOON - 10 * DAY + i64::from(number))).collect();
    store.append(&batch(&rows)).unwrap();
    store.append(&batch(&[other()])).unwrap();
    store.seal_finished_hours().unwrap();
    store
}

fn other() -> Segment<'static> {
    plain("acme", ROWS, NOON - 12 * DAY)
}

fn files(store: &Store) -> Vec<Arc<ArchiveFile>> {
    store.snapshot().all_files().cloned().collect()
}

/// The file that is damaged.
fn damaged(store: &Store) -> Arc<ArchiveFile> {
    files(store).into_iter().find(|file| file.rows() == u64::from(ROWS)).unwrap()
}

/// Places of every kind in a file, by what stands there.
fn places(bytes: &[u8]) -> Vec<(&'static str, usize)> {
    let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(bytes)).unwrap();
    let group = reader.metadata().row_group(0);
    let of = |name: &str| {
        let column = group.columns().iter().find(|chunk| chunk.column_path().string() == name);
        column.unwrap()
    };
    let (key, skill) = (of(column::CONVERSATION_ID), of(column::SKILL_ID));
    let end = bytes.len();
    vec![
        ("magic", 0),
        ("header of a page", key.data_page_offset() as usize + 2),
        ("page", key.data_page_offset() as usize + 500),
        ("page of a later block", BLOCK_BYTES + 777),
        ("dictionary", skill.dictionary_page_offset().unwrap() as usize + 25),
        ("page of indexes", skill.data_page_offset() as usize + 30),
        ("bloom filter", key.bloom_filter_offset().unwrap() as usize + 100),
        ("column index", key.column_index_offset().unwrap() as usize + 9),
        ("offset index", key.offset_index_offset().unwrap() as usize + 9),
        ("footer", end - 300),
        ("length of the footer", end - 8),
        ("last byte", end - 1),
    ]
}

type Reader = fn(&[u8], &Store);

/// Everybody who reads a file that had these bytes. Each must be right or fail.
const READERS: [(&str, Reader); 7] = [
    ("rows", |_, store| {
        if let Ok(rows) = damaged(store).read_rows() {
            assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), ROWS as usize);
        }
    }),
    ("pages", |whole, store| {
        let ranges = [10..20, whole.len() - 8..whole.len(), 70_000..90_001];
        let asked = ranges.clone().map(|range| range.start as u64..range.end as u64);
        if let Ok(read) = damaged(store).open().and_then(|open| open.read(&asked)) {
            assert!(read.iter().zip(ranges).all(|(read, range)| read == &whole[range]));
        }
    }),
    ("keys", |_, store| {
        // One is stored, and the other is not. Where the file is lost, both are new.
        let rows = [plain("acme", 5, NOON - 10 * DAY + 5), plain("acme", 5_000_000, NOON - 10 * DAY)];
        let appended = store.append(&batch(&rows)).unwrap();
        let is_lost = !files(store).iter().any(|file| file.rows() == u64::from(ROWS));
        assert_eq!(appended.accepted, if is_lost { 2 } else { 1 });
    }),
    ("totals", |_, store| {
        let totals = store.archived_totals(&[damaged(store)]).unwrap().unwrap();
        assert!(totals.is_empty() || totals.iter().map(|totals| totals.rows()).sum::<usize>() == ROWS as usize);
    }),
    ("a question", |_, store| {
        let readable = store.readable(files(store)).unwrap();
        assert!(!readable.is_empty());
    }),
    ("a backup", |_, store| {
        let mut tar = Vec::new();
        if store.backup().and_then(|backup| backup.write_to(&mut tar)).is_ok() {
            let copy = TempDir::new().unwrap();
            unpack_backup(tar.as_slice(), copy.path()).unwrap();
            assert_eq!(crate::check(copy.path()).unwrap().problems, Vec::<String>::new());
        }
    }),
    ("nobody", |_, _| {}),
];

#[test]
fn damage_after_a_file_was_read_is_found_wherever_it_is_and_whoever_reads_it() {
    let bytes = {
        let world = World::new();
        stored(&world);
        world.disk.read(DAMAGED)
    };
    assert!(bytes.len() > BLOCK_BYTES + BLOCK_BYTES / 2, "{} bytes", bytes.len());
    for (number, (kind, place)) in places(&bytes).into_iter().enumerate() {
        // Each place with two of the readers, in turn.
        for (reader, read) in [READERS[number % READERS.len()], READERS[(number + 4) % READERS.len()]] {
            let world = World::new();
            let store = stored(&world);
            assert_eq!(store.readable(files(&store)).unwrap().len(), 2);
            assert_eq!(damaged(&store).read_rows().unwrap().len(), 1);
            world.disk.put(DAMAGED, flipped(bytes.clone(), place));
            read(&bytes, &store);
            // At the latest, the weekly look finds it.
            world.wait(8 * DAY);
            maintain(&store);
            assert_eq!(world.quarantined(), [DAMAGED.trim_start_matches("/data/")], "{kind}, {reader}");
            assert!(contents(&store.snapshot()).contains_key(&super::samples::entry(&other()).0), "{kind}, {reader}");
            let again = plain("acme", 7, NOON - 10 * DAY + 7);
            assert_eq!(store.append(&batch(&[again])).unwrap().accepted, 1, "{kind}, {reader}");
            drop(store);
            world.open();
        }
    }
}

#[test]
fn a_read_that_differed_has_the_file_set_aside_by_the_next_who_asks() {
    let world = World::new();
    let store = stored(&world);
    assert_eq!(store.readable(files(&store)).unwrap().len(), 2);
    let (file, whole) = (damaged(&store), world.disk.read(DAMAGED));
    let open = file.open().unwrap();
    world.disk.put(DAMAGED, flipped(whole.clone(), BLOCK_BYTES + 5));
    let open_then = file.open().unwrap();
    assert_eq!(
        open.read_stretch(BLOCK_BYTES as u64..file.bytes()).unwrap(),
        whole[BLOCK_BYTES..],
        "it is another file"
    );
    let error = open_then.read(&[5..6, 70_000..70_001]).unwrap_err().to_string();
    assert!(error.contains("from 65536 up to 131072 do not have the checksum"), "{error}");
    assert_eq!(open_then.read_stretch(5..6).unwrap(), whole[5..6], "the other blocks are as they were");
    assert_eq!(store.readable(files(&store)).unwrap().len(), 1);
    assert_eq!(world.quarantined().len(), 1);
}

#[test]
fn a_file_that_goes_missing_after_it_was_read_is_given_up() {
    for is_asked_for in [true, false] {
        let world = World::new();
        let store = stored(&world);
        assert_eq!(store.readable(files(&store)).unwrap().len(), 2);
        world.disk.take_away(DAMAGED);
        assert!(damaged(&store).open().is_err());
        if is_asked_for {
            assert_eq!(store.readable(files(&store)).unwrap().len(), 1);
        } else {
            maintain(&store);
        }
        assert_eq!(contents(&store.snapshot()), entries(&[other()]));
    }
}

#[test]
fn damage_of_a_file_whose_rows_are_in_memory_costs_nothing() {
    let world = World::new();
    let store = world.open();
    let segments = [plain("acme", 1, NOON - HOUR), plain("acme", 2, NOON - 2 * HOUR)];
    store.append(&batch(&segments)).unwrap();
    store.seal_finished_hours().unwrap();
    for path in world.archived() {
        let path = format!("/data/archive/{path}");
        world.disk.put(&path, flipped(world.disk.read(&path), 100));
    }
    files(&store).iter().for_each(|file| drop(file.read().unwrap_err()));
    maintain(&store);
    assert_eq!(world.quarantined().len(), 2);
    assert_eq!(contents(&store.snapshot()), entries(&segments));
    drop(store);
    assert_eq!(contents(&world.open().snapshot()), entries(&segments));
}

#[test]
fn files_are_compared_once_a_week_and_a_restart_does_not_begin_anew() {
    let world = World::new();
    let store = stored(&world);
    assert_eq!(scrub(store.shared()).unwrap(), 0, "they were written just now");
    world.wait(7 * DAY - 1);
    assert_eq!(scrub(store.shared()).unwrap(), 0);
    world.wait(1);
    let all: u64 = files(&store).iter().map(|file| file.bytes()).sum();
    assert_eq!(scrub(store.shared()).unwrap(), all);
    assert_eq!(scrub(store.shared()).unwrap(), 0);
    drop(store);
    let store = world.open();
    assert_eq!(scrub(store.shared()).unwrap(), 0);
    world.wait(-DAY);
    assert_eq!(scrub(store.shared()).unwrap(), 0);
    world.wait(-8 * DAY);
    assert_eq!(scrub(store.shared()).unwrap(), all, "a clock that was set back is not waited for");
}

#[test]
fn a_file_that_cannot_be_read_now_holds_up_no_other_and_is_not_given_up() {
    let world = World::new();
    let store = stored(&world);
    world.wait(8 * DAY);
    world.disk.set_archive_unreadable(true);
    assert!(scrub(store.shared()).unwrap() > 0);
    assert_eq!(scrub(store.shared()).unwrap(), 0, "not again at once");
    world.disk.set_archive_unreadable(false);
    world.wait(HOUR);
    assert!(scrub(store.shared()).unwrap() > 0);
    assert!(files(&store).len() == 2 && world.quarantined().is_empty());
}

#[test]
fn files_of_an_older_program_get_checksums_of_their_blocks() {
    let copy = TempDir::new().unwrap();
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/formats/3");
    copy_folder(&old, copy.path());
    let store = Store::open(copy.path()).unwrap();
    let count = files(&store).len();
    assert!(count > 0 && files(&store).iter().any(|file| file.verified().is_none()));
    let before = contents(&store.snapshot());
    maintain(&store);
    drop(store);
    let store = Store::open(copy.path()).unwrap();
    let now = crate::Clock::System.now();
    let is_known = |file: &Arc<ArchiveFile>| file.verified().is_some_and(|verified| now - verified.at < HOUR);
    assert!(files(&store).len() <= count && files(&store).iter().all(is_known));
    assert_eq!(contents(&store.snapshot()), before);
    drop(store);
    assert_eq!(crate::check(copy.path()).unwrap().problems, Vec::<String>::new());
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to)
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn an_error_of_decoding_costs_no_file_that_is_as_it_was_written() {
    let fault = || Error::from(ParquetError::General("a fault of the engine".to_owned()));
    let world = World::new();
    let store = stored(&world);
    let file = damaged(&store);
    assert!(store.shared().lose(&file, fault()).unwrap_err().to_string().contains("a fault of the engine"));
    assert!(files(&store).len() == 2 && world.quarantined().is_empty());
    // What cannot be compared now is not known to have changed.
    world.disk.set_archive_unreadable(true);
    assert!(matches!(store.shared().lose(&file, fault()), Err(Error::Io { .. })));
    world.disk.set_archive_unreadable(false);
    assert!(files(&store).len() == 2 && world.quarantined().is_empty());
    world.disk.put(DAMAGED, flipped(world.disk.read(DAMAGED), 2000));
    store.shared().lose(&file, fault()).unwrap();
    assert!(files(&store).len() == 1 && world.quarantined().len() == 1);
}

#[test]
fn a_file_of_which_no_rows_can_be_made_stays_where_it_has_its_checksum() {
    let world = World::new();
    let store = stored(&world);
    // What this program cannot read has the checksum that the list tells.
    let bytes = b"PAR1 of another age PAR1".to_vec();
    let number = store.shared().writer().number_file();
    let like = files(&store).into_iter().find(|file| file.rows() == 1).unwrap().record().clone();
    for (number, hour) in [(number, NOON - 12 * DAY), (number + 1, NOON - HOUR)] {
        let (first_hour, end_times) = (hour, (hour, hour));
        let record = FileRecord { number, first_hour, last_hour: hour, end_times, ..like.clone() };
        let record = FileRecord { bytes: bytes.len() as u64, checksum: checksum(&bytes), verified: None, ..record };
        world.disk.put(&format!("/data/{}", record.path().display()), bytes.clone());
        let change = JournalChange { added: vec![record], ..JournalChange::default() };
        store.shared().writer().commit_files(change, &[]).unwrap();
    }
    drop(store);
    let store = world.open();
    // Merging fails once, and does without it from then on.
    while !matches!(store.maintain(), Ok(false)) {}
    assert_eq!(files(&store).len(), 4);
    assert!(world.quarantined().is_empty(), "{:?}", world.quarantined());
    let strange: Vec<_> = files(&store).into_iter().filter(|file| file.bytes() == bytes.len() as u64).collect();
    assert_eq!(store.readable(strange.clone()).unwrap().len(), 2);
    assert!(store.archived_totals(&strange).is_err(), "the question fails");
    assert!(world.quarantined().is_empty());
}

struct Damageable {
    world: World,
    file: Arc<ArchiveFile>,
    whole: Vec<u8>,
    _store: Store,
}

impl Damageable {
    fn new() -> Self {
        let world = World::new();
        let store = stored(&world);
        let (file, whole) = (damaged(&store), world.disk.read(DAMAGED));
        Self { world, file, whole, _store: store }
    }
}

thread_local! {
    static DAMAGEABLE: RefCell<Option<Damageable>> = const { RefCell::new(None) };
}

/// A stretch of a file of this length.
fn stretch(ends: (prop::sample::Index, prop::sample::Index), length: usize) -> Range<u64> {
    let (one, two) = (ends.0.index(length + 1) as u64, ends.1.index(length + 1) as u64);
    one.min(two)..one.max(two)
}

proptest! {
    #[test]
    fn whatever_is_damaged_no_read_gives_other_bytes(
        flips in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
        stretches in prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 1..6),
    ) {
        DAMAGEABLE.with_borrow_mut(|damageable| {
            let Damageable { world, file, whole, .. } = damageable.get_or_insert_with(Damageable::new);
            let mut bytes = whole.clone();
            for flip in &flips {
                let bit = flip.index(bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
            let is_whole = bytes == *whole;
            world.disk.put(DAMAGED, bytes);
            let ranges: Vec<_> = stretches.into_iter().map(|ends| stretch(ends, whole.len())).collect();
            match file.open().and_then(|open| open.read(&ranges)) {
                Ok(read) => {
                    for (range, found) in ranges.iter().zip(read) {
                        prop_assert!(found == whole[range.start as usize..range.end as usize], "{range:?}");
                    }
                }
                Err(error) => {
                    prop_assert!(!is_whole && matches!(error, Error::Corrupt { .. }), "{error}");
                    prop_assert!(file.is_suspect() && file.verify().is_err());
                }
            }
            world.disk.put(DAMAGED, whole.clone());
            prop_assert!(file.verify().is_ok());
            Ok(())
        })?;
    }
}

/// What each account has, to tell that others are not affected.
#[test]
fn other_accounts_are_answered_while_a_file_is_damaged() {
    let world = World::new();
    let store = stored(&world);
    let others: Vec<_> = (0..5).map(|number| plain("bolt", number, NOON - 10 * DAY)).collect();
    store.append(&batch(&others)).unwrap();
    store.seal_finished_hours().unwrap();
    world.disk.put(DAMAGED, flipped(world.disk.read(DAMAGED), 4000));
    assert!(damaged(&store).read_rows().is_err());
    let bolt: Vec<_> = files(&store).into_iter().filter(|file| file.account().as_str() == "bolt").collect();
    assert_eq!(store.readable(bolt.clone()).unwrap().len(), 1);
    assert_eq!(store.archived_totals(&bolt).unwrap().unwrap()[0].rows(), 5);
    maintain(&store);
    let expected: BTreeMap<_, _> = entries(&[others, vec![other()]].concat());
    assert_eq!(contents(&store.snapshot()), expected);
}
