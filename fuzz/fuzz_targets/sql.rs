//! Anything at all as SQL over a small store: rows or an error, within little memory and time.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::TryStreamExt;
use libfuzzer_sys::fuzz_target;
use skillscope_query::{Clock, Engine, Scope, SqlLimits};
use skillscope_store::{Store, StoreOptions};
use tokio::runtime::{Builder, Runtime};

struct World {
    runtime: Runtime,
    engine: Engine,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    // The folder is left behind for the system to clean up.
    let folder = tempfile::TempDir::new().expect("there is a folder for temporary files").keep();
    let store = Arc::new(Store::open_with(&folder, StoreOptions::default()).expect("a new store opens"));
    let limits = SqlLimits { memory_bytes: 64 << 20, time: Duration::from_secs(5), ..SqlLimits::default() };
    let engine = Engine::new(store, Clock::System, limits).expect("an engine starts");
    World { runtime: Builder::new_current_thread().enable_all().build().expect("a runtime starts"), engine }
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let session = WORLD.engine.sql(Scope::All, "fuzz");
    let answer = WORLD.runtime.block_on(async {
        session.describe(text).await?;
        let mut rows = session.run(text, Vec::new()).await?;
        while rows.try_next().await?.is_some() {}
        Ok::<_, skillscope_query::Error>(())
    });
    if let Err(error) = answer {
        assert!(!error.to_string().contains("cannot be run"), "it panicked");
    }
});
