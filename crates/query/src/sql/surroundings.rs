//! What a statement can name, and all that its views need to be planned in the same session.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::datatypes::SchemaRef;
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;
use parking_lot::Mutex;
use skillscope_segment::AccountId;
use skillscope_store::{Relation, RelationSet};

use super::catalog::{CATALOG, SessionCatalog, is_own_table, views_of_ours};
use super::definitions::TemporaryViews;
use super::run::StatementReach;
use super::store_tables::StoreTables;
use crate::Scope;
use crate::table::{OpenConversationsTable, SegmentsTable};

/// The most views in one another.
const MOST_LEVELS: usize = 16;

/// The most views that are planned for a statement, with those that they name.
const MOST_PLANNED: usize = 200;

/// The most times that a view is planned for the lists of a statement. There is room for all views that an account can
/// see, each of them once, and for some that cannot be planned to be tried again in others that name them.
const MOST_LISTED: usize = 10_000;

/// What a statement can name, or a view in it. Cheap to clone.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) store: Arc<StoreTables>,
    pub(super) base: Arc<SessionState>,
    pub(super) reach: StatementReach,
    pub(super) segments: Arc<SegmentsTable>,
    /// What is open at the moment of `segments`.
    pub(super) open: Arc<OpenConversationsTable>,
    /// What a protocol's clients expect beside the tables.
    pub(super) catalog: Option<Arc<dyn SessionCatalog>>,
    /// What was added, at the moment of the statement; `None` for what outlives statements, which sees it as it is.
    pub(super) added: Option<Arc<RelationSet>>,
    /// The views of the session.
    pub(super) temporary: Option<Arc<TemporaryViews>>,
    /// The views that this is planned within, and whether each is the session's own.
    pub(super) within: Vec<(String, bool)>,
    /// Whether tables are looked up to be listed, and not to be read.
    pub(super) is_listing: bool,
    pub(super) planned: Arc<PlannedViews>,
}

/// The views that a statement has planned.
#[derive(Debug, Default)]
pub(super) struct PlannedViews {
    to_read: AtomicUsize,
    to_list: AtomicUsize,
    /// The columns of those that were listed, by their names and whether they are the session's own.
    columns: Mutex<HashMap<(String, bool), SchemaRef>>,
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
        let (to_read, to_list) = (&self.planned.to_read, &self.planned.to_list);
        let (planned, most) = if self.is_listing { (to_list, MOST_LISTED) } else { (to_read, MOST_PLANNED) };
        if planned.fetch_add(1, Ordering::Relaxed) >= most {
            return plan_err!("the statement names more than {most} views, with those that they name");
        }
        let mut within = self.within.clone();
        within.push(entry);
        let temporary = self.temporary.clone().filter(|_| is_temporary);
        Ok(Self { within, temporary, added: Some(self.added()), ..self.clone() })
    }

    /// The same for lists. What is listed is not read: of a view there are only the columns.
    pub(super) fn listing(&self) -> Self {
        Self { is_listing: true, ..self.clone() }
    }

    /// The columns of a view, if the statement has listed it before.
    pub(super) fn listed(&self, name: &str, is_temporary: bool) -> Option<SchemaRef> {
        self.planned.columns.lock().get(&(name.to_owned(), is_temporary)).cloned()
    }

    /// Keeps the columns of a view for other lists, and for the views that name it.
    pub(super) fn keep_listed(&self, name: &str, is_temporary: bool, columns: &SchemaRef) {
        self.planned.columns.lock().insert((name.to_owned(), is_temporary), Arc::clone(columns));
    }
}
