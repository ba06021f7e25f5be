//! Copies that are read while another process has the directory open.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::samples::{HOUR, NOON, batch, contents, plain};
use crate::{Clock, Error, LinkedCopy, Store, StoreOptions, check};

/// A store with two files and a segment that is in none.
fn stored(directory: &Path) -> Store {
    let store = Store::open(directory).unwrap();
    store.append(&batch(&[plain("acme", 1, NOON), plain("acme", 2, NOON + HOUR)])).unwrap();
    store.seal_finished_hours().unwrap();
    store.append(&batch(&[plain("bolt", 3, Clock::System.now())])).unwrap();
    store
}

/// What the process that has the directory open tells of it.
fn told(store: &Store) -> Vec<u8> {
    let mut told = Vec::new();
    store.backup_to_link().unwrap().write_without_archive_to(&mut told).unwrap();
    told
}

fn copy(of: &Path, told: &[u8]) -> crate::Result<LinkedCopy> {
    let copy = LinkedCopy::begin(of)?;
    copy.fill(told)?;
    Ok(copy)
}

fn archived(directory: &Path) -> Vec<PathBuf> {
    let folder = directory.join("archive/account=acme/date=1999-02-16");
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn staged(directory: &Path) -> usize {
    fs::read_dir(directory.join("staging")).unwrap().count()
}

#[test]
fn a_copy_stays_as_it_was_whatever_becomes_of_the_directory() {
    let directory = TempDir::new().unwrap();
    let store = stored(directory.path());
    let before = contents(&store.snapshot());
    let copy = copy(directory.path(), &told(&store)).unwrap();
    store.append(&batch(&[plain("acme", 4, NOON)])).unwrap();
    archived(directory.path()).iter().for_each(|file| fs::remove_file(file).unwrap());
    let checked = copy.check().unwrap();
    assert_eq!(checked.problems, [""; 0]);
    assert_eq!((checked.files, checked.archived_rows, checked.journal_rows), (2, 2, 1));
    let options = StoreOptions { hot_hours: 0, ..StoreOptions::default() };
    let opened = Store::open_to_read(&copy.path(), options).unwrap();
    assert_eq!(contents(&opened.snapshot()), before);
    assert_eq!(before.len(), 3);
    drop((opened, copy));
    assert_eq!(staged(directory.path()), 0);
}

#[test]
fn checking_a_copy_finds_damage_of_the_directorys_own_files() {
    let directory = TempDir::new().unwrap();
    let store = stored(directory.path());
    let copy = copy(directory.path(), &told(&store)).unwrap();
    let damaged = archived(directory.path()).remove(0);
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[100] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    fs::create_dir_all(directory.path().join("quarantine/archive")).unwrap();
    fs::write(directory.path().join("quarantine/archive/1.parquet"), "x").unwrap();
    let checked = copy.check().unwrap();
    assert_eq!(checked.problems.len(), 1);
    assert!(checked.problems[0].starts_with(&format!("{} is corrupt", damaged.display())), "{:?}", checked.problems);
    assert_eq!(checked.quarantined, 1);
}

#[test]
fn a_file_that_is_gone_by_now_is_told_and_nothing_is_left_behind() {
    let directory = TempDir::new().unwrap();
    let store = stored(directory.path());
    let told = told(&store);
    fs::remove_file(archived(directory.path()).remove(0)).unwrap();
    let made = copy(directory.path(), &told);
    assert!(matches!(made, Err(Error::Moved { .. })));
    assert!(copy(directory.path(), &told[..700]).is_err());
    assert_eq!(staged(directory.path()), 0);
}

#[test]
fn a_start_removes_what_a_killed_reader_left_and_no_copy_in_use() {
    let directory = TempDir::new().unwrap();
    let store = stored(directory.path());
    let copy = copy(directory.path(), &told(&store)).unwrap();
    let left = directory.path().join("staging/copy-1-0");
    fs::create_dir_all(left.join("data/archive/account=acme")).unwrap();
    fs::write(left.join("data/archive/account=acme/1.parquet"), "x").unwrap();
    fs::write(left.join("lock"), "").unwrap();
    drop(store);
    let options = StoreOptions { archive_group_readable: Some(true), ..StoreOptions::default() };
    let store = Store::open_with(directory.path(), options).unwrap();
    assert!(!left.exists());
    assert_eq!(staged(directory.path()), 1);
    let mode = |file: &PathBuf| file.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(archived(directory.path()).iter().map(mode).collect::<Vec<_>>(), [0o640; 2], "the copy has closed them");
    assert_eq!(copy.check().unwrap().problems, [""; 0]);
    drop((store, copy));
    assert_eq!(check(directory.path()).unwrap().problems, [""; 0]);
}
