//! What a statement can name, and all that its views need to be planned in the same session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;
use skillscope_segment::AccountId;
use skillscope_store::{Relation, RelationSet};

use super::catalog::{CATALOG, SessionCatalog, is_own_table, views_of_ours};
use super::definitions::TemporaryViews;
use super::run::StatementReach;
use super::store_tables::StoreTables;
use crate::Scope;
use crate::table::SegmentsTable;

/// The most views in one another.
const MOST_LEVELS: usize = 16;

/// The most views that are planned for a statement, with those that they name.
const MOST_PLANNED: usize = 200;

/// What a statement can name, or a view in it. Cheap to clone.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) store: Arc<StoreTables>,
    pub(super) base: Arc<SessionState>,
    pub(super) reach: StatementReach,
    pub(super) segments: Arc<SegmentsTable>,
    /// What a protocol's clients expect beside the tables.
    pub(super) catalog: Option<Arc<dyn SessionCatalog>>,
    /// What was added, at the moment of the statement; `None` for what outlives statements, which sees it as it is.
    pub(super) added: Option<Arc<RelationSet>>,
    /// The views of the session.
    pub(super) temporary: Option<Arc<TemporaryViews>>,
    /// The views that this is planned within, and whether each is the session's own.
    pub(super) within: Vec<(String, bool)>,
    pub(super) progress: Arc<Progress>,
}

/// How far a statement is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Whether it is planned: from then on, tables are looked up to list them.
    pub(super) is_planned: AtomicBool,
    views: AtomicUsize,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings")
            .field("scope", self.scope())
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}

impl Surroundings {
    pub(super) fn scope(&self) -> &Scope {
        self.segments.scope()
    }

    /// The name of the catalog in which tables are.
    pub(super) fn catalog_name(&self) -> &str {
        &self.base.config_options().catalog.default_catalog
    }

    /// The names of the catalog: first that of this door, then those of others, the account's and that of all accounts.
    pub(super) fn catalog_names(&self) -> Vec<String> {
        let account = self.scope().account().map(AccountId::as_str);
        [Some(self.catalog_name()), Some(CATALOG), account].into_iter().flatten().map(str::to_owned).collect()
    }

    /// The state in which the statement is planned, with all that can be named.
    pub(super) fn state(&self) -> Result<SessionState> {
        StoreTables::state(self)
    }

    /// Everything that was added, of the statement's moment.
    pub(super) fn added(&self) -> Arc<RelationSet> {
        self.added.clone().unwrap_or_else(|| self.store.added())
    }

    /// What was added under a name, as this session sees it.
    pub(super) fn relation(&self, name: &str) -> Option<Arc<Relation>> {
        self.added().seen_by(self.scope().account(), name).cloned()
    }

    /// The query of a view of the session itself.
    pub(super) fn temporary_query(&self, name: &str) -> Option<Arc<str>> {
        self.temporary.as_ref()?.query(name)
    }

    /// Whether a name is that of a table or view of ours, which is always there.
    pub(super) fn has_ours(&self, name: &str) -> bool {
        is_own_table(name) || views_of_ours().any(|view| view == name)
    }

    /// What is visible to the query of a view. A view that is kept sees nothing of one session alone.
    pub(super) fn within(&self, view: &str, is_temporary: bool) -> Result<Self> {
        let entry = (view.to_owned(), is_temporary);
        if self.within.contains(&entry) {
            return plan_err!("the view \"{view}\" names itself, directly or by way of others");
        }
        if self.within.len() >= MOST_LEVELS {
            return plan_err!("views name one another more than {MOST_LEVELS} levels deep");
        }
        if self.progress.views.fetch_add(1, Ordering::Relaxed) >= MOST_PLANNED {
            return plan_err!("the statement names more than {MOST_PLANNED} views, with those that they name");
        }
        let mut within = self.within.clone();
        within.push(entry);
        let temporary = self.temporary.clone().filter(|_| is_temporary);
        Ok(Self { within, temporary, added: Some(self.added()), ..self.clone() })
    }

    /// Whether tables are looked up to be listed, and not to be read.
    pub(super) fn is_listing(&self) -> bool {
        self.within.is_empty() && self.progress.is_planned.load(Ordering::Relaxed)
    }

    /// For listing, each look-up counts by itself.
    pub(super) fn anew(&self) -> Self {
        let progress = Progress { is_planned: AtomicBool::new(true), views: AtomicUsize::new(0) };
        Self { progress: Arc::new(progress), ..self.clone() }
    }
}
