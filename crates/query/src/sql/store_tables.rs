//! The tables and functions of a store that statements see.

use std::sync::Arc;

use chrono::DateTime;
use datafusion::catalog::SchemaProvider;
use datafusion::execution::session_state::SessionState;
use skillscope_store::Store;

use super::catalog::catalog;
use super::functions::{self, Caller};
use super::run::{RunningQueries, StatementReach};
use super::service::SqlService;
use crate::report::ReportSession;
use crate::table::SegmentsTable;
use crate::{Clock, Scope};

/// A store, as the statements of all sessions see it.
pub(crate) struct StoreTables {
    store: Arc<Store>,
    clock: Clock,
    reports: Arc<ReportSession>,
    running: Arc<RunningQueries>,
}

impl StoreTables {
    /// The tables of `store` for statements that `service` runs.
    pub(crate) fn new(store: Arc<Store>, clock: Clock, reports: Arc<ReportSession>, service: &SqlService) -> Self {
        Self { store, clock, reports, running: Arc::clone(service.running()) }
    }

    /// The rows of one moment, with plain text: functions on text fail on dictionaries of many rows.
    pub(super) fn segments(&self, scope: Scope) -> SegmentsTable {
        SegmentsTable::new(Arc::clone(&self.store), scope).with_text()
    }

    /// No rows.
    pub(super) fn no_segments(&self, scope: Scope) -> SegmentsTable {
        SegmentsTable::empty(Arc::clone(&self.store), scope).with_text()
    }

    /// The state in which a statement over `segments` is planned: `base` with the tables and functions of its scope.
    /// Its `now()` is the engine's present.
    pub(super) fn state(
        &self,
        base: &SessionState,
        reach: &StatementReach,
        segments: SegmentsTable,
        schemas: &[(String, Arc<dyn SchemaProvider>)],
    ) -> datafusion::error::Result<SessionState> {
        let mut state = base.clone();
        let segments = Arc::new(segments);
        let name = base.config_options().catalog.default_catalog.clone();
        state.register_catalog_list(catalog(&name, &self.running, &segments, reach, schemas)?);
        functions::register_for(Caller { segments, reach: reach.clone() }, &mut state, &self.reports, &self.running)?;
        state.execution_props_mut().query_execution_start_time = DateTime::from_timestamp_millis(self.clock.now());
        Ok(state)
    }
}
