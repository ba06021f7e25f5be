//! The tables and functions of a store that statements see.

use std::sync::Arc;

use chrono::DateTime;
use datafusion::execution::session_state::SessionState;
use skillscope_store::{RelationSet, Store};

use super::catalog::{INFORMATION_SCHEMA, Visible, catalog_list, information_schema, schemas};
use super::functions::{self, Caller};
use super::run::RunningQueries;
use super::service::SqlService;
use super::surroundings::Surroundings;
use crate::report::ReportSession;
use crate::table::{MomentTables, SegmentsTable};
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
    pub(super) fn now(&self, scope: Scope) -> MomentTables {
        MomentTables::now(Arc::clone(&self.store), scope).with_text()
    }

    /// No rows.
    pub(super) fn empty(&self, scope: Scope) -> MomentTables {
        MomentTables::empty(Arc::clone(&self.store), scope).with_text()
    }

    /// The tables and views that somebody added, as they are now.
    pub(super) fn added(&self) -> Arc<RelationSet> {
        self.store.relations()
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The state in which a statement is planned: its base with the tables and functions that are visible to it. Its
    /// `now()` is the engine's present.
    pub(super) fn state(visible: &Surroundings) -> datafusion::error::Result<SessionState> {
        let mut state = visible.base.as_ref().clone();
        let (store, segments) = (&visible.store, Arc::clone(&visible.segments));
        let name = visible.catalog_name();
        let mut named = schemas(visible, &store.running);
        let mut listed = schemas(&visible.listing(), &store.running);
        if let Some(more) = visible.catalog.as_deref() {
            let mut seen = Visible { schemas: listed.clone(), accounts: accounts(&segments) };
            seen.schemas.push((INFORMATION_SCHEMA.to_owned(), information_schema(name, &listed)?));
            let more = more.extend(&mut state, seen)?;
            named.extend(more.clone());
            listed.extend(more);
        }
        state.config_mut().options_mut().catalog.information_schema = false;
        state.register_catalog_list(catalog_list(visible.catalog_names(), &named, &listed)?);
        let caller = Caller { segments, reach: visible.reach.clone() };
        functions::register_for(caller, &mut state, &store.reports, &store.running)?;
        state.execution_props_mut().query_execution_start_time = DateTime::from_timestamp_millis(store.clock.now());
        Ok(state)
    }
}

/// Finds the accounts in the scope of a statement.
fn accounts(segments: &Arc<SegmentsTable>) -> Arc<dyn Fn() -> Vec<String> + Send + Sync> {
    let segments = Arc::clone(segments);
    Arc::new(move || {
        let (snapshot, scope) = (segments.snapshot(), segments.scope());
        let accounts = snapshot.accounts().filter(|account| scope.includes(account.as_str()));
        accounts.map(ToString::to_string).collect()
    })
}
