//! A rule for plans: a text in the place of a time is read as PostgreSQL reads it.

use arrow::datatypes::{DataType, TimeUnit};
use chrono::{Datelike, NaiveDate};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::analyzer::AnalyzerRule;

use super::reading::ReadTime;

/// Makes texts that are written where a time is needed constants of the time's type. It comes when the types of all
/// parts are known, so that a cast stands wherever a text becomes a time. DataFusion's casts know fewer ways to write
/// one.
#[derive(Debug)]
pub(in crate::sql) struct TextTimes;

impl AnalyzerRule for TextTimes {
    fn name(&self) -> &str {
        "text_times"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let in_plan = |node: LogicalPlan| {
            let names = NamePreserver::new(&node);
            let read = node.map_expressions(|expression| {
                let name = names.save(&expression);
                let read = expression.transform_up(read_texts)?;
                Ok(if read.transformed { read.update_data(|expression| name.restore(expression)) } else { read })
            })?;
            if read.transformed { read.map_data(LogicalPlan::recompute_schema) } else { Ok(read) }
        };
        plan.transform_up_with_subqueries(in_plan).map(|read| read.data)
    }
}

fn read_texts(expression: Expr) -> Result<Transformed<Expr>> {
    let (operand, data_type) = match &expression {
        Expr::Cast(cast) => (&cast.expr, cast.field.data_type()),
        Expr::TryCast(cast) => (&cast.expr, cast.field.data_type()),
        _ => return Ok(Transformed::no(expression)),
    };
    let value = match operand.as_ref() {
        Expr::Literal(text, _) => text.try_as_str().flatten().and_then(|text| time_of(text, data_type)),
        _ => None,
    };
    Ok(match value {
        Some(value) => Transformed::yes(Expr::Literal(value, None)),
        None => Transformed::no(expression),
    })
}

/// The time of a type that a text tells, as PostgreSQL reads it; `None` where it tells none, or the type has no such
/// time.
pub fn time_of(text: &str, data_type: &DataType) -> Option<ScalarValue> {
    let read = match data_type {
        DataType::Timestamp(..) | DataType::Date32 => ReadTime::read(text)?,
        _ => return None,
    };
    match data_type {
        DataType::Date32 => {
            let epoch = NaiveDate::default().num_days_from_ce();
            Some(ScalarValue::Date32(Some(read.wall.date().num_days_from_ce().checked_sub(epoch)?)))
        }
        DataType::Timestamp(unit, zone) => {
            // A time without a zone is what the clock shows, whatever zone the text tells.
            let instant = if zone.is_some() { read.instant(zone.as_deref())? } else { read.wall };
            let instant = instant.and_utc();
            let zone = zone.clone();
            Some(match unit {
                TimeUnit::Second => ScalarValue::TimestampSecond(Some(instant.timestamp()), zone),
                TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(Some(instant.timestamp_millis()), zone),
                TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(Some(instant.timestamp_micros()), zone),
                TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(Some(instant.timestamp_nanos_opt()?), zone),
            })
        }
        _ => None,
    }
}
