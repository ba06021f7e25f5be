//! Anything at all as what clients send. Fuzz targets call this, and a test with their seeds.

use tokio::runtime::{Builder, Runtime};

use crate::App;

/// Sends `bytes` over a connection of PostgreSQL. The first of them says whether a database has been opened before.
pub fn postgresql(app: &App, bytes: &[u8]) {
    let (opens, bytes) = bytes.split_first().map_or((false, bytes), |(first, rest)| (first & 1 == 1, rest));
    if let Some(runtime) = runtime() {
        runtime.block_on(crate::postgresql::take_anything(app.clone(), opens, bytes));
    }
}

/// Takes `bytes` for a command, a ticket, a handle, and values for parameters of Flight SQL.
pub fn flight(app: &App, bytes: &[u8]) {
    if let Some(runtime) = runtime() {
        runtime.block_on(crate::flight::take_anything(app.clone(), bytes));
    }
}

fn runtime() -> Option<Runtime> {
    Builder::new_current_thread().enable_all().build().ok()
}
