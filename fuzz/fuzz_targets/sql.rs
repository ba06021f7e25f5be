//! Anything at all as SQL over a small store: rows or an error, within little memory and time.
#![no_main]

mod small_store;

use std::sync::LazyLock;
use std::time::Duration;

use futures::TryStreamExt;
use libfuzzer_sys::fuzz_target;
use skillscope_query::{Clock, Engine, Scope, SqlLimits};
use small_store::{NOW, small_store};
use tokio::runtime::{Builder, Runtime};

struct World {
    runtime: Runtime,
    engine: Engine,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let limits = SqlLimits { memory_bytes: 64 << 20, time: Duration::from_secs(5), ..SqlLimits::default() };
    let engine = Engine::new(small_store(), Clock::Fixed(NOW), limits).expect("an engine starts");
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
