//! What the targets that send something to a server have in common.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use skillscope_query::{Clock, Engine, SqlLimits};
use skillscope_server::App;
use skillscope_store::{Store, StoreOptions};

/// A server over an empty store, with limits that let no statement last.
pub fn app() -> &'static App {
    static APP: LazyLock<App> = LazyLock::new(|| {
        let directory = tempfile::tempdir().expect("there is a folder for temporary files").keep();
        let store = Arc::new(Store::open_with(&directory, StoreOptions::default()).expect("the store opens"));
        let limits = SqlLimits { time: Duration::from_secs(1), memory_bytes: 256 << 20, ..SqlLimits::default() };
        let engine = Engine::new(Arc::clone(&store), Clock::Fixed(1_516_265_515_679), limits).expect("it starts");
        App::new(store, engine).expect("its threads start")
    });
    &APP
}
