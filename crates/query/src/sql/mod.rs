//! Analysts' SQL.
//!
//! ```text
//! session.rs  whose statement it is, over the tables of store_tables.rs
//!     │
//!     ▼
//! statement_runner.rs ─▶ statement.rs  checked and planned, over its tables ─▶ run/workers.rs  run apart
//!     │                                                                              │
//!     └──▶ run/running_queries.rs  listed, and ended on request      run/rows.rs  the answer ◀─┘
//! ```
//!
//! A statement runs on threads for SQL alone, in a memory of its own, within limits of time and number (`limits.rs`).
//! It sees one moment of the store. A statement that changes views goes to `definitions` instead. The
//! catalog is made for each statement from the scope of its session, so that nothing of another account has a name in it.

mod bounds;
mod catalog;
mod correlation;
mod definitions;
mod dialect;
mod functions;
mod limits;
mod load;
mod meaning;
mod parameters;
mod passing_plan;
mod run;
mod sent_text;
mod service;
mod session;
mod size;
mod statement;
mod statement_runner;
mod statement_tables;
mod store_tables;
mod subqueries;
mod surroundings;
mod times;
mod words;

pub use catalog::{
    CatalogRows, Schemas, SessionCatalog, TableComments, Visible, catalog_list, comments_on, rows_when_read,
    standard_view,
};
pub use definitions::{Defined, definition_tag, is_definition, table_name};
pub use dialect::{begins_query, is_summary, with_select_first};
pub use functions::{POSTGRESQL_VERSION, Span, write_double, write_single};
pub use limits::SqlLimits;
pub use load::SqlLoad;
pub use meaning::object_list;
pub use parameters::{ArrayItem, ArrayText};
pub use run::{DoorCounts, SqlRows, SqlTask, StatementOutcome};
pub use sent_text::SentText;
pub(crate) use service::SqlService;
pub use session::SqlSession;
pub use statement_runner::{SqlDescription, StatementRunner};
pub use statement_tables::StatementTables;
pub(crate) use store_tables::StoreTables;
pub use times::time_of;
