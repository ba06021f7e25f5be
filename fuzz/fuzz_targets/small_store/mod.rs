//! What the targets that ask something of a store have in common.

use std::sync::Arc;

use skillscope_segment::AccountId;
use skillscope_store::{Store, StoreOptions};
use skillscope_workload::{Workload, WorkloadOptions};

/// 2018-01-18T08:51:55.679Z: every segment of the store has ended by then.
pub const NOW: i64 = 1_516_265_515_679;

/// A store of three hundred closed segments of two accounts, in three hours. Its folder is left behind for the system
/// to clean up.
pub fn small_store() -> Arc<Store> {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files").keep();
    let store = Store::open_with(&folder, StoreOptions::default()).expect("the store opens");
    let accounts = ["acme", "globex"].map(|name| AccountId::parse(name).expect("it can be a name")).into();
    let workload = Workload::new(WorkloadOptions { rows: 300, skills: 5, accounts, hours: 3, end: NOW, seed: 1 });
    for batch in workload.batches(100) {
        store.append(&batch.expect("a batch is made")).expect("the store takes it");
    }
    Arc::new(store)
}
