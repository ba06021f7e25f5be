//! Segments in Arrow: the schema of a batch, and what builds, reads and re-encodes one.

mod builder;
mod column;
mod encoding;
mod numbers;
mod rows;
mod schema;
mod texts;
mod times;

pub use builder::SegmentBatchBuilder;
pub(crate) use column::places;
pub use encoding::{normalize_encoding, normalize_encoding_to};
pub use rows::SegmentRows;
pub(crate) use schema::record_columns;
pub use schema::{TIME_ZONE, record_schema, schema, text_schema};
pub(crate) use texts::{EXTENSION, UUID};
