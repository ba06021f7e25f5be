//! Who may read the files of a data directory, and reading one that nobody may write to.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::samples::{HOUR, World, batch, contents, plain};
use super::simulated_disk::Fault;
use crate::{Disk, LocalDisk, Store, StoreOptions, unpack_backup};

/// The permissions of everything at and below a folder, by path.
fn modes(root: &Path) -> BTreeMap<PathBuf, u32> {
    let mut modes = BTreeMap::from([(PathBuf::new(), mode(root))]);
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            modes.insert(path.strip_prefix(root).unwrap().to_owned(), mode(&path));
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    modes
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn assert_is_of_owner_alone(root: &Path) {
    for (path, mode) in modes(root) {
        let expected = if root.join(&path).is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{} has {mode:o}", path.display());
    }
}

/// Writes a file of each kind.
fn fill(store: &Store) {
    store.append(&batch(&[plain("acme", 1, 5), plain("acme", 2, HOUR)])).unwrap();
    store.seal_finished_hours().unwrap();
    store.append(&batch(&[plain("acme", 3, 2 * HOUR)])).unwrap();
    store.announce("http://127.0.0.1:1").unwrap();
    store.watch().unwrap();
}

fn sharing(is_shared: Option<bool>) -> StoreOptions {
    StoreOptions { archive_group_readable: is_shared, ..StoreOptions::default() }
}

#[test]
fn everything_is_the_owners_alone_also_in_a_backup() {
    let folder = TempDir::new().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    let store = Store::open(&data).unwrap();
    fill(&store);
    assert_is_of_owner_alone(&data);
    let mut tar = Vec::new();
    store.backup().unwrap().write_to(&mut tar).unwrap();
    unpack_backup(tar.as_slice(), &copy).unwrap();
    assert_is_of_owner_alone(&copy);
    assert!(fs::read_dir(data.join("archive/account=acme")).unwrap().count() > 0);
}

#[test]
fn a_directory_that_was_open_to_others_is_closed_when_it_is_opened() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fill(&Store::open(&data).unwrap());
    for path in modes(&data).keys() {
        let path = data.join(path);
        set_mode(&path, if path.is_dir() { 0o777 } else { 0o666 });
    }
    // Readers change nothing.
    drop(Store::open_to_read(&data, StoreOptions::default()).unwrap());
    drop(Store::open_with(&data, sharing(None)).unwrap());
    assert_eq!((mode(&data), mode(&data.join("archive"))), (0o777, 0o777));
    drop(Store::open(&data).unwrap());
    assert_is_of_owner_alone(&data);
}

#[test]
fn the_archive_alone_can_be_opened_to_the_group_and_closed_again() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fill(&Store::open(&data).unwrap());
    let store = Store::open_with(&data, sharing(Some(true))).unwrap();
    store.append(&batch(&[plain("bolt", 1, 5)])).unwrap();
    store.seal_finished_hours().unwrap();
    for (path, mode) in modes(&data) {
        let expected = match (data.join(&path).is_dir(), path.starts_with("archive"), path == Path::new("")) {
            (true, _, true) => 0o710,
            (true, true, _) => 0o750,
            (true, false, _) => 0o700,
            (false, true, _) => 0o640,
            (false, false, _) => 0o600,
        };
        assert_eq!(mode, expected, "{} has {mode:o}", path.display());
    }
    assert!(data.join("archive/account=bolt/date=1970-01-01").is_dir());
    drop(store);
    drop(Store::open(&data).unwrap());
    assert_is_of_owner_alone(&data);
}

#[test]
fn what_a_link_leads_to_is_left_alone_and_bits_of_other_meanings_stay() {
    let folder = TempDir::new().unwrap();
    let (data, elsewhere) = (folder.path().join("data"), folder.path().join("elsewhere"));
    fs::write(&elsewhere, "mine").unwrap();
    set_mode(&elsewhere, 0o644);
    drop(Store::open(&data).unwrap());
    symlink(&elsewhere, data.join("link")).unwrap();
    set_mode(&data.join("archive"), 0o2755);
    drop(Store::open(&data).unwrap());
    assert_eq!((mode(&elsewhere), mode(&data.join("archive"))), (0o644, 0o2700));
    // The directory itself may be reached by one.
    set_mode(&data, 0o755);
    symlink(&data, folder.path().join("way")).unwrap();
    drop(Store::open(&folder.path().join("way")).unwrap());
    assert_eq!(mode(&data), 0o700);
}

#[test]
fn what_others_could_not_come_to_is_closed_and_was_not_open() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    for (name, mode) in [("open", 0o755), ("closed", 0o700)] {
        fs::create_dir_all(data.join(name)).unwrap();
        fs::write(data.join(name).join("file"), "mine").unwrap();
        set_mode(&data.join(name).join("file"), 0o644);
        set_mode(&data.join(name), mode);
    }
    set_mode(&data, 0o755);
    assert_eq!(LocalDisk.keep_to_owner(&data, None).unwrap(), 3, "the folder, the open one in it, and its file");
    assert_is_of_owner_alone(&data);
    assert_eq!(LocalDisk.keep_to_owner(&data, None).unwrap(), 0);
}

#[test]
fn who_reads_a_directory_writes_nothing_to_its_disk() {
    let world = World::new();
    let store = world.open();
    fill(&store);
    let expected = contents(&store.snapshot());
    drop(store);
    let before = world.disk.operations();
    // Whatever would be written fails, as on a disk that lets nobody write.
    world.disk.set_fault(Some(Fault::Any(0)));
    let store = Store::open_to_read(Path::new("/data"), world.options.clone()).unwrap();
    assert_eq!(contents(&store.snapshot()), expected);
    assert_eq!(world.disk.operations(), before);
}
