//! The functions that go with PostgreSQL's catalog, a file a subject. To add one, add it to the list of its file.

mod call;
mod comments;
mod definitions;
mod names;
mod object_list;
mod privileges;
mod session;
mod settings;
mod sizes;
mod types;
mod visibility;

use std::sync::Arc;

use datafusion::catalog::TableFunctionImpl;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::array_bounds_udf::{
    create_array_lower_udf, create_array_upper_udf,
};
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::quote_ident_udf::create_parse_ident_udf;

use super::fixed;
use super::seen::Seen;
use super::session_values::SessionValues;
use call::{Call, CatalogFunction};
pub(super) use comments::comments;
pub(super) use names::{NAME_OF_OBJECT, NUMBER_OF_OBJECT};
pub(super) use object_list::OBJECT_LIST;
use object_list::ObjectList;

/// What functions need to know of the statement that calls them.
#[derive(Debug)]
pub(in crate::postgresql::catalog) struct Asked {
    pub(in crate::postgresql::catalog) seen: Seen,
    pub(in crate::postgresql::catalog) session: Arc<SessionValues>,
}

/// The functions, for a statement.
pub(super) fn all(asked: &Arc<Asked>) -> impl Iterator<Item = Arc<ScalarUDF>> {
    let lists: [&'static [CatalogFunction]; 9] = [
        comments::ALL,
        definitions::ALL,
        names::ALL,
        privileges::ALL,
        session::ALL,
        settings::ALL,
        sizes::ALL,
        types::ALL,
        visibility::ALL,
    ];
    let asked = Arc::clone(asked);
    lists.into_iter().flatten().flat_map(move |function| {
        let asked = Arc::clone(&asked);
        function.names.iter().map(move |name| Arc::new(ScalarUDF::from(Call::new(function, name, Arc::clone(&asked)))))
    })
}

/// Adds the functions that need to know of nothing.
pub(super) fn add_fixed(context: &SessionContext) {
    context.register_udf(ScalarUDF::from(ObjectList::new()));
    for function in [create_array_lower_udf(), create_array_upper_udf(), create_parse_ident_udf()] {
        context.register_udf(function);
    }
    if let Ok(keywords) = fixed::keywords() {
        context.register_udtf(fixed::KEYWORDS, keywords as Arc<dyn TableFunctionImpl>);
    }
}
