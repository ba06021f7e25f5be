//! What would expire, before it does.

use skillscope_segment::AccountId;
use tempfile::TempDir;

use super::samples::{DAY, HOUR, NOON, batch, plain};
use crate::{Expiring, Retention, Store, StoreOptions};

#[test]
fn what_would_expire_is_told_by_account_and_stays() {
    let directory = TempDir::new().unwrap();
    let rows = [plain("acme", 1, NOON), plain("acme", 2, NOON + 5 * HOUR), plain("bolt", 3, NOON)];
    let store = Store::open(directory.path()).unwrap();
    store.append(&batch(&rows)).unwrap();
    store.seal_finished_hours().unwrap();
    // In no file yet.
    store.append(&batch(&[plain("acme", 4, NOON - DAY)])).unwrap();
    let of_noon = store.snapshot().all_files().find(|file| file.account().as_str() == "acme").unwrap().bytes();
    drop(store);
    let account = |name| AccountId::parse(name).unwrap();
    let retention = Retention::parse(&["2d", "bolt=forever", "cosy=1d"]).unwrap();
    let options = StoreOptions { retention, hot_hours: 0, ..StoreOptions::default() };
    let store = Store::open_to_read(directory.path(), options).unwrap();
    // Two days after the end of the hour from noon on.
    let expiring = store.expiring(NOON + HOUR + 2 * DAY);
    let expected = Expiring { files: 1, bytes: of_noon, rows: 2 };
    assert_eq!(expiring.into_iter().collect::<Vec<_>>(), [(account("acme"), expected)]);
    let a_moment_before = store.expiring(NOON + HOUR + 2 * DAY - 1);
    assert_eq!(a_moment_before[&account("acme")], Expiring { files: 0, bytes: 0, rows: 1 });
    assert_eq!(store.unknown_accounts_of_retention(), [account("cosy")]);
    assert_eq!(store.snapshot().all_files().count(), 3);
}
