//! Questions about closed segments, answered by DataFusion.
//!
//! A [`ReportRequest`] is compiled to a logical plan of built-in functions. Its rows are put together as a [`Report`],
//! which writes itself as the JSON of the contract. In this crate, the contract is LivePerson's documentation of the
//! method *Messaging Skill Segment*. Analysts' SQL runs over the same table `segments`, and over `open_conversations`
//! beside it ([`SqlSession::run`]). `segments` is a snapshot of the store, in memory and in the archive, and only the
//! hours that a query can touch are read. Counts and sums are mostly not read at all, but looked up in running totals.
//!
//! The crate knows no sockets and no wire formats. Whose segments a question may see is its [`Scope`]. How an error is
//! told to a client is [`Error::kind`] and [`Error::public_text`].

mod engine;
mod error;
mod now;
mod parameters;
mod report;
mod scope;
mod slow;
mod sql;
mod table;
#[cfg(test)]
mod tests;
mod totals;

pub use engine::{Engine, ReportPlan};
pub use error::{Error, ErrorKind, Result};
pub use now::{NowRequest, QueueHealthRequest};
pub use report::{
    Breakdown, CellRequest, CellRow, CellRows, CountedSegment, CountedSegments, Interval, KnownAt, Metric, Metrics,
    Report, ReportParameters, ReportRequest, UserTypeFilter,
};
pub use scope::Scope;
pub use skillscope_store::Clock;
pub use sql::{
    ArrayItem, ArrayText, CatalogRows, Defined, DoorCounts, POSTGRESQL_VERSION, Schemas, SentText, SessionCatalog,
    Span, SqlDescription, SqlLimits, SqlLoad, SqlRows, SqlSession, SqlTask, StatementOutcome, StatementRunner,
    StatementTables, TableComments, Visible, begins_query, catalog_list, comments_on, definition_tag, is_definition,
    is_summary, object_list, rows_when_read, standard_view, table_name, time_of, with_select_first, write_double,
    write_single,
};
pub use table::{stored_segments, stored_segments_as_text, unarchived_segments};
