//! A statement from its text to a plan: parsed, checked and bound to parameters.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion, TreeNodeVisitor};
use datafusion::common::{ScalarValue, plan_datafusion_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use futures::executor::block_on;

use super::named_parts::check_named_parts;
use super::run::StatementMemory;
use super::statement_tables::StatementTables;
use crate::Error;

/// The most words, numbers and signs of a statement.
const MAX_TOKENS: usize = 10_000;

/// The most levels of a plan or expression. Running one takes stack for each level.
const MAX_DEPTH: usize = 200;

/// The most steps of a plan, such as a scan, a filter or a join.
const MAX_NODES: usize = 5_000;

/// So many mentions of a table that has many steps itself do not count towards [`MAX_NODES`].
const FREE_MENTIONS: usize = 20;

/// Stack for parsing and planning. Until the depth of a statement is known, it may be a tree of as many levels as it
/// has tokens. Only the part of the stack that is used becomes memory.
const PLANNING_STACK_BYTES: usize = 256 << 20;

/// A statement that only reads, over the tables of `state`.
pub(crate) struct Statement {
    state: SessionState,
    plan: LogicalPlan,
}

impl Statement {
    /// Parses and checks `text`. This may take long and cannot be interrupted, so it must not run where other work
    /// waits.
    ///
    /// `steps_of_table` is that of its [`StatementTables`].
    pub(crate) fn parse(state: SessionState, steps_of_table: usize, text: &str) -> Result<Self> {
        check_length(text)?;
        let most_steps = MAX_NODES.saturating_add(steps_of_table.saturating_sub(1).saturating_mul(FREE_MENTIONS));
        // The catalog is in memory: nothing is waited for.
        let plan = stacker::grow(PLANNING_STACK_BYTES, || block_on(logical_plan(&state, most_steps, text)))?;
        Ok(Self { state, plan })
    }

    /// The columns of its rows.
    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(self.plan.schema().inner())
    }

    /// Its parameters in order, `$1` first, with their types as far as the statement tells.
    pub(crate) fn parameters(&self) -> Result<Vec<Option<DataType>>> {
        let types = self.plan.get_parameter_types()?;
        let number = |name: &String| name.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        let mut numbered = Vec::with_capacity(types.len());
        for (name, data_type) in types {
            let Some(number) = number(&name) else {
                return plan_err!("parameters are numbered from $1 on, and {name} is not");
            };
            numbered.push((number, data_type));
        }
        numbered.sort_by_key(|(number, _)| *number);
        match numbered.last() {
            Some((last, _)) if *last != numbered.len() => {
                plan_err!("parameters are numbered from $1 on without gaps, and the last one is ${last}")
            }
            _ => Ok(numbered.into_iter().map(|(_, data_type)| data_type).collect()),
        }
    }

    /// Puts values in the places of the parameters.
    pub(crate) fn bind(self, values: Vec<ScalarValue>) -> Result<Self> {
        let expected = self.parameters()?.len();
        if expected != values.len() {
            return plan_err!("the statement has {expected} parameters, and {} values were given", values.len());
        }
        if expected == 0 {
            return Ok(self);
        }
        let plan = stacker::grow(PLANNING_STACK_BYTES, || self.plan.with_param_values(values))?;
        Ok(Self { state: self.state, plan })
    }

    /// Plans the statement to run in this memory. Planning may read tables, so the calling thread may wait for the
    /// disk.
    pub(crate) fn physical(
        self,
        tables: &dyn StatementTables,
        memory: StatementMemory,
    ) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>)> {
        let state = tables.outside(&self.plan)?.unwrap_or(self.state);
        let plan = stacker::grow(PLANNING_STACK_BYTES, || block_on(state.create_physical_plan(&self.plan)))?;
        let shared = state.runtime_env().as_ref().clone();
        let runtime = RuntimeEnv { memory_pool: Arc::new(memory), ..shared };
        Ok((plan, Arc::new(TaskContext::from(&state).with_runtime(Arc::new(runtime)))))
    }
}

/// Runs `parse` on the text of a statement, if that is not too long, with stack for a level of each of its words.
pub(crate) fn parse_deep<T>(text: &str, parse: impl FnOnce(&str) -> T) -> Result<T> {
    check_length(text)?;
    Ok(stacker::grow(PLANNING_STACK_BYTES, || parse(text)))
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

async fn logical_plan(state: &SessionState, most_steps: usize, text: &str) -> Result<LogicalPlan> {
    let statement = state.sql_to_statement(text, &state.config().options().sql_parser.dialect)?;
    check_named_parts(&statement, MAX_NODES)?;
    let plan = state.statement_to_plan(statement).await?;
    check_size(&plan, most_steps)?;
    let reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    if reading.verify_plan(&plan).is_err() {
        return Err(DataFusionError::External(Box::new(Error::ReadOnly)));
    }
    if depth(&plan)? > MAX_DEPTH {
        return plan_err!("the statement is nested more than {MAX_DEPTH} levels deep");
    }
    Ok(plan)
}

/// A part that is named several times is planned several times, so that a few lines can become a plan larger than
/// memory.
fn check_size(plan: &LogicalPlan, most: usize) -> Result<()> {
    let mut nodes = 0;
    plan.apply_with_subqueries(|_| {
        nodes += 1;
        Ok(if nodes > most { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if nodes > most {
        return plan_err!("the statement has a plan of more than {most} steps");
    }
    Ok(())
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
