//! The tables and views that somebody added, as a statement finds them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::datasource::{TableType, ViewTable};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use skillscope_segment::SmallTable;

use crate::sql::statement::plan_view;
use crate::sql::surroundings::Surroundings;

/// The rows of a table that are handed on at a time.
const BATCH_ROWS: usize = 8_192;

/// A table that somebody added.
pub(super) fn table(rows: &SmallTable) -> Result<Arc<dyn TableProvider>> {
    let rows = rows.rows();
    let starts = (0..rows.num_rows()).step_by(BATCH_ROWS);
    let batches: Vec<RecordBatch> =
        starts.map(|start| rows.slice(start, BATCH_ROWS.min(rows.num_rows() - start))).collect();
    Ok(Arc::new(MemTable::try_new(rows.schema(), vec![batches])?))
}

/// A view that somebody added, planned for whoever reads it.
///
/// # Errors
/// Where it cannot be planned any more.
pub(super) fn view(
    visible: &Surroundings,
    name: &str,
    is_temporary: bool,
    query: &str,
) -> Result<Arc<dyn TableProvider>> {
    match visible.within(name, is_temporary).and_then(|visible| plan_view(&visible, query)) {
        Ok(plan) => Ok(Arc::new(ViewTable::new(plan, Some(query.to_owned())))),
        Err(error) if visible.within.is_empty() => Err(DataFusionError::Plan(told(name, &error))),
        Err(error) => Err(error),
    }
}

/// A view that somebody added, for lists: its columns and its text. Each is planned once for a statement, also where
/// others name it.
///
/// # Errors
/// Where another one names it, and it cannot be planned any more. It is listed all the same.
pub(super) fn listed_view(
    visible: &Surroundings,
    name: &str,
    is_temporary: bool,
    query: &str,
) -> Result<Arc<dyn TableProvider>> {
    let listed = |columns| Arc::new(ListedView { columns, query: query.to_owned() });
    if let Some(columns) = visible.listed(name, is_temporary) {
        return Ok(listed(columns));
    }
    match visible.within(name, is_temporary).and_then(|visible| plan_view(&visible, query)) {
        Ok(plan) => {
            let columns = plan.schema().inner();
            visible.keep_listed(name, is_temporary, columns);
            Ok(listed(Arc::clone(columns)))
        }
        Err(_) if visible.within.is_empty() => Ok(listed(Arc::new(Schema::empty()))),
        Err(error) => Err(error),
    }
}

fn told(name: &str, error: &DataFusionError) -> String {
    let cause = error.strip_backtrace();
    let cause = cause.strip_prefix("Error during planning: ").unwrap_or(&cause);
    format!("the view \"{name}\" cannot be read: {cause}")
}

/// A view as lists have it. One that cannot be planned any more has no columns.
#[derive(Debug)]
struct ListedView {
    columns: SchemaRef,
    query: String,
}

#[async_trait]
impl TableProvider for ListedView {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn get_table_definition(&self) -> Option<&str> {
        Some(&self.query)
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Err(DataFusionError::Plan("a view that is listed is not read".to_owned()))
    }
}
