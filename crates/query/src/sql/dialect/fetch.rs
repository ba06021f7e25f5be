//! `FETCH FIRST n ROWS ONLY`, which is `LIMIT n`.

use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::sql::sqlparser::ast::{Expr, LimitClause, Query, Value};

/// Puts a limit in the place of a query's `FETCH`.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    let Some(fetch) = query.fetch.take() else { return Ok(()) };
    if fetch.with_ties {
        return plan_err!(
            "FETCH … WITH TIES is not supported; number the rows with rank() OVER (ORDER BY …) in a subquery, and keep \
             those whose rank is at most the number of rows wanted"
        );
    }
    if fetch.percent {
        return plan_err!("FETCH … PERCENT is not supported; write FETCH FIRST with a number of rows");
    }
    let rows = fetch.quantity.unwrap_or_else(one);
    match &mut query.limit_clause {
        None => {
            query.limit_clause = Some(LimitClause::LimitOffset { limit: Some(rows), offset: None, limit_by: vec![] })
        }
        Some(LimitClause::LimitOffset { limit: limit @ None, .. }) => *limit = Some(rows),
        Some(_) => return plan_err!("a query has LIMIT or FETCH, not both"),
    }
    Ok(())
}

/// `FETCH FIRST ROW ONLY` is one row.
fn one() -> Expr {
    Expr::Value(Value::Number("1".to_owned(), false).with_empty_span())
}
