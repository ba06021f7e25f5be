//! The vocabulary of skillscope: what a closed skill segment is, and how conversations become segments.
//!
//! A conversation passes through skills; each stay in a skill is a *skill segment*, and a segment that has ended is
//! *closed*. This crate holds the record of one closed segment ([`Segment`]), the rules of such a record
//! ([`Segment::validate`]), its Arrow form ([`schema()`], [`SegmentBatchBuilder`], [`SegmentRows`]), the readers that
//! turn NDJSON, JSON arrays, Arrow streams and Parquet into validated batches ([`read_segments`]), and a writer of the
//! same formats ([`SegmentWriter`]).
//!
//! A [`Segmenter`] follows conversations by their [`Event`]s ([`read_events`]) and emits each segment the moment it
//! closes. [`read_history`] reads the segments of conversations from an export of
//! message history, and in which state it leaves those that are open: [`Segmenter::adopt`] goes on from there.
//!
//! A [`SmallTable`] has other columns than segments do, such as the names of skills.
//!
//! This crate does not know where segments are stored, how they are counted, or who asks for them.

mod account;
mod batch;
mod error;
mod event;
mod instant;
mod json_value;
mod reader;
mod segment;
mod segmenter;
#[cfg(test)]
mod testing;
mod time_zone;
mod writer;

pub use account::AccountId;
pub use batch::{
    SegmentBatchBuilder, SegmentRows, TIME_ZONE, normalize_encoding, normalize_encoding_to, record_schema, schema,
    text_schema,
};
pub use error::{Error, Result};
pub use event::{AgentKind, ClosedBy, Event, EventBatch, EventKind, Sender, TransferReason};
pub use instant::{END_OF_TIME, format_instant, parse_instant};
pub use reader::parquet_file;
pub use reader::{
    Chunk, Compression, EventChunk, Format, Input, MAX_TABLE_BYTES, ReadOptions, Rejection, Rejections, SmallTable,
    TableFormat, ToldRecord, read_events, read_history, read_segments,
};
pub use segment::column_names as column;
pub use segment::{EndReason, Outcome, Segment, StartReason, UserType};
pub use segmenter::{
    Arrival, AskPast, AssignedAgent, ConversationChange, DeadLetter, FollowedConversation, Impossible, LastMessage,
    OpenSegment, PastConversation, Segmented, Segmenter, ToldConversation, Wait, WaitKind,
};
pub use time_zone::TimeZone;
pub use writer::SegmentWriter;
