//! `pg_cursors`: the cursors of the connection that asks, as PostgreSQL lists them.

use std::ops::ControlFlow;
use std::sync::{Arc, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::catalog::{MemTable, TableFunctionImpl, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::{
    Ident, ObjectName, Statement, TableAlias, TableFactor, TableFunctionArgs, VisitMut, VisitorMut,
};

use super::{About, Cursors};

/// The name of the view.
const VIEW: &str = "pg_cursors";

/// The name of the function whose rows it has.
pub(in crate::postgresql) const FUNCTION: &str = "pg_cursor";

/// The function that gives the cursors of a connection.
#[derive(Debug)]
pub(in crate::postgresql) struct CursorTable(Weak<Cursors>);

impl CursorTable {
    /// The function keeps no cursor: it belongs to a session, which a cursor keeps.
    pub(in crate::postgresql) fn of(cursors: &Arc<Cursors>) -> Self {
        Self(Arc::downgrade(cursors))
    }
}

impl TableFunctionImpl for CursorTable {
    fn call(&self, _arguments: &[Expr]) -> Result<Arc<dyn TableProvider>> {
        let all = self.0.upgrade().map(|cursors| cursors.all()).unwrap_or_default();
        let rows = rows(&all)?;
        Ok(Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]])?))
    }
}

fn rows(all: &[About]) -> Result<RecordBatch> {
    let texts = |of: fn(&About) -> &str| -> ArrayRef {
        Arc::new(all.iter().map(|about| Some(of(about).to_owned())).collect::<StringArray>())
    };
    let words = |of: fn(&About) -> bool| -> ArrayRef {
        Arc::new(all.iter().map(|about| Some(of(about))).collect::<BooleanArray>())
    };
    let made = all.iter().map(|about| Some(microseconds(about.made))).collect::<TimestampMicrosecondArray>();
    Ok(RecordBatch::try_from_iter([
        ("name", texts(|about| &about.declaration.name)),
        ("statement", texts(|about| &about.declaration.text)),
        ("is_holdable", words(|about| about.declaration.is_held)),
        ("is_binary", words(|about| about.declaration.is_binary)),
        ("is_scrollable", words(|about| about.declaration.is_scrollable)),
        ("creation_time", Arc::new(made.with_timezone("UTC"))),
    ])?)
}

fn microseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Lets a statement that reads the view call the function.
pub(in crate::postgresql) fn read_cursors(mut statement: Statement) -> Statement {
    let _ = VisitMut::visit(&mut statement, &mut Reading);
    statement
}

struct Reading;

impl VisitorMut for Reading {
    type Break = ();

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name, alias, args: args @ None, .. } = table else { return ControlFlow::Continue(()) };
        let parts: Vec<&str> =
            name.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.as_str()).collect();
        if matches!(parts.as_slice(), [VIEW] | ["pg_catalog", VIEW]) {
            *name = ObjectName::from(vec![Ident::new(FUNCTION)]);
            *args = Some(TableFunctionArgs { args: Vec::new(), settings: None });
            let as_view = || TableAlias { explicit: true, name: Ident::new(VIEW), columns: Vec::new(), at: None };
            alias.get_or_insert_with(as_view);
        }
        ControlFlow::Continue(())
    }
}
