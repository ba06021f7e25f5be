use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use object_store::ObjectStore;
use url::Url;

use crate::archive::Part;
use crate::{Error, Result};

/// Memory for aggregating a stretch, in bytes; beyond it, DataFusion spills to disk.
const MEMORY_BYTES: usize = 512 << 20;

/// Runs plans: in this process, or on a cluster.
pub struct Engine {
    here: SessionContext,
    cluster: Option<SessionContext>,
}

impl Engine {
    /// An engine that runs plans on this machine's processors.
    ///
    /// # Errors
    /// Where DataFusion's runtime cannot be set up.
    pub fn local() -> Result<Self> {
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(MEMORY_BYTES)));
        let runtime = runtime.build_arc().map_err(Error::Plan)?;
        let config = SessionConfig::new().with_collect_statistics(false);
        let state =
            SessionStateBuilder::new_with_default_features().with_config(config).with_runtime_env(runtime).build();
        Ok(Self { here: SessionContext::new_with_state(state), cluster: None })
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    /// Lets plans read a store.
    pub(crate) fn register(&self, url: &Url, store: &Arc<dyn ObjectStore>) {
        for context in [Some(&self.here), self.cluster.as_ref()].into_iter().flatten() {
            context.register_object_store(url, Arc::clone(store));
        }
    }

    /// All rows of a part of an answer.
    pub(crate) async fn rows(&self, part: Part) -> Result<Vec<RecordBatch>> {
        match part {
            Part::Here(plan) => collect(&self.here, plan).await,
            Part::Anywhere(plan) => collect(self.cluster.as_ref().unwrap_or(&self.here), plan).await,
        }
    }

    /// The values of a plan's only column, of text.
    pub(crate) async fn texts(&self, plan: LogicalPlan) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for batch in self.rows(Part::Anywhere(plan)).await? {
            let column = cast(batch.column(0), &DataType::Utf8).map_err(|error| Error::Plan(error.into()))?;
            texts.extend(column.as_string::<i32>().iter().flatten().map(str::to_owned));
        }
        Ok(texts)
    }
}

async fn collect(context: &SessionContext, plan: LogicalPlan) -> Result<Vec<RecordBatch>> {
    let frame = context.execute_logical_plan(plan).await.map_err(Error::Plan)?;
    frame.collect().await.map_err(Error::Plan)
}
