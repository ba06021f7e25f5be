use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use skillscope_query::Engine;
use skillscope_store::Store;

use crate::http::CorsOrigins;

/// What the handlers share.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    store: Arc<Store>,
    engine: Engine,
    options: AppOptions,
    stopping: AtomicBool,
}

/// How the server is set up.
#[derive(Debug, Clone)]
pub struct AppOptions {
    /// The largest request body, in bytes, as sent and after decompression.
    pub max_body_bytes: usize,
    /// The most rows in one answer to a statement.
    pub max_sql_rows: u64,
    /// The origins whose pages may read answers.
    pub cors_origins: CorsOrigins,
}

impl App {
    /// The server over `store`, with answers from `engine`.
    pub fn new(store: Arc<Store>, engine: Engine, options: AppOptions) -> Self {
        Self(Arc::new(Shared { store, engine, options, stopping: AtomicBool::new(false) }))
    }

    pub(crate) fn store(&self) -> Arc<Store> {
        Arc::clone(&self.0.store)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn max_body_bytes(&self) -> usize {
        self.0.options.max_body_bytes
    }

    pub(crate) fn cors_origins(&self) -> &CorsOrigins {
        &self.0.options.cors_origins
    }

    pub(crate) fn max_sql_rows(&self) -> u64 {
        self.0.options.max_sql_rows
    }

    /// From now on the server says that it is not ready.
    pub(crate) fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }
}
