//! What is said of our tables and views, and of their columns. It stands beside the definition of each; here it is
//! brought together for those who tell of tables.

use std::sync::LazyLock;

use skillscope_segment::{column, schema};

use super::names::{OPEN_CONVERSATIONS, PUBLIC, SEGMENTS};
use super::views::View;
use super::{ACCOUNTS, FILES, PARTITIONS, QUERIES, SYSTEM, system};
use crate::table::open_comments;

const ON_SEGMENTS: &str = "Every closed segment, whether it is in memory or in the archive.";
const ON_OPEN_CONVERSATIONS: &str = "Every conversation that is open now, with the segment that it is in.";

/// The comments on a table or view of ours.
#[derive(Debug, Clone)]
pub struct TableComments {
    /// What it is.
    pub table: &'static str,
    columns: Vec<(String, &'static str)>,
}

impl TableComments {
    pub(super) fn new<N: Into<String>>(
        table: &'static str,
        columns: impl IntoIterator<Item = (N, &'static str)>,
    ) -> Self {
        Self { table, columns: columns.into_iter().map(|(name, comment)| (name.into(), comment)).collect() }
    }

    /// What a column is; `None` where it has no column of this name.
    pub fn column(&self, name: &str) -> Option<&'static str> {
        self.columns.iter().find(|(column, _)| column == name).map(|(_, comment)| *comment)
    }
}

/// The comments on a table or view; `None` where it is not ours.
pub fn comments_on(schema: &str, table: &str) -> Option<&'static TableComments> {
    static ALL: LazyLock<Vec<(&str, &str, TableComments)>> = LazyLock::new(|| {
        let views = View::all().iter().map(|view| (PUBLIC, view.name, view.comments()));
        let system = [
            (SYSTEM, ACCOUNTS, system::comments_on_accounts()),
            (SYSTEM, FILES, system::comments_on_files()),
            (SYSTEM, PARTITIONS, system::comments_on_partitions()),
            (SYSTEM, QUERIES, system::comments_on_queries()),
        ];
        let of_open = TableComments::new(ON_OPEN_CONVERSATIONS, open_comments());
        let tables = [(PUBLIC, SEGMENTS, of_segments()), (PUBLIC, OPEN_CONVERSATIONS, of_open)];
        tables.into_iter().chain(views).chain(system).collect()
    });
    let found = ALL.iter().find(|(of_schema, name, _)| (*of_schema, *name) == (schema, table));
    found.map(|(_, _, comments)| comments)
}

fn of_segments() -> TableComments {
    let schema = schema();
    let columns =
        schema.fields().iter().filter_map(|field| Some((field.name().as_str(), column::comment(field.name())?)));
    TableComments::new(ON_SEGMENTS, columns)
}
