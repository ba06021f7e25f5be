//! What is there once the data directory has been read.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use skillscope_query::{Clock, Engine, SqlLimits};
use skillscope_server::{Access, App};
use skillscope_store::{Maintenance, Recovery, Store};

use super::retention;

/// What is there once the data directory has been read.
pub(super) struct Opened {
    pub(super) store: Arc<Store>,
    pub(super) app: App,
    _maintenance: Maintenance,
}

impl Opened {
    /// Reads the directory. Of accounts of which nothing comes for longer than `quiet_after`, the server tells.
    pub(super) fn open(
        recovery: Recovery,
        clock: Clock,
        sql_limits: SqlLimits,
        access: Access,
        quiet_after: Option<Duration>,
    ) -> Result<Self> {
        let store = Arc::new(recovery.finish()?);
        retention::warn_of_unknown_accounts(&store);
        let engine = Engine::new(Arc::clone(&store), clock, sql_limits)?;
        let maintenance = Maintenance::start(Arc::clone(&store)).context("cannot start the thread of maintenance")?;
        let app = App::new(Arc::clone(&store), engine, access).context("cannot start the server's threads")?;
        quiet_after.into_iter().for_each(|after| app.tell_of_quiet_accounts(after));
        Ok(Self { store, app, _maintenance: maintenance })
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let folder = self.store.dead_letter_folder();
        for (reason, count) in self.store.dead_letters() {
            tracing::warn!(%reason, count, folder = %folder.display(), "events had no effect and were kept");
        }
    }
}
