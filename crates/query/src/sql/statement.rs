//! A statement from its text to a plan: parsed, checked and bound to parameters.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::config::ConfigNonZeroUsize;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion, TreeNodeVisitor};
use datafusion::common::{ScalarValue, exec_err, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::parser::Statement as SqlStatement;
use datafusion::sql::sqlparser;
use futures::FutureExt;
use futures::executor::block_on;

use super::bounds::{ChargedMemory, adds_up, check_types, guarded, is_multiplying};
use super::dialect::{
    Written, read, renamed, rewrite, shown_names, shown_plan, summarize, summarized, with_all_columns,
};
use super::functions::{KILL_QUERY, open_arguments, with_values};
use super::meaning::{check_syntax, with_meaning};
use super::parameters::{self, Planned, read_arrays};
use super::run::StatementMemory;
use super::sent_text::SentText;
use super::size::{MaxSize, check_size};
use super::statement_tables::StatementTables;
use super::subqueries::with_right_conditions;
use super::surroundings::Surroundings;
use super::words::{check_words, check_words_everywhere};
use crate::Error;

/// The most levels of queries and expressions, as they are written. A chain of one operator is a level.
const MAX_LEVELS: usize = 200;

/// The most operators of a chain that are computed one after the other.
const MAX_LINKS: usize = 200;

/// The most levels of a plan or expression. Running one takes stack for each level.
const MAX_DEPTH: usize = MAX_LEVELS + MAX_LINKS;

/// The most steps of a plan, such as a scan, a filter or a join.
const MAX_NODES: usize = 5_000;

/// The most sets of keys by which a statement groups.
const MAX_GROUPING_SETS: usize = 1_024;

/// The most bytes of the names of all columns in a plan.
const MAX_NAMES: usize = 8 << 20;

/// The same for a plan that is to be shown: each step of planning adds its text once more.
const MAX_SHOWN_NAMES: usize = 1 << 20;

/// What a column of a batch takes for each row, more or less.
const COLUMN_BYTES: usize = 16;

/// The most bytes of a batch of wide rows, more or less.
const WIDE_BATCH_BYTES: usize = 256 << 20;

/// The rows that are computed at a time where functions make large values of small ones.
const ROWS_THAT_GROW: usize = 512;

/// So many mentions of a table that has many steps itself do not count towards [`MAX_NODES`].
const FREE_MENTIONS: usize = 20;

/// Stack for parsing and planning. Until the depth of a statement is known, it may be a tree of as many levels as it
/// has tokens. Only the part of the stack that is used becomes memory.
const PLANNING_STACK_BYTES: usize = 256 << 20;

/// Where less stack is left, a view is planned on one of its own.
const LEAST_STACK_BYTES: usize = 32 << 20;

/// A statement that only reads, over the tables of `state`.
pub(crate) struct Statement {
    state: SessionState,
    plan: LogicalPlan,
    /// The types of the parameters, `$1` first, as far as they are known.
    types: Vec<Option<DataType>>,
    values: Values,
    memory: Arc<dyn MemoryPool>,
}

impl Statement {
    /// Parses and checks `text`. This may take long and cannot be interrupted, so it must not run where other work
    /// waits.
    ///
    /// `told` has the types of parameters, `$1` first, as far as somebody tells them. What the statement computes, and
    /// what it runs in, counts in `memory`.
    pub(crate) fn parse(
        mut state: SessionState,
        tables: &dyn StatementTables,
        text: &str,
        told: &[Option<DataType>],
        memory: StatementMemory,
    ) -> Result<Self> {
        let memory: Arc<dyn MemoryPool> = Arc::new(memory);
        state.config_mut().options_mut().extensions.insert(ChargedMemory(Arc::clone(&memory)));
        let most_steps =
            MAX_NODES.saturating_add(tables.steps_of_table().saturating_sub(1).saturating_mul(FREE_MENTIONS));
        // The catalog is in memory: nothing is waited for.
        let Planned { plan, types } = stacker::grow(PLANNING_STACK_BYTES, || {
            check_words(text)?;
            let (has_our_meaning, only_reads) = (tables.has_our_meaning(), tables.only_reads());
            let planning = Planning { most_steps, has_our_meaning, only_reads, told };
            block_on(logical_plan(&state, planning, text))
        })?;
        let values = Values::of(&plan)?;
        let options = &mut state.config_mut().options_mut().execution;
        let rows = rows_at_a_time(&plan, text, values, options.batch_size.get())?;
        options.batch_size = ConfigNonZeroUsize::try_new(rows)?;
        // Calls are given these options, with the memory in them, only where they stand here as well.
        let options = Arc::clone(state.config_options());
        state.execution_props_mut().config_options = Some(options);
        Ok(Self { state, plan, types, values, memory })
    }

    /// The columns of its rows.
    pub(crate) fn schema(&self) -> SchemaRef {
        SentText::schema(&shown_names(self.plan.schema().inner()))
    }

    /// Its parameters in order, `$1` first, with their types as far as they are known.
    pub(crate) fn parameters(&self) -> Result<Vec<Option<DataType>>> {
        let number = |name: &String| name.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        let (mut numbers, mut names) = (Vec::new(), self.plan.get_parameter_names()?);
        names.extend(names_in_open_tables(&self.plan)?);
        for name in names {
            let Some(number) = number(&name) else {
                return plan_err!("parameters are numbered from $1 on, and {name} is not");
            };
            numbers.push(number);
        }
        let last = numbers.iter().copied().max().unwrap_or(0);
        let known = |number: usize| self.types.get(number - 1).cloned().flatten();
        if (1..=last).any(|number| !numbers.contains(&number) && known(number).is_none()) {
            return plan_err!("parameters are numbered from $1 on without gaps, and the last one is ${last}");
        }
        Ok((1..=last).map(known).collect())
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
        let plan = stacker::grow(PLANNING_STACK_BYTES, || {
            with_values(self.plan.with_param_values(values.clone())?, values, &self.state)
        })?;
        Ok(Self { plan, ..self })
    }

    /// Plans how the statement runs. Planning may read tables, so the calling thread may wait for the
    /// disk.
    pub(crate) fn physical(self, tables: &dyn StatementTables) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>)> {
        let Self { state, plan, types: _, values, memory } = self;
        let state = tables.outside(&plan)?.unwrap_or(state);
        let physical = stacker::grow(PLANNING_STACK_BYTES, || {
            let physical = block_on(state.create_physical_plan(&plan))?;
            renamed(guarded(physical, values != Values::AsTheyAre)?)
        })?;
        let shared = state.runtime_env().as_ref().clone();
        let runtime = RuntimeEnv { memory_pool: memory, ..shared };
        Ok((physical, Arc::new(TaskContext::from(&state).with_runtime(Arc::new(runtime)))))
    }
}

