//! PostgreSQL's meaning for what DataFusion refuses or reads otherwise, and what analysts know from DuckDB: words are put
//! in order before they are parsed, and the syntax tree is rewritten before it is planned.
//!
//! ```text
//! text ─▶ beginning.rs     where statements and queries begin
//!         from_first.rs    a query that begins with FROM is one that begins with SELECT
//!         summary.rs       SUMMARIZE is a query over another one, once the columns of that are known
//!    └─▶ reading.rs ─▶ fetch.rs         FETCH FIRST is LIMIT
//!                      order_by_all.rs  ORDER BY ALL is by every column of the answer
//!                      like.rs          LIKE … ESCAPE is LIKE with backslashes
//!                      chains.rs        long chains of OR, AND, UNION and the like are trees of few levels
//!                      values.rs        (select 1) is 1
//!                      named_arguments.rs  f(timeframe => 60) is f(60)
//!                      names.rs         columns of one name have names of their own while they are planned
//!                      casts.rs         casts of one value differ in their names
//! ```
//!
//! What is written here is DataFusion's own dialect, so that it also runs on a cluster.

mod beginning;
mod casts;
mod chains;
mod fetch;
mod from_first;
mod like;
mod named_arguments;
mod names;
mod order_by_all;
mod reading;
mod summary;
mod values;

use std::ops::ControlFlow;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::session_state::SessionState;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Expr, Query, SetExpr, TableFactor, VisitMut, VisitorMut};

pub(super) use beginning::first_word;
pub use beginning::{begins_query, is_summary};
pub(super) use chains::is_associative;
pub use from_first::with_select_first;
pub(super) use names::{renamed, shown_names, shown_plan};
pub(super) use order_by_all::with_all_columns;
pub(super) use reading::{Written, read, read_words, words};
pub(super) use summary::{summarize, summarized};
pub(super) use values::value_of;

/// Rewrites a statement, which must not be too deep to be walked through.
pub(super) fn rewrite(statement: &mut Statement, state: &SessionState) -> Result<()> {
    match statement {
        Statement::Statement(statement) => {
            match VisitMut::visit(statement.as_mut(), &mut Rewriter { state, queries: 0 }) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(error) => Err(error),
            }
        }
        Statement::Explain(explain) => rewrite(&mut explain.statement, state),
        _ => Ok(()),
    }
}

struct Rewriter<'s> {
    state: &'s SessionState,
    /// The queries that the visit is inside of.
    queries: usize,
}

impl Rewriter<'_> {
    fn rewrite_query(&self, query: &mut Query) -> Result<()> {
        fetch::rewrite(query)?;
        order_by_all::rewrite(query);
        let is_inner = self.queries > 1;
        match query.body.as_mut() {
            SetExpr::Select(select) => {
                casts::rewrite(select, query.order_by.as_mut(), self.state);
                names::rewrite(select, query.order_by.as_mut(), is_inner);
            }
            body => self.rewrite_branches(body, is_inner),
        }
        Ok(())
    }

    /// The queries that a set operation combines; those in parentheses have been visited.
    fn rewrite_branches(&self, body: &mut SetExpr, is_inner: bool) {
        match body {
            SetExpr::Select(select) => {
                casts::rewrite(select, None, self.state);
                names::rewrite(select, None, is_inner);
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.rewrite_branches(left, is_inner);
                self.rewrite_branches(right, is_inner);
            }
            _ => {}
        }
    }
}

impl VisitorMut for Rewriter<'_> {
    type Break = DataFusionError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<DataFusionError> {
        self.queries += 1;
        chains::balance_unions(&mut query.body);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<DataFusionError> {
        let rewritten = self.rewrite_query(query);
        self.queries -= 1;
        rewritten.map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<DataFusionError> {
        named_arguments::rewrite(table).map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<DataFusionError> {
        chains::balance_operators(expression);
        values::rewrite(expression);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<DataFusionError> {
        like::rewrite(expression).map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }
}
