//! `EXPLAIN` as clients of PostgreSQL read it: lines of a plan, the first of which has an estimate of its cost.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_postgres::pgwire::error::PgWireResult;
use futures::TryStreamExt;
use skillscope_query::SqlRows;

use super::error::{SqlState, error, failed};

/// What is estimated where nothing is known: as many rows as PostgreSQL takes a table for of which it knows nothing.
/// `postgres_fdw` reads it.
const ESTIMATE: &str = "(cost=100.00..1100.00 rows=1000 width=64)";

/// The plan of the engine that is run, rather than the one that was made of the words of the statement.
const PHYSICAL: &str = "physical_plan";

/// The column of the lines.
pub(super) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("QUERY PLAN", DataType::Utf8, false)]))
}

/// The lines of the plans that the engine tells.
pub(super) async fn lines(plans: SqlRows, is_verbose: bool) -> PgWireResult<RecordBatch> {
    let mut lines = vec![format!("Plan  {ESTIMATE}")];
    let batches: Vec<RecordBatch> = plans.try_collect().await.map_err(failed)?;
    for batch in &batches {
        let [kinds, texts] = batch.columns() else {
            return Err(error(SqlState::Internal, "the plan of a statement is not as expected"));
        };
        for (kind, text) in strings(kinds)?.iter().zip(strings(texts)?) {
            // Others are told where more is asked for, or where there is no other.
            let is_told = is_verbose || kind != "logical_plan";
            if is_verbose || (is_told && kind != PHYSICAL) {
                lines.push(format!("  {kind}:"));
            }
            if is_told {
                lines.extend(text.lines().map(|line| format!("  {line}")));
            }
        }
    }
    let lines: ArrayRef = Arc::new(StringArray::from(lines));
    RecordBatch::try_new(schema(), vec![lines]).map_err(|cause| error(SqlState::Internal, cause.to_string()))
}

fn strings(texts: &ArrayRef) -> PgWireResult<Vec<String>> {
    let texts = cast(texts, &DataType::Utf8).map_err(|cause| error(SqlState::Internal, cause.to_string()))?;
    Ok(texts.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect())
}