/// The parameters among the arguments of open tables.
fn names_in_open_tables(plan: &LogicalPlan) -> Result<HashSet<String>> {
    let mut names = HashSet::new();
    plan.apply_with_subqueries(|node| {
        for (argument, _) in open_arguments(node) {
            argument.apply(|part| {
                if let Expr::Placeholder(parameter) = part {
                    names.insert(parameter.id.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(names)
}

/// The plan of a view, for what is visible to it. Its text is bounded like that of a statement. Nothing is waited for.
pub(crate) fn plan_view(visible: &Surroundings, query: &str) -> Result<LogicalPlan> {
    let planned = stacker::maybe_grow(LEAST_STACK_BYTES, PLANNING_STACK_BYTES, || {
        check_words(query)?;
        let state = visible.state()?;
        let planning = Planning { most_steps: MAX_NODES, has_our_meaning: true, only_reads: false, told: &[] };
        // The statement that names the view is planned by an executor that no other may be started in.
        logical_plan(&state, planning, query)
            .now_or_never()
            .unwrap_or_else(|| exec_err!("a view cannot be planned without waiting for something"))
    })?;
    if !planned.types.is_empty() {
        return plan_err!("a view has no parameters");
    }
    let written = read(query)?.statement;
    if !matches!(written, SqlStatement::Statement(written) if matches!(*written, sqlparser::ast::Statement::Query(_))) {
        return plan_err!("a view is a query");
    }
    let mut names = HashSet::new();
    if let Some(twice) =
        shown_names(planned.plan.schema().inner()).fields().iter().find(|field| !names.insert(field.name().clone()))
    {
        return plan_err!(
            "column \"{}\" specified more than once; give one of them another name with AS",
            twice.name()
        );
    }
    shown_plan(planned.plan)
}

/// Runs `parse` on the text of a statement, if that is not too long, with stack for a level of each of its words.
pub(crate) fn parse_deep<T>(text: &str, parse: impl FnOnce(&str) -> T) -> Result<T> {
    stacker::grow(PLANNING_STACK_BYTES, || {
        check_words_everywhere(text)?;
        Ok(parse(text))
    })
}

/// How a statement is planned.
#[derive(Debug, Clone, Copy)]
struct Planning<'a> {
    most_steps: usize,
    /// Whether it has PostgreSQL's meaning where DataFusion has another.
    has_our_meaning: bool,
    /// Whether it may call no function that changes something.
    only_reads: bool,
    /// The types of the parameters, as far as somebody tells them.
    told: &'a [Option<DataType>],
}

async fn logical_plan(state: &SessionState, planning: Planning<'_>, text: &str) -> Result<Planned> {
    let Written { mut statement, is_summary } = read(text)?;
    if is_summary {
        // Which columns there are is known once the query is planned.
        let Some(query) = summarized(&statement) else { return plan_err!("only tables and queries can be summarized") };
        let query = sqlparser::ast::Statement::Query(Box::new(query.clone()));
        let planned = plan_written(state, planning, SqlStatement::Statement(Box::new(query))).await?;
        summarize(&mut statement, &shown_names(planned.plan.schema().inner()))?;
    }
    plan_written(state, planning, statement).await
}

/// Plans a statement that is written out, and checks that it is one which may be.
async fn plan_written(state: &SessionState, planning: Planning<'_>, mut statement: SqlStatement) -> Result<Planned> {
    let Planning { most_steps, has_our_meaning, only_reads, told } = planning;
    let (tables, levels, links) = (MAX_NODES, MAX_LEVELS, MAX_LINKS);
    let names = if matches!(statement, SqlStatement::Explain(_)) { MAX_SHOWN_NAMES } else { MAX_NAMES };
    let most = MaxSize { tables, levels, links, grouping_sets: MAX_GROUPING_SETS, names };
    check_size(&statement, most)?;
    check_syntax(&statement, |name| state.scalar_functions().contains_key(name))?;
    if has_our_meaning {
        with_meaning(&mut statement);
    }
    rewrite(&mut statement, state)?;
    check_size(&statement, most)?;
    let Planned { plan, types } = parameters::plan(state, statement, told).await?;
    let plan = with_all_columns(plan)?;
    check_steps(&plan, most_steps)?;
    let plan = with_right_conditions(plan, |part| check_steps(part, most_steps))?;
    check_steps(&plan, most_steps)?;
    check_types(&plan)?;
    let reading = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    if reading.verify_plan(&plan).is_err() || only_reads && changes(&plan)? {
        return Err(DataFusionError::External(Box::new(Error::ReadOnly)));
    }
    if depth(&plan)? > MAX_DEPTH {
        return plan_err!("the statement is nested more than {MAX_DEPTH} levels deep");
    }
    let plan = if has_our_meaning { read_arrays(plan)? } else { plan };
    Ok(Planned { plan, types })
}

/// A part that is named several times is planned several times, so that a few lines can become a plan larger than
/// memory.
fn check_steps(plan: &LogicalPlan, most: usize) -> Result<()> {
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

/// Whether a plan calls a function that changes something.
fn changes(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                found |= matches!(part, Expr::ScalarFunction(call) if call.func.name() == KILL_QUERY);
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(found)
}

/// How large the values may become that a plan makes of those of its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Values {
    AsTheyAre,
    AddedUp,
    Multiplied,
}

impl Values {
    fn of(plan: &LogicalPlan) -> Result<Self> {
        let mut values = Self::AsTheyAre;
        plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expression| {
                expression.apply(|part| {
                    values = values.max(Self::of_part(part));
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        })?;
        Ok(values)
    }

    fn of_part(part: &Expr) -> Self {
        const AGGREGATES: [&str; 2] = ["array_agg", "string_agg"];
        match part {
            Expr::ScalarFunction(call) if is_multiplying(call.func.name()) => Self::Multiplied,
            Expr::ScalarFunction(call) if adds_up(call.func.name()) => Self::AddedUp,
            Expr::AggregateFunction(call) if AGGREGATES.contains(&call.func.name()) => Self::Multiplied,
            Expr::WindowFunction(call) if AGGREGATES.contains(&call.fun.name()) => Self::Multiplied,
            Expr::BinaryExpr(binary) if binary.op == Operator::StringConcat => Self::AddedUp,
            _ => Self::AsTheyAre,
        }
    }
}

/// The rows that are computed at a time: fewer, where they may be wide. A row has the plan's columns in it, and may
/// have what stands in the text.
fn rows_at_a_time(plan: &LogicalPlan, text: &str, values: Values, most: usize) -> Result<usize> {
    let mut width = text.len().max(1);
    plan.apply_with_subqueries(|node| {
        width = width.max(node.schema().fields().len().saturating_mul(COLUMN_BYTES));
        Ok(TreeNodeRecursion::Continue)
    })?;
    let of_values = if values == Values::Multiplied { ROWS_THAT_GROW } else { most };
    Ok(most.min(WIDE_BATCH_BYTES / width).min(of_values).max(1))
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
