use std::sync::Arc;

use chrono::DateTime;
use datafusion::dataframe::DataFrame;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SQLOptions;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::table::SegmentsTable;

/// An analyst's statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlQuery {
    /// The statement, in DataFusion's dialect.
    pub text: String,
    /// The only account whose rows can be seen; `None` for all.
    pub account: Option<String>,
}

/// Plans a statement that only reads. Each statement has a session of its own, whose `now()` is `now`.
pub(crate) async fn plan(text: &str, now: i64, table: SegmentsTable, runtime: Arc<RuntimeEnv>) -> Result<DataFrame> {
    let config = SessionConfig::new()
        .with_information_schema(true)
        .with_default_catalog_and_schema("skillscope", "public");
    let state = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features().build();
    let session = SessionContext::new_with_state(state);
    session.register_table("segments", Arc::new(table))?;

    let mut state = session.state();
    state.execution_props_mut().query_execution_start_time = DateTime::from_timestamp_millis(now);
    let plan = state.create_logical_plan(text).await?;
    let reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    reading.verify_plan(&plan).map_err(|_| DataFusionError::Plan("only statements that read are allowed here".to_owned()))?;
    Ok(DataFrame::new(state, plan))
}
