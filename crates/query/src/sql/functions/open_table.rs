//! Tables that functions make of their arguments, which may be parameters. The columns depend on no argument, so that a
//! statement with parameters there is planned over an open table, which is made one of values as soon as there are any.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DFSchema, ParamValues, ScalarValue, plan_err};
use datafusion::datasource::{TableType, provider_as_source, source_as_provider};
use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_plan::ExecutionPlan;

use super::report_arguments::ReportFunction;

/// A function that makes a table of the values of its arguments.
pub(super) trait TableOfValues: fmt::Debug + Send + Sync {
    fn function(&self) -> &'static ReportFunction;

    /// The columns, whatever the values are.
    fn schema(&self) -> SchemaRef;

    fn table(&self, values: &[ScalarValue]) -> Result<Arc<dyn TableProvider>>;
}

/// A table function whose arguments may be parameters.
#[derive(Debug)]
pub(super) struct OpenFunction(pub(super) Arc<dyn TableOfValues>);

impl TableFunctionImpl for OpenFunction {
    fn call_with_args(&self, arguments: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let (function, arguments) = (self.0.function(), arguments.exprs());
        function.check_number(arguments.len())?;
        let is_open = |argument: &Expr| argument.exists(|part| Ok(matches!(part, Expr::Placeholder(_))));
        for argument in arguments {
            if is_open(argument)? {
                return Ok(Arc::new(OpenTable { of: Arc::clone(&self.0), arguments: arguments.to_vec() }));
            }
        }
        self.0.table(&function.values(arguments)?)
    }
}

/// The arguments of an open table, each with the type that a parameter has in its place; none for whatever else there is
/// in a plan.
pub(in crate::sql) fn open_arguments(node: &LogicalPlan) -> Vec<(Expr, DataType)> {
    let LogicalPlan::TableScan(scan) = node else { return Vec::new() };
    let Ok(table) = source_as_provider(&scan.source) else { return Vec::new() };
    let Some(open) = table.downcast_ref::<OpenTable>() else { return Vec::new() };
    open.arguments.iter().cloned().zip(open.of.function().types()).collect()
}

/// The same plan with values for the parameters of open tables, `$1` first.
///
/// # Errors
/// Those of the functions with these values.
pub(in crate::sql) fn with_values(
    plan: LogicalPlan,
    values: Vec<ScalarValue>,
    state: &SessionState,
) -> Result<LogicalPlan> {
    let values = ParamValues::from(values);
    let closed = |node: LogicalPlan| {
        let LogicalPlan::TableScan(scan) = &node else { return Ok(Transformed::no(node)) };
        let Ok(table) = source_as_provider(&scan.source) else { return Ok(Transformed::no(node)) };
        let Some(open) = table.downcast_ref::<OpenTable>() else { return Ok(Transformed::no(node)) };
        let source = provider_as_source(open.closed(&values, state)?);
        let scan = LogicalPlanBuilder::scan(scan.table_name.clone(), source, scan.projection.clone())?;
        Ok(Transformed::yes(scan.build()?))
    };
    plan.transform_up_with_subqueries(closed).data()
}

/// A table with parameters among the arguments of its function, of which there are no values yet.
#[derive(Debug)]
struct OpenTable {
    of: Arc<dyn TableOfValues>,
    arguments: Vec<Expr>,
}

impl OpenTable {
    fn closed(&self, values: &ParamValues, state: &SessionState) -> Result<Arc<dyn TableProvider>> {
        let context = SimplifyContext::builder()
            .with_config_options(Arc::clone(state.config_options()))
            .with_query_execution_start_time(state.execution_props().query_execution_start_time)
            .build();
        let (simplifier, no_columns) = (ExprSimplifier::new(context), DFSchema::empty());
        let closed = |argument: &Expr| {
            let with_values = argument.clone().transform_up(|part| match part {
                Expr::Placeholder(parameter) => {
                    let (value, metadata) = values.get_placeholders_with_values(&parameter.id)?.into_inner();
                    Ok(Transformed::yes(Expr::Literal(value, metadata)))
                }
                part => Ok(Transformed::no(part)),
            });
            simplifier.simplify(simplifier.coerce(with_values.data()?, &no_columns)?)
        };
        let arguments = self.arguments.iter().map(closed).collect::<Result<Vec<_>>>()?;
        self.of.table(&self.of.function().values(&arguments)?)
    }
}

#[async_trait]
impl TableProvider for OpenTable {
    fn schema(&self) -> SchemaRef {
        self.of.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan_err!("{}: a parameter has no value", self.of.function().name)
    }
}
