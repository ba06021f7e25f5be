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
/// Where it cannot be planned any more, unless views are only listed.
pub(super) fn view(
    visible: &Surroundings,
    name: &str,
    is_temporary: bool,
    query: &str,
) -> Result<Arc<dyn TableProvider>> {
    let visible = if visible.is_listing() { &visible.anew() } else { visible };
    let plan = visible.within(name, is_temporary).and_then(|visible| plan_view(&visible, query));
    match plan {
        Ok(plan) => Ok(Arc::new(ViewTable::new(plan, Some(query.to_owned())))),
        // Others are listed all the same.
        Err(_) if visible.is_listing() => Ok(Arc::new(BrokenView { query: query.to_owned() })),
        Err(error) if visible.within.is_empty() => Err(DataFusionError::Plan(told(name, &error))),
        Err(error) => Err(error),
    }
}

fn told(name: &str, error: &DataFusionError) -> String {
    let cause = error.strip_backtrace();
    let cause = cause.strip_prefix("Error during planning: ").unwrap_or(&cause);
    format!("the view \"{name}\" cannot be read: {cause}")
}

/// A view that cannot be planned any more, as lists have it.
#[derive(Debug)]
struct BrokenView {
    query: String,
}

#[async_trait]
impl TableProvider for BrokenView {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::empty())
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
        Err(DataFusionError::Plan("the view cannot be read any more".to_owned()))
    }
}
