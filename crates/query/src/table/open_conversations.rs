//! The table `open_conversations` as DataFusion sees it: the conversations that are open at one moment, of one scope.

use std::fmt;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::DFSchema;
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use skillscope_segment::column::{ACCOUNT_ID, SKILL_ID};
use skillscope_store::{OpenAccount, OpenConversations};

use super::open_columns::open_schema;
use super::open_scan::{OpenPlace, OpenScan};
use super::wanted_accounts::{WantedAccounts, account_filter};
use crate::Scope;

/// The table `open_conversations`: the open conversations of a moment that are in scope.
///
/// Only accounts and skills that pass the filters are visited. DataFusion filters the rows of these.
pub(crate) struct OpenConversationsTable {
    open: Arc<OpenConversations>,
    /// The accounts that can be seen.
    scope: Scope,
}

impl fmt::Debug for OpenConversationsTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenConversationsTable").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl OpenConversationsTable {
    pub(crate) fn new(open: Arc<OpenConversations>, scope: Scope) -> Self {
        Self { open, scope }
    }

    /// The skills with open conversations, of the accounts that are in scope and that the filters let through.
    fn places(&self, filters: &[Expr]) -> Vec<OpenPlace> {
        match WantedAccounts::of(&self.scope, filters) {
            WantedAccounts::All => {
                self.open.accounts().flat_map(|(id, account)| places(id.as_str(), account)).collect()
            }
            WantedAccounts::One(id) => self.open.account(id).into_iter().flat_map(|of| places(id, of)).collect(),
            WantedAccounts::None => Vec::new(),
        }
    }
}

fn places(account_id: &str, account: &OpenAccount) -> impl Iterator<Item = OpenPlace> {
    let account_id: Arc<str> = Arc::from(account_id);
    let all = account.skills().map(move |(skill_id, skill)| OpenPlace {
        account_id: Arc::clone(&account_id),
        skill_id,
        rows: skill.len(),
    });
    all.filter(|place| place.rows > 0)
}

#[async_trait]
impl TableProvider for OpenConversationsTable {
    fn schema(&self) -> SchemaRef {
        open_schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match account_filter(filter) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None if is_on_places(filter) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let places = self.places(filters);
        let (candidates, threads) = (places.len(), state.config().target_partitions());
        let places = passing(state, filters, places);
        let open = Arc::clone(&self.open);
        Ok(Arc::new(OpenScan::try_new(open, places, candidates, projection, limit, threads)?))
    }
}

/// Whether a filter is on the account and the skill alone.
fn is_on_places(filter: &Expr) -> bool {
    filter.column_refs().iter().all(|column| [ACCOUNT_ID, SKILL_ID].contains(&column.name.as_str()))
}

/// The places that pass the filters on places. Where that cannot be computed, all are visited, and the rows say whether
/// it is an error.
fn passing(state: &dyn Session, filters: &[Expr], places: Vec<OpenPlace>) -> Vec<OpenPlace> {
    let on_places = filters.iter().filter(|filter| account_filter(filter).is_none() && is_on_places(filter));
    let Some(filter) = conjunction(on_places.cloned()) else { return places };
    let Ok(passes) = passes(state, filter, &places) else { return places };
    // A place of which the filter is null has no row that passes.
    places
        .into_iter()
        .zip(passes.iter())
        .filter_map(|(place, passes)| passes.unwrap_or(false).then_some(place))
        .collect()
}

fn passes(state: &dyn Session, filter: Expr, places: &[OpenPlace]) -> Result<BooleanArray> {
    let all = open_schema();
    let schema = Arc::new(all.project(&[all.index_of(ACCOUNT_ID)?, all.index_of(SKILL_ID)?])?);
    let filter = state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(&schema))?)?;
    let accounts = StringViewArray::from_iter_values(places.iter().map(|place| place.account_id.as_ref()));
    let skills = Int64Array::from_iter_values(places.iter().map(|place| place.skill_id));
    let batch = RecordBatch::try_new(schema, vec![Arc::new(accounts), Arc::new(skills)])?;
    let passes = filter.evaluate(&batch)?.into_array(places.len())?;
    Ok(passes.as_boolean().clone())
}
