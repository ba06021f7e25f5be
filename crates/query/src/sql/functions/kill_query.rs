//! `kill_query`: ending a statement from another session.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use crate::Error;
use crate::sql::run::{RunningQueries, StatementReach};

/// The name of the function, which changes what other sessions get.
pub(in crate::sql) const KILL_QUERY: &str = "kill_query";

/// `kill_query(id)`: ends the statement that has this number in `system.queries`, and is true where there was one. A
/// session cannot end its own statements: a statement that ended itself would not tell which others it had ended.
pub(super) fn kill_query(running: Arc<RunningQueries>, reach: StatementReach) -> ScalarUDF {
    let kill = move |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        if reach.only_reads() {
            return Err(DataFusionError::External(Box::new(Error::ReadOnly)));
        }
        let [ids] = ColumnarValue::values_to_arrays(arguments)?
            .try_into()
            .map_err(|_| datafusion::common::plan_datafusion_err!("kill_query takes the id of one statement"))?;
        let kill = |id: Option<i64>| id.map(|id| running.kill(id, &reach));
        let killed: BooleanArray = ids.as_primitive::<Int64Type>().iter().map(kill).collect();
        Ok(ColumnarValue::Array(Arc::new(killed)))
    };
    create_udf(KILL_QUERY, vec![DataType::Int64], DataType::Boolean, Volatility::Volatile, Arc::new(kill))
}
