//! What the targets that send something to a server have in common.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use skillscope_query::{Clock, Engine, SqlLimits};
use skillscope_server::{Access, App};

use crate::small_store::{NOW, small_store};

/// A server over a small store, with limits that let no statement last.
pub fn app() -> &'static App {
    static APP: LazyLock<App> = LazyLock::new(|| {
        let store = small_store();
        let limits = SqlLimits { time: Duration::from_secs(1), memory_bytes: 256 << 20, ..SqlLimits::default() };
        let engine = Engine::new(Arc::clone(&store), Clock::Fixed(NOW), limits).expect("it starts");
        App::new(store, engine, Access::of_anybody().expect("the system has random numbers")).expect("its threads start")
    });
    &APP
}
