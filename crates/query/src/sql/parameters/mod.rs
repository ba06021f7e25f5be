//! The parameters of a statement: which types they have, and arrays that are written as text.

mod array_cast;
mod array_text;
mod declared;
mod inferred;
mod spans;
mod summed;

use arrow::datatypes::{DataType, IntervalUnit};
use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as SqlStatement;

pub(super) use array_cast::read_arrays;
pub use array_text::{ArrayItem, ArrayText};

/// A statement with parameters, planned.
pub(super) struct Planned {
    pub(super) plan: LogicalPlan,
    /// The types of the parameters, `$1` first, as far as somebody tells.
    pub(super) types: Vec<Option<DataType>>,
}

/// Plans a statement whose parameters have the types that are `told`, `$1` first. What is not told is inferred from
/// where a parameter stands, and is text where that tells nothing.
pub(super) async fn plan(state: &SessionState, statement: SqlStatement, told: &[Option<DataType>]) -> Result<Planned> {
    let most = declared::last_parameter(&statement);
    if most == 0 {
        let plan = state.statement_to_plan(statement).await?;
        return Ok(Planned { plan, types: told.to_vec() });
    }
    let mut types = told.to_vec();
    types.resize(most.max(told.len()), None);
    for number in spans::factors(&statement) {
        open(&mut types, number, DataType::Float64);
    }
    match with_types(state, &statement, types.clone()).await {
        Err(error) if types.iter().any(Option::is_none) => guessed(state, &statement, types).await.ok_or(error),
        planned => planned,
    }
}

async fn with_types(
    state: &SessionState,
    statement: &SqlStatement,
    mut types: Vec<Option<DataType>>,
) -> Result<Planned> {
    let first = declared::plan(state, statement, &types).await?;
    if types.iter().all(Option::is_some) {
        return Ok(Planned { plan: first, types });
    }
    inferred::by_engine(&first, &mut types)?;
    let by_place = inferred::by_place(&first, &mut types)?;
    if !by_place && types.iter().all(Option::is_some) {
        return Ok(Planned { plan: first, types });
    }
    let again = declared::plan(state, statement, &or_text(&types)).await;
    Ok(Planned { plan: again.unwrap_or(first), types })
}

/// Plans a statement that makes no sense while the types of parameters are open: as text, as PostgreSQL takes them, or
/// those that are summed as whole numbers, and those that are added to times as spans of time.
async fn guessed(state: &SessionState, statement: &SqlStatement, mut types: Vec<Option<DataType>>) -> Option<Planned> {
    let texts = or_text(&types);
    if let Ok(plan) = declared::plan(state, statement, &texts).await {
        return Some(Planned { plan, types: texts });
    }
    for number in summed::numbers(statement) {
        open(&mut types, number, DataType::Int64);
    }
    if let Ok(planned) = with_types(state, statement, types.clone()).await {
        return Some(planned);
    }
    for number in spans::added(statement) {
        open(&mut types, number, DataType::Interval(IntervalUnit::MonthDayNano));
    }
    with_types(state, statement, types).await.ok()
}

/// Gives a parameter a type if it has none.
fn open(types: &mut [Option<DataType>], number: usize, of: DataType) {
    if let Some(open @ None) = types.get_mut(number - 1) {
        *open = Some(of);
    }
}

fn or_text(types: &[Option<DataType>]) -> Vec<Option<DataType>> {
    types.iter().map(|known| Some(known.clone().unwrap_or(DataType::Utf8))).collect()
}
