//! The size of a statement whose parts have names.
//!
//! DataFusion plans a part `WITH name AS (…)` anew wherever it is named. A few lines whose parts each name the part
//! before twice would be planned for ever. So the size of the plan is counted first, from the text alone.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;

use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{ObjectName, Query, Visit, Visitor};

/// Refuses a statement one of whose queries names more than `most` tables. A part that is named counts as all tables
/// that it names itself.
pub(super) fn check_named_parts(statement: &Statement, most: usize) -> Result<()> {
    let mut sizes = Sizes { most, queries: vec![OpenQuery::default()] };
    match visit(statement, &mut sizes) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => plan_err!("the statement names more than {most} tables, with those of its parts"),
    }
}

fn visit(statement: &Statement, sizes: &mut Sizes) -> ControlFlow<()> {
    match statement {
        Statement::Statement(statement) => statement.visit(sizes),
        Statement::Explain(explain) => visit(&explain.statement, sizes),
        _ => ControlFlow::Continue(()),
    }
}

struct Sizes {
    most: usize,
    /// The queries that the visit is inside of, the outermost first. The first one stands for the statement.
    queries: Vec<OpenQuery>,
}

/// A query that is being visited.
#[derive(Default)]
struct OpenQuery {
    /// Its name, where it is a part of the query around it.
    name: Option<String>,
    /// The names of its parts that have not been visited yet. The parts of a query are the first queries in it that are
    /// visited, in the order of the text, because the list of parts is the first member of [`Query`].
    parts_to_come: VecDeque<String>,
    /// The sizes of the parts that have been visited.
    parts: HashMap<String, usize>,
    /// The tables that it has named so far.
    tables: usize,
}

impl Sizes {
    fn add(&mut self, tables: usize) -> ControlFlow<()> {
        let Some(query) = self.queries.last_mut() else { return ControlFlow::Continue(()) };
        query.tables = query.tables.saturating_add(tables);
        if query.tables > self.most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Visitor for Sizes {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let name = self.queries.last_mut().and_then(|around| around.parts_to_come.pop_front());
        let parts = query.with.iter().flat_map(|with| &with.cte_tables);
        let parts_to_come = parts.map(|part| part.alias.name.value.to_lowercase()).collect();
        self.queries.push(OpenQuery { name, parts_to_come, ..OpenQuery::default() });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        let Some(visited) = self.queries.pop() else { return ControlFlow::Continue(()) };
        match (visited.name, self.queries.last_mut()) {
            (Some(name), Some(around)) => {
                around.parts.insert(name, visited.tables);
                ControlFlow::Continue(())
            }
            _ => self.add(visited.tables),
        }
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let part = match name.0.as_slice() {
            [part] => part.as_ident().map(|part| part.value.to_lowercase()),
            _ => None,
        };
        let size = part.and_then(|part| self.queries.iter().rev().find_map(|query| query.parts.get(&part).copied()));
        self.add(size.unwrap_or(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParser;

    use super::*;

    /// The number of tables of a statement that is refused for one less.
    fn size(text: &str) -> usize {
        let statement = DFParser::parse_sql(text).unwrap().pop_front().unwrap();
        (0..100).find(|most| check_named_parts(&statement, *most).is_ok()).unwrap()
    }

    #[test]
    fn a_part_counts_as_its_tables_wherever_it_is_named() {
        for (text, tables) in [
            ("select 1", 0),
            ("select * from a, b where exists (select * from c)", 3),
            ("with a as (select * from x, y) select * from z", 2),
            ("with a as (select * from x, y) select * from a, a as b", 4),
            ("with a as (select * from x, y), b as (select * from a, A) select * from b", 4),
            // The inner query of a part is no part, and its own parts are nobody else's.
            ("with a as (select * from (select * from x, y)), b as (select 1) select * from a, b", 3),
            ("with a as (with b as (select * from x, y) select * from b, b) select * from a, b", 5),
            ("explain with a as (select * from x, y) select * from a, a as b", 4),
        ] {
            assert_eq!(size(text), tables, "{text}");
        }
    }
}
