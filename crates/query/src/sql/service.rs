//! What all sessions share: limits, threads, memory, and the list of running statements.

use std::io;
use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::optimizer::analyzer::AnalyzerRule;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{Analyzer, Optimizer, OptimizerRule};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::SessionConfig;

use super::bounds::{BoundedCalls, Constants};
use super::catalog::{CATALOG, PUBLIC};
use super::correlation::Correlation;
use super::functions;
use super::limits::SqlLimits;
use super::load::SqlLoad;
use super::meaning::{Conversions, Operators, Types};
use super::run::{
    DoorCounts, Planners, RunningQueries, SqlMemory, SqlTask, StatementMemory, StatementStatistics, Turns, UnlessEnded,
    Workers,
};
use super::times::TextTimes;
use crate::totals::{AnswerFromTotals, totals_query_planner};
use crate::{Error, Result};

/// The part of SQL that all sessions share.
pub(crate) struct SqlService {
    limits: SqlLimits,
    running: Arc<RunningQueries>,
    turns: Arc<Turns>,
    planners: Planners,
    memory: Arc<SqlMemory>,
    statistics: StatementStatistics,
    workers: Workers,
    /// Functions, rules and disk space to spill to. Tables and memory are added for each statement.
    base: SessionState,
}

impl std::fmt::Debug for SqlService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlService").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl SqlService {
    pub(crate) fn new(limits: SqlLimits) -> Result<Self> {
        Ok(Self {
            running: Arc::new(RunningQueries::new(limits.slow)),
            turns: Arc::new(Turns::new(limits.running)),
            planners: Planners::new(limits.running),
            memory: Arc::new(SqlMemory::new(limits.memory_bytes)),
            statistics: StatementStatistics::default(),
            workers: Workers::start().map_err(Error::Start)?,
            base: base(&limits)?,
            limits,
        })
    }

    pub(crate) fn limits(&self) -> &SqlLimits {
        &self.limits
    }

    pub(super) fn running(&self) -> &Arc<RunningQueries> {
        &self.running
    }

    pub(super) fn turns(&self) -> &Arc<Turns> {
        &self.turns
    }

    pub(super) fn planners(&self) -> &Planners {
        &self.planners
    }

    /// What was counted of the statements of each door.
    pub(super) fn statistics(&self) -> &StatementStatistics {
        &self.statistics
    }

    /// What was counted of statements so far, by door.
    pub(crate) fn counts(&self) -> Vec<DoorCounts> {
        self.statistics.read()
    }

    /// What statements take now.
    pub(crate) fn load(&self) -> SqlLoad {
        SqlLoad {
            statements: self.running.phases(),
            most_at_work: self.limits.running as u64,
            memory_bytes: self.memory.used() as u64,
            memory_limit_bytes: self.limits.memory_bytes as u64,
            spill_bytes: self.base.runtime_env().disk_manager.used_disk_space(),
            spill_limit_bytes: self.limits.spill_bytes,
        }
    }

    /// Memory for one more statement.
    pub(super) fn memory(&self) -> StatementMemory {
        StatementMemory::new(Arc::clone(&self.memory))
    }

    /// Runs work on the threads for SQL.
    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> SqlTask<T> {
        self.workers.spawn(work)
    }

    pub(super) fn workers(&self) -> &Workers {
        &self.workers
    }

    #[cfg(test)]
    pub(crate) fn listed_statements(&self) -> usize {
        self.running.count()
    }

    pub(super) fn base(&self) -> &SessionState {
        &self.base
    }
}

fn base(limits: &SqlLimits) -> Result<SessionState> {
    let mut config =
        SessionConfig::new().with_information_schema(true).with_default_catalog_and_schema(CATALOG, PUBLIC);
    // The zone of the table's times, so that now() compares with them as it is.
    config.options_mut().execution.time_zone = Some("UTC".to_owned());
    let spill = limits.spill_folder.clone();
    let spill = spill.map_or(DiskManagerMode::OsTmpDirectory, |folder| DiskManagerMode::Directories(vec![folder]));
    let disk = DiskManagerBuilder::default().with_mode(spill).with_max_temp_directory_size(limits.spill_bytes);
    let runtime = RuntimeEnvBuilder::new()
        .with_disk_manager_builder(disk)
        .build_arc()
        .map_err(|error| Error::Start(io::Error::other(error)))?;
    let physical_rules = PhysicalOptimizer::new().rules;
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        // Before DataFusion's own, which plan all that they are asked.
        .with_expr_planners(vec![Arc::new(UnlessEnded(())), Arc::new(Operators::new())])
        .with_type_planner(Arc::new(Types))
        .with_default_features()
        .with_analyzer_rules(analyzer_rules().into_iter().map(|rule| Arc::new(UnlessEnded(rule)) as _).collect())
        .with_optimizer_rules(optimizer_rules().into_iter().map(|rule| Arc::new(UnlessEnded(rule)) as _).collect())
        .with_physical_optimizer_rules(
            physical_rules.into_iter().map(|rule| Arc::new(UnlessEnded(rule)) as _).collect(),
        )
        .with_query_planner(totals_query_planner())
        .build();
    functions::register(&mut state).map_err(Error::Sql)?;
    Ok(state)
}

/// DataFusion's rules and some of ours: running totals answer as soon as filters have reached the table, and what is
/// computed is bounded.
fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    let filters = rules.iter().position(|rule| rule.name() == PushDownFilter::new().name());
    rules.insert(filters.map_or(rules.len(), |place| place + 1), Arc::new(AnswerFromTotals));
    rules.push(Arc::new(BoundedCalls));
    rules.push(Arc::new(Constants));
    rules
}

/// DataFusion's rules, which find the types of all parts, and some of ours.
fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let mut rules = Analyzer::new().rules;
    rules.insert(0, Arc::new(Correlation));
    rules.push(Arc::new(TextTimes));
    rules.push(Arc::new(Conversions));
    rules.push(Arc::new(BoundedCalls));
    rules
}
