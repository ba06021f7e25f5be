//! Which tables of the catalog a statement reads.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Ident, ObjectName, ObjectNamePart, Query, Statement, TableFactor, Visit, VisitMut, Visitor, VisitorMut,
    visit_relations,
};

use super::super::relations::CatalogRelation;

/// The schemas that are the catalog.
const SCHEMAS: [&str; 2] = ["pg_catalog", "information_schema"];

/// Gives the tables of the catalog that stand without a schema theirs. A query of the statement may have such a name.
pub(super) fn qualify(statement: &mut Statement) {
    let mut named = Named::default();
    let _ = Visit::visit(statement, &mut named);
    let _ = VisitMut::visit(statement, &mut Qualifier(named.0));
}

/// The names that queries of a statement are given.
#[derive(Default)]
struct Named(HashSet<String>);

impl Visitor for Named {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.0.extend(tables.map(|table| table.alias.name.value.to_lowercase()));
        ControlFlow::Continue(())
    }
}

struct Qualifier(HashSet<String>);

impl VisitorMut for Qualifier {
    type Break = ();

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: None, .. } = table
            && let [ObjectNamePart::Identifier(only)] = name.0.as_slice()
        {
            let lower = only.value.to_lowercase();
            if CatalogRelation::named(&lower).is_some() && !self.0.contains(&lower) {
                *name = ObjectName::from(vec![Ident::new("pg_catalog"), Ident::new(lower)]);
            }
        }
        ControlFlow::Continue(())
    }
}

/// The schema and name of a table of the catalog.
pub(super) fn of_catalog(table: &ObjectName) -> Option<(String, String)> {
    let parts = table.0.iter().filter_map(ObjectNamePart::as_ident).map(|part| part.value.to_lowercase());
    match parts.collect::<Vec<_>>().as_slice() {
        [schema, name] | [_, schema, name] if SCHEMAS.contains(&schema.as_str()) => {
            Some((schema.clone(), name.clone()))
        }
        _ => None,
    }
}

/// Whether a statement reads the catalog.
pub(super) fn reads_catalog(statement: &Statement) -> bool {
    visit_relations(statement, |table| match of_catalog(table) {
        Some(_) => ControlFlow::Break(()),
        None => ControlFlow::Continue(()),
    })
    .is_break()
}

/// Whether a statement reads no table at all.
pub(super) fn reads_nothing(statement: &Statement) -> bool {
    !visit_relations(statement, |_| ControlFlow::Break(())).is_break()
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn tables_of_the_catalog_need_no_schema() {
        for (text, expected) in [
            ("SELECT relname FROM PG_CLASS", "SELECT relname FROM pg_catalog.pg_class"),
            ("SELECT x FROM pg_mine", "SELECT x FROM pg_mine"),
            (
                "WITH pg_class AS (SELECT 1 AS x) SELECT x FROM pg_class",
                "WITH pg_class AS (SELECT 1 AS x) SELECT x FROM pg_class",
            ),
        ] {
            assert_eq!(parse(text).unwrap()[0].to_string(), expected, "{text}");
        }
    }
}
