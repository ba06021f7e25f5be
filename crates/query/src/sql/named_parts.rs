//! How large the parts of a statement become that have names, and are named.
//!
//! DataFusion plans a part `WITH name AS (…)` anew wherever it is named, and a few lines whose parts each name the one
//! before twice would be planned for ever. So their size is told before, from the text alone.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{ObjectName, Query, Visit, Visitor};

/// Refuses a statement one of whose queries names more than `most` tables, where parts with names count as the tables
/// that they name themselves.
pub(crate) fn check_named_parts(statement: &Statement, most: usize) -> Result<()> {
    let mut sizes = Sizes { most, scopes: vec![QueryTables::default()], parts: HashMap::new() };
    match tables(statement, &mut sizes) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => plan_err!("the statement names more than {most} tables, with those of its parts"),
    }
}

fn tables(statement: &Statement, sizes: &mut Sizes) -> ControlFlow<()> {
    match statement {
        Statement::Statement(statement) => statement.visit(sizes),
        Statement::Explain(explain) => tables(&explain.statement, sizes),
        _ => ControlFlow::Continue(()),
    }
}

struct Sizes {
    most: usize,
    /// The query under way and those around it, the outermost first.
    scopes: Vec<QueryTables>,
    /// Queries yet to come that have a name, by where they are.
    parts: HashMap<*const Query, String>,
}

#[derive(Default)]
struct QueryTables {
    /// The tables that it has named so far.
    tables: usize,
    /// The sizes of its parts.
    parts: HashMap<String, usize>,
}

impl Sizes {
    fn add(&mut self, tables: usize) -> ControlFlow<()> {
        let Some(scope) = self.scopes.last_mut() else { return ControlFlow::Continue(()) };
        scope.tables = scope.tables.saturating_add(tables);
        if scope.tables > self.most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Visitor for Sizes {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let named = query.with.iter().flat_map(|with| &with.cte_tables);
        self.parts.extend(named.map(|part| (&raw const *part.query, part.alias.name.value.to_lowercase())));
        self.scopes.push(QueryTables::default());
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = self.scopes.pop().map_or(0, |scope| scope.tables);
        match (self.parts.remove(&(&raw const *query)), self.scopes.last_mut()) {
            (Some(name), Some(scope)) => {
                scope.parts.insert(name, tables);
                ControlFlow::Continue(())
            }
            _ => self.add(tables),
        }
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let part = match name.0.as_slice() {
            [part] => part.as_ident().map(|part| part.value.to_lowercase()),
            _ => None,
        };
        let size = part.and_then(|part| self.scopes.iter().rev().find_map(|scope| scope.parts.get(&part).copied()));
        self.add(size.unwrap_or(1).max(1))
    }
}
