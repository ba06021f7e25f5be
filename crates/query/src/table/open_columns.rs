//! The columns of the table `open_conversations`, each told once: its name, what it is, and how a row has it.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BooleanBuilder, Int64Builder, RecordBatch, RecordBatchOptions, StringBuilder, StringViewBuilder,
    TimestampMillisecondBuilder, UInt32Builder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::error::Result;
use skillscope_segment::{OpenSegment, TIME_ZONE, column, text_schema};

/// The bytes of text at which rows are handed on, however few there are: identifiers may be long.
const PIECE_BYTES: usize = 4 << 20;

/// An open conversation, as a row of the table.
pub(super) struct OpenRow<'c> {
    pub(super) account_id: &'c str,
    pub(super) conversation_id: &'c str,
    pub(super) segment: OpenSegment<'c>,
}

impl OpenRow<'_> {
    fn text_bytes(&self) -> usize {
        let agent = self.segment.agent.as_ref().map_or(0, |agent| agent.agent_id.len());
        self.conversation_id.len().saturating_add(agent).saturating_add(self.segment.source.map_or(0, str::len))
    }
}

/// How the rows have a column. Types are those that `segments` shows in SQL.
#[derive(Debug, Clone, Copy)]
enum Cells {
    /// Texts of which there are few.
    Words(for<'r> fn(&'r OpenRow<'_>) -> Option<&'r str>),
    Texts(for<'r> fn(&'r OpenRow<'_>) -> Option<&'r str>),
    /// In milliseconds since the epoch.
    Times(fn(&OpenRow<'_>) -> Option<i64>),
    Counts(fn(&OpenRow<'_>) -> u32),
    Numbers(fn(&OpenRow<'_>) -> i64),
    Flags(fn(&OpenRow<'_>) -> bool),
}

/// A column of the table.
#[derive(Debug)]
struct OpenColumn {
    name: &'static str,
    comment: &'static str,
    is_nullable: bool,
    cells: Cells,
}

impl OpenColumn {
    /// A column that means what the one of the same name means in `segments`.
    fn of_segments(name: &'static str, cells: Cells) -> Self {
        let is_nullable = text_schema().field_with_name(name).is_ok_and(Field::is_nullable);
        Self { name, comment: column::comment(name).unwrap_or_default(), is_nullable, cells }
    }

    fn optional(name: &'static str, comment: &'static str, cells: Cells) -> Self {
        Self { name, comment, is_nullable: true, cells }
    }

    fn required(name: &'static str, comment: &'static str, cells: Cells) -> Self {
        Self { name, comment, is_nullable: false, cells }
    }

    /// All of them, in their order.
    fn all() -> &'static [Self] {
        static ALL: LazyLock<[OpenColumn; 17]> = LazyLock::new(|| {
            [
                OpenColumn::of_segments(column::ACCOUNT_ID, Cells::Words(|row| Some(row.account_id))),
                OpenColumn::of_segments(column::CONVERSATION_ID, Cells::Texts(|row| Some(row.conversation_id))),
                OpenColumn::of_segments(column::SEGMENT_INDEX, Cells::Counts(|row| row.segment.segment_index)),
                OpenColumn::of_segments(column::SKILL_ID, Cells::Numbers(|row| row.segment.skill_id)),
                OpenColumn::of_segments(column::START_TIME, Cells::Times(|row| Some(row.segment.start_time))),
                OpenColumn::of_segments(
                    column::START_REASON,
                    Cells::Words(|row| Some(row.segment.start_reason.as_str())),
                ),
                OpenColumn::optional(
                    "waiting_since",
                    "When it began to wait for an agent; null while one is assigned.",
                    Cells::Times(|row| row.segment.wait.as_ref().map(|wait| wait.since)),
                ),
                OpenColumn::optional(
                    "agent_id",
                    "The agent who is assigned now; null while it waits.",
                    Cells::Texts(|row| row.segment.agent.as_ref().map(|agent| agent.agent_id)),
                ),
                OpenColumn::optional(
                    column::USER_TYPE,
                    "What the agent is who is assigned now: bot or human; null while it waits.",
                    Cells::Words(|row| row.segment.agent.as_ref()?.kind.map(|kind| kind.as_str())),
                ),
                OpenColumn::optional(
                    "assigned_time",
                    "When the agent was assigned who is assigned now; null while it waits.",
                    Cells::Times(|row| row.segment.agent.as_ref().map(|agent| agent.since)),
                ),
                OpenColumn::of_segments(
                    column::FIRST_AGENT_MESSAGE_TIME,
                    Cells::Times(|row| row.segment.first_agent_message_time),
                ),
                OpenColumn::of_segments(column::AGENT_MESSAGES, Cells::Counts(|row| row.segment.agent_messages)),
                OpenColumn::of_segments(column::CONSUMER_MESSAGES, Cells::Counts(|row| row.segment.consumer_messages)),
                OpenColumn::optional(
                    "last_message_time",
                    "The last message by the consumer or an assigned agent in the segment; null without one.",
                    Cells::Times(|row| row.segment.last_message.as_ref().map(|message| message.time)),
                ),
                OpenColumn::optional(
                    "last_message_by",
                    "Who wrote that message: consumer or agent; null without one.",
                    Cells::Words(|row| row.segment.last_message.as_ref().map(|message| message.by.as_str())),
                ),
                OpenColumn::required(
                    "is_resumed",
                    "Whether the conversation was closed before, and resumed.",
                    Cells::Flags(|row| row.segment.is_resumed),
                ),
                OpenColumn::of_segments(column::SOURCE, Cells::Words(|row| row.segment.source)),
            ]
        });
        ALL.as_slice()
    }
}

/// The columns of the table.
pub(super) fn open_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let field = |column: &OpenColumn| Field::new(column.name, column.cells.data_type(), column.is_nullable);
        Arc::new(Schema::new(OpenColumn::all().iter().map(field).collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

/// The columns of the table `open_conversations`, in their order, and what each is.
pub(crate) fn open_comments() -> impl Iterator<Item = (&'static str, &'static str)> {
    OpenColumn::all().iter().map(|column| (column.name, column.comment))
}

impl Cells {
    fn data_type(self) -> DataType {
        match self {
            Self::Words(_) => DataType::Utf8View,
            Self::Texts(_) => DataType::Utf8,
            Self::Times(_) => DataType::Timestamp(TimeUnit::Millisecond, Some(TIME_ZONE.into())),
            Self::Counts(_) => DataType::UInt32,
            Self::Numbers(_) => DataType::Int64,
            Self::Flags(_) => DataType::Boolean,
        }
    }

    fn begin(self) -> Building {
        match self {
            Self::Words(of) => Building::Words(of, StringViewBuilder::new().with_deduplicate_strings()),
            Self::Texts(of) => Building::Texts(of, StringBuilder::new()),
            Self::Times(of) => Building::Times(of, TimestampMillisecondBuilder::new().with_timezone(TIME_ZONE)),
            Self::Counts(of) => Building::Counts(of, UInt32Builder::new()),
            Self::Numbers(of) => Building::Numbers(of, Int64Builder::new()),
            Self::Flags(of) => Building::Flags(of, BooleanBuilder::new()),
        }
    }
}

/// A column under way.
enum Building {
    Words(for<'r> fn(&'r OpenRow<'_>) -> Option<&'r str>, StringViewBuilder),
    Texts(for<'r> fn(&'r OpenRow<'_>) -> Option<&'r str>, StringBuilder),
    Times(fn(&OpenRow<'_>) -> Option<i64>, TimestampMillisecondBuilder),
    Counts(fn(&OpenRow<'_>) -> u32, UInt32Builder),
    Numbers(fn(&OpenRow<'_>) -> i64, Int64Builder),
    Flags(fn(&OpenRow<'_>) -> bool, BooleanBuilder),
}

impl Building {
    fn push(&mut self, row: &OpenRow<'_>) {
        match self {
            Self::Words(of, words) => words.append_option(of(row)),
            Self::Texts(of, texts) => texts.append_option(of(row)),
            Self::Times(of, times) => times.append_option(of(row)),
            Self::Counts(of, counts) => counts.append_value(of(row)),
            Self::Numbers(of, numbers) => numbers.append_value(of(row)),
            Self::Flags(of, flags) => flags.append_value(of(row)),
        }
    }

    /// The column so far. The next rows begin another.
    fn take(&mut self) -> ArrayRef {
        match self {
            Self::Words(_, words) => Arc::new(words.finish()),
            Self::Texts(_, texts) => Arc::new(texts.finish()),
            Self::Times(_, times) => Arc::new(times.finish()),
            Self::Counts(_, counts) => Arc::new(counts.finish()),
            Self::Numbers(_, numbers) => Arc::new(numbers.finish()),
            Self::Flags(_, flags) => Arc::new(flags.finish()),
        }
    }
}

/// Rows under way, with those columns alone that are wanted.
pub(super) struct OpenRows {
    schema: SchemaRef,
    columns: Vec<Building>,
    rows: usize,
    most_rows: usize,
    bytes: usize,
}

impl OpenRows {
    /// Rows with the columns at these places of [`open_schema`], in this order, to be handed on when they are
    /// `most_rows`.
    pub(super) fn new(places: &[usize], most_rows: usize) -> Result<Self> {
        let schema = Arc::new(open_schema().project(places)?);
        let wanted = places.iter().filter_map(|place| OpenColumn::all().get(*place));
        let columns = wanted.map(|column| column.cells.begin()).collect();
        Ok(Self { schema, columns, rows: 0, most_rows, bytes: 0 })
    }

    pub(super) fn push(&mut self, row: &OpenRow<'_>) {
        self.columns.iter_mut().for_each(|column| column.push(row));
        self.rows = self.rows.saturating_add(1);
        self.bytes = self.bytes.saturating_add(row.text_bytes());
    }

    /// Whether it is time to hand them on.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= self.most_rows || self.bytes >= PIECE_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows so far. The next ones begin another batch.
    pub(super) fn take(&mut self) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let columns = self.columns.iter_mut().map(Building::take).collect();
        (self.rows, self.bytes) = (0, 0);
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_segments_has_too_have_its_types() {
        let (open, segments) = (open_schema(), text_schema());
        let shared =
            open.fields().iter().filter_map(|field| Some((field, segments.field_with_name(field.name()).ok()?)));
        let mut names = Vec::new();
        for (field, of_segments) in shared {
            assert_eq!(field.data_type(), of_segments.data_type(), "{}", field.name());
            // It is of the agent of the moment, and there may be none.
            assert_eq!(
                field.is_nullable(),
                of_segments.is_nullable() || field.name() == "user_type",
                "{}",
                field.name()
            );
            names.push(field.name().as_str());
        }
        assert_eq!(
            names,
            [
                "account_id",
                "conversation_id",
                "segment_index",
                "skill_id",
                "start_time",
                "start_reason",
                "user_type",
                "first_agent_message_time",
                "agent_messages",
                "consumer_messages",
                "source",
            ]
        );
    }
}
