use std::marker::PhantomData;
use std::sync::Arc;

use chrono::DateTime;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion, TreeNodeVisitor};
use datafusion::common::{plan_datafusion_err, plan_err};
use datafusion::dataframe::DataFrame;
use datafusion::error::Result;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use futures::executor::block_on;

use crate::files_table::FilesTable;
use crate::table::SegmentsTable;
use crate::totals::{AnswerFromTotals, totals_query_planner};

/// An analyst's statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlQuery {
    /// The statement, in DataFusion's dialect.
    pub text: String,
    /// The only account whose rows can be seen; `None` for all.
    pub account: Option<String>,
}

const CATALOG: &str = "skillscope";

/// The longest statement, in words, numbers and signs.
const MAX_TOKENS: usize = 10_000;

/// The deepest plan or expression. Running one takes stack for each level.
const MAX_DEPTH: usize = 200;

/// Stack for parsing and planning: a statement may be a tree of as many levels as it has tokens, until its depth is
/// known. Only what is used of it becomes memory.
const PLANNING_STACK_BYTES: usize = 256 << 20;

/// Plans a statement that only reads. Each statement has a session of its own, whose `now()` is `now`.
pub(crate) fn plan(
    text: &str,
    now: i64,
    segments: SegmentsTable,
    files: FilesTable,
    runtime: Arc<RuntimeEnv>,
) -> Result<DataFrame> {
    check_length(text)?;
    let mut config =
        SessionConfig::new().with_information_schema(true).with_default_catalog_and_schema(CATALOG, "public");
    // The zone of the table's times, so that now() compares with them as it is.
    config.options_mut().execution.time_zone = Some("UTC".to_owned());
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_optimizer_rules(optimizer_rules())
        .with_query_planner(totals_query_planner())
        .build();
    let session = SessionContext::new_with_state(state);
    session.register_table("segments", Arc::new(segments))?;
    register_system_tables(&session, files)?;

    let mut state = session.state();
    state.execution_props_mut().query_execution_start_time = DateTime::from_timestamp_millis(now);
    // The catalog is in memory: nothing is waited for.
    let plan = stacker::grow(PLANNING_STACK_BYTES, || block_on(logical_plan(&state, text)))?;
    Ok(DataFrame::new(state, plan))
}

/// DataFusion's rules, and the one for running totals where filters have reached the table.
fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    let filters = rules.iter().position(|rule| rule.name() == PushDownFilter::new().name());
    rules.insert(filters.map_or(rules.len(), |place| place + 1), Arc::new(AnswerFromTotals));
    rules
}

/// The tables of the schema `system`, beside the schema of `segments`.
fn register_system_tables(session: &SessionContext, files: FilesTable) -> Result<()> {
    let system = MemorySchemaProvider::new();
    system.register_table("files".to_owned(), Arc::new(files))?;
    if let Some(catalog) = session.catalog(CATALOG) {
        catalog.register_schema("system", Arc::new(system))?;
    }
    Ok(())
}

fn check_length(text: &str) -> Result<()> {
    let tokens =
        Tokenizer::new(&GenericDialect {}, text).tokenize().map_err(|error| plan_datafusion_err!("{error}"))?;
    let count = tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).count();
    if count > MAX_TOKENS {
        return plan_err!("the statement has {count} words and signs; at most {MAX_TOKENS} are taken");
    }
    Ok(())
}

async fn logical_plan(state: &SessionState, text: &str) -> Result<LogicalPlan> {
    let plan = state.create_logical_plan(text).await?;
    let reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    if reading.verify_plan(&plan).is_err() {
        return plan_err!("only statements that read are allowed here");
    }
    if depth(&plan)? > MAX_DEPTH {
        return plan_err!("the statement is nested more than {MAX_DEPTH} levels deep");
    }
    Ok(plan)
}

/// The number of levels of a plan, or of the deepest expression in it.
fn depth(plan: &LogicalPlan) -> Result<usize> {
    let mut plans = Depth::default();
    plan.visit_with_subqueries(&mut plans)?;
    let mut deepest = plans.deepest;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            let mut levels = Depth::default();
            expression.visit(&mut levels)?;
            deepest = deepest.max(levels.deepest);
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(deepest)
}

struct Depth<N> {
    current: usize,
    deepest: usize,
    nodes: PhantomData<N>,
}

impl<N> Default for Depth<N> {
    fn default() -> Self {
        Self { current: 0, deepest: 0, nodes: PhantomData }
    }
}

impl<'n, N: TreeNode> TreeNodeVisitor<'n> for Depth<N> {
    type Node = N;

    fn f_down(&mut self, _node: &'n N) -> Result<TreeNodeRecursion> {
        self.current += 1;
        self.deepest = self.deepest.max(self.current);
        Ok(TreeNodeRecursion::Continue)
    }

    fn f_up(&mut self, _node: &'n N) -> Result<TreeNodeRecursion> {
        self.current -= 1;
        Ok(TreeNodeRecursion::Continue)
    }
}
