//! Runs plans in this process, or on a Ballista cluster.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::FutureExt;
use object_store::ObjectStore;
use parquet::errors::ParquetError;
use url::Url;

use crate::{Error, Result};

/// The memory for operators of plans, in bytes. Beyond it, DataFusion spills to disk.
const MEMORY_BYTES: usize = 512 << 20;

/// The default port of a scheduler.
#[cfg(feature = "ballista")]
const SCHEDULER_PORT: u16 = 50050;

/// A plan, and where it can be run.
#[derive(Debug)]
pub(crate) enum PlacedPlan {
    /// On the cluster, where there is one: the plan reads files that both see.
    Anywhere(LogicalPlan),
    /// In this process alone, whose memory the plan reads.
    Here(LogicalPlan),
}

/// Runs plans: in this process, or on a Ballista cluster.
pub struct PlanRunner {
    here: SessionContext,
    cluster: Option<Cluster>,
}

struct Cluster {
    url: String,
    context: SessionContext,
}

impl PlanRunner {
    /// A runner that runs plans on this machine's processors.
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

    /// A runner that sends plans to the cluster whose scheduler is at `url`, such as `df://scheduler:50050`.
    ///
    /// # Errors
    /// Where this is no such URL, or the program was built without Ballista.
    #[cfg(feature = "ballista")]
    pub fn cluster(url: &str) -> Result<Self> {
        use ballista_core::extension::SessionStateExt;

        let parsed = Url::parse(url).ok().filter(|parsed| parsed.scheme() == "df");
        let Some(host) = parsed.as_ref().and_then(Url::host_str) else {
            return Err(Error::Usage(format!("{url} is no cluster: it is df://HOST:PORT of a Ballista scheduler")));
        };
        let port = parsed.as_ref().and_then(Url::port).unwrap_or(SCHEDULER_PORT);
        let state = SessionState::new_ballista_state(format!("http://{host}:{port}")).map_err(Error::Plan)?;
        let cluster = Cluster { url: url.to_owned(), context: SessionContext::new_with_state(state) };
        Ok(Self { cluster: Some(cluster), ..Self::local()? })
    }

    /// A runner that sends plans to a cluster.
    ///
    /// # Errors
    /// Always: this program was built without Ballista.
    #[cfg(not(feature = "ballista"))]
    pub fn cluster(_url: &str) -> Result<Self> {
        Err(Error::Usage("this skillscope was built without Ballista; build it with --features ballista".to_owned()))
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    /// Lets plans read an object store.
    pub(crate) fn register(&self, url: &Url, store: &Arc<dyn ObjectStore>) {
        for context in [Some(&self.here), self.cluster.as_ref().map(|cluster| &cluster.context)].into_iter().flatten() {
            context.register_object_store(url, Arc::clone(store));
        }
    }

    /// All rows of a plan.
    pub(crate) async fn rows(&self, plan: PlacedPlan) -> Result<Vec<RecordBatch>> {
        match (plan, &self.cluster) {
            (PlacedPlan::Anywhere(plan), Some(cluster)) => {
                let failed = |cause| Error::Cluster { url: cluster.url.clone(), cause };
                collect(&cluster.context, plan).await.map_err(failed)
            }
            (PlacedPlan::Anywhere(plan) | PlacedPlan::Here(plan), _) => {
                collect(&self.here, plan).await.map_err(Error::Plan)
            }
        }
    }

    /// The values of a plan with a single column of text.
    pub(crate) async fn texts(&self, plan: LogicalPlan) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for batch in self.rows(PlacedPlan::Anywhere(plan)).await? {
            let column = cast(batch.column(0), &DataType::Utf8).map_err(|error| Error::Plan(error.into()))?;
            texts.extend(column.as_string::<i32>().iter().flatten().map(str::to_owned));
        }
        Ok(texts)
    }

    /// The value of a plan with a single row and column, a count.
    pub(crate) async fn number(&self, plan: LogicalPlan) -> Result<Option<u64>> {
        let rows = self.rows(PlacedPlan::Anywhere(plan)).await?;
        let counts = rows.iter().filter_map(|batch| batch.columns().first()?.as_primitive_opt::<Int64Type>());
        Ok(counts.flat_map(|counts| counts.iter().flatten()).next().and_then(|count| u64::try_from(count).ok()))
    }

    /// The state that plans statements for the cluster, if there is one.
    pub(crate) fn cluster_state(&self) -> Option<SessionState> {
        self.cluster.as_ref().map(|cluster| cluster.context.state())
    }

    /// The URL of the cluster, if there is one.
    pub(crate) fn cluster_url(&self) -> Option<&str> {
        self.cluster.as_ref().map(|cluster| cluster.url.as_str())
    }
}

async fn collect(
    context: &SessionContext,
    plan: LogicalPlan,
) -> std::result::Result<Vec<RecordBatch>, DataFusionError> {
    let rows = async { context.execute_logical_plan(plan).await?.collect().await };
    // The decoder of a corrupt file may panic. Then it is looked for the file, as after an error of the decoder.
    let panicked = |_| Err(ParquetError::General("the decoder of a file panicked".to_owned()).into());
    AssertUnwindSafe(rows).catch_unwind().await.unwrap_or_else(panicked)
}
