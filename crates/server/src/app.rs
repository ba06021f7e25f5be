//! What every protocol serves: the store and the query engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use skillscope_query::Engine;
use skillscope_store::Store;

/// The store and the query engine, which all protocols share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    store: Arc<Store>,
    engine: Engine,
    stopping: AtomicBool,
}

impl App {
    /// Serves what is in `store`, with answers from `engine`.
    pub fn new(store: Arc<Store>, engine: Engine) -> Self {
        Self(Arc::new(Shared { store, engine, stopping: AtomicBool::new(false) }))
    }

    pub(crate) fn store(&self) -> Arc<Store> {
        Arc::clone(&self.0.store)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Lets the server say, from now on, that it is not ready.
    pub(crate) fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }
}
