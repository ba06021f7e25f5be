//! Types that have another name in DataFusion.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{DataType as SqlType, ExactNumberInfo};

/// `float` is `double precision`, and `float(n)` the smallest type that has `n` binary digits.
#[derive(Debug)]
pub(in crate::sql) struct Types;

impl TypePlanner for Types {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        let SqlType::Float(digits) = sql_type else { return Ok(None) };
        let data_type = match digits {
            ExactNumberInfo::None => DataType::Float64,
            ExactNumberInfo::Precision(1..=24) => DataType::Float32,
            ExactNumberInfo::Precision(25..=53) => DataType::Float64,
            _ => {
                return plan_err!(
                    "{sql_type}: float has 1 to 53 binary digits; write float, or numeric for decimal ones"
                );
            }
        };
        Ok(Some(Arc::new(Field::new("", data_type, true))))
    }
}
