use std::borrow::Cow;

use arrow::array::{
    Array, AsArray, BooleanArray, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray,
    TimestampMillisecondArray, UInt32Array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Int64Type, TimestampMillisecondType, UInt32Type};

use crate::error::shortened;
use crate::rules::MAX_TEXT_BYTES;
use crate::schema::timestamp;
use crate::{EndReason, Error, Outcome, Result, Segment, StartReason, UserType, column};

/// The word in a row of a vocabulary's column.
macro_rules! word {
    ($words:ident, $column:expr, $row:expr) => {{
        let text = $column.required_text($row)?;
        $words::from_word(text).ok_or_else(|| Error::UnknownWord {
            column: $column.name,
            value: shortened(text),
            allowed: $words::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", "),
        })?
    }};
}

/// The rows of a batch as [`Segment`]s, whichever writer the batch is from: columns are found by name, in any order,
/// text may be plain or dictionary-encoded, whole numbers of any width, timestamps of any unit (digits beyond the
/// millisecond are dropped) or whole numbers of milliseconds. Columns of other names are ignored; a missing nullable
/// column reads as null, and a missing `account_id` as empty text.
#[derive(Debug)]
pub struct SegmentRows {
    length: usize,
    account_id: Option<TextColumn>,
    conversation_id: TextColumn,
    segment_index: Column<UInt32Array>,
    skill_id: Column<Int64Array>,
    start_time: Column<TimestampMillisecondArray>,
    end_time: Column<TimestampMillisecondArray>,
    start_reason: TextColumn,
    end_reason: TextColumn,
    user_type: TextColumn,
    outcome: TextColumn,
    abandoned_in_queue: Column<BooleanArray>,
    first_assigned_time: Option<Column<TimestampMillisecondArray>>,
    first_agent_message_time: Option<Column<TimestampMillisecondArray>>,
    time_to_first_agent_message_ms: Option<Column<Int64Array>>,
    agent_messages: Column<UInt32Array>,
    consumer_messages: Column<UInt32Array>,
    last_agent_id: Option<TextColumn>,
    source: Option<TextColumn>,
}

impl SegmentRows {
    /// Finds the columns of `batch`.
    ///
    /// # Errors
    /// [`Error::ColumnMissing`] and [`Error::ColumnType`] where the batch cannot be one of segments.
    pub fn new(batch: &RecordBatch) -> Result<Self> {
        Ok(Self {
            length: batch.num_rows(),
            account_id: text(batch, column::ACCOUNT_ID)?,
            conversation_id: require(text(batch, column::CONVERSATION_ID)?, column::CONVERSATION_ID, DataType::Utf8)?,
            segment_index: counts(batch, column::SEGMENT_INDEX)?,
            skill_id: require(integers(batch, column::SKILL_ID)?, column::SKILL_ID, DataType::Int64)?,
            start_time: require(times(batch, column::START_TIME)?, column::START_TIME, timestamp())?,
            end_time: require(times(batch, column::END_TIME)?, column::END_TIME, timestamp())?,
            start_reason: require(text(batch, column::START_REASON)?, column::START_REASON, DataType::Utf8)?,
            end_reason: require(text(batch, column::END_REASON)?, column::END_REASON, DataType::Utf8)?,
            user_type: require(text(batch, column::USER_TYPE)?, column::USER_TYPE, DataType::Utf8)?,
            outcome: require(text(batch, column::OUTCOME)?, column::OUTCOME, DataType::Utf8)?,
            abandoned_in_queue: require(
                booleans(batch, column::ABANDONED_IN_QUEUE)?,
                column::ABANDONED_IN_QUEUE,
                DataType::Boolean,
            )?,
            first_assigned_time: times(batch, column::FIRST_ASSIGNED_TIME)?,
            first_agent_message_time: times(batch, column::FIRST_AGENT_MESSAGE_TIME)?,
            time_to_first_agent_message_ms: integers(batch, column::TIME_TO_FIRST_AGENT_MESSAGE_MS)?,
            agent_messages: counts(batch, column::AGENT_MESSAGES)?,
            consumer_messages: counts(batch, column::CONSUMER_MESSAGES)?,
            last_agent_id: text(batch, column::LAST_AGENT_ID)?,
            source: text(batch, column::SOURCE)?,
        })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether the batch has no rows.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The segment in `row`, which must be below [`len`](Self::len); its rules are not checked.
    ///
    /// # Errors
    /// [`Error::Value`] and [`Error::UnknownWord`] where the row holds something that no segment has.
    pub fn segment(&self, row: usize) -> Result<Segment<'_>> {
        Ok(Segment {
            account_id: match &self.account_id {
                Some(column) => Cow::Borrowed(column.text(row)?.unwrap_or_default()),
                None => Cow::Borrowed(""),
            },
            conversation_id: Cow::Borrowed(self.conversation_id.required_text(row)?),
            segment_index: self.segment_index.required(row, UInt32Array::value)?,
            skill_id: self.skill_id.required(row, Int64Array::value)?,
            start_time: self.start_time.required(row, TimestampMillisecondArray::value)?,
            end_time: self.end_time.required(row, TimestampMillisecondArray::value)?,
            start_reason: word!(StartReason, self.start_reason, row),
            end_reason: word!(EndReason, self.end_reason, row),
            user_type: word!(UserType, self.user_type, row),
            outcome: word!(Outcome, self.outcome, row),
            abandoned_in_queue: self.abandoned_in_queue.required(row, BooleanArray::value)?,
            first_assigned_time: time(&self.first_assigned_time, row)?,
            first_agent_message_time: time(&self.first_agent_message_time, row)?,
            time_to_first_agent_message_ms: match &self.time_to_first_agent_message_ms {
                Some(column) => column.optional(row, Int64Array::value)?,
                None => None,
            },
            agent_messages: self.agent_messages.required(row, UInt32Array::value)?,
            consumer_messages: self.consumer_messages.required(row, UInt32Array::value)?,
            last_agent_id: optional_text(&self.last_agent_id, row)?,
            source: optional_text(&self.source, row)?,
        })
    }
}

/// A column in the type that we read, and the nulls that it had before it was converted.
#[derive(Debug)]
struct Column<A> {
    name: &'static str,
    values: A,
    nulls_before: Option<NullBuffer>,
}

impl<A: Array> Column<A> {
    fn optional<'a, T>(&'a self, row: usize, value: impl FnOnce(&'a A, usize) -> T) -> Result<Option<T>> {
        if self.values.is_valid(row) {
            Ok(Some(value(&self.values, row)))
        } else if self.nulls_before.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            Ok(None)
        } else {
            Err(Error::Value { column: self.name, problem: "outside what its type can hold" })
        }
    }

    fn required<'a, T>(&'a self, row: usize, value: impl FnOnce(&'a A, usize) -> T) -> Result<T> {
        self.optional(row, value)?.ok_or(Error::Value { column: self.name, problem: "missing" })
    }
}

/// A column of text, read in place: making plain text of a view or a dictionary could take any amount of memory.
#[derive(Debug)]
struct TextColumn {
    name: &'static str,
    texts: Texts,
}

#[derive(Debug)]
enum Texts {
    Plain(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
    /// Keys, whatever their width, into a column of plain, large or view text.
    Dictionary {
        keys: Column<Int64Array>,
        values: Box<Texts>,
    },
    AllNull,
}

impl Texts {
    fn of(name: &'static str, array: &dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8 => Self::Plain(array.as_string().clone()),
            DataType::LargeUtf8 => Self::Large(array.as_string().clone()),
            DataType::Utf8View => Self::View(array.as_string_view().clone()),
            DataType::Null => Self::AllNull,
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                let keys = cast(dictionary.keys(), &DataType::Int64).ok()?;
                let keys = Column { name, nulls_before: keys.logical_nulls(), values: keys.as_primitive().clone() };
                match Self::of(name, dictionary.values().as_ref())? {
                    Self::Dictionary { .. } | Self::AllNull => return None,
                    values => Self::Dictionary { keys, values: Box::new(values) },
                }
            }
            _ => return None,
        })
    }

    fn get(&self, row: usize) -> Result<Option<&str>> {
        Ok(match self {
            Self::Plain(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
            Self::AllNull => None,
            // Arrow has checked that every key is one of a value.
            Self::Dictionary { keys, values } => match keys.optional(row, Int64Array::value)? {
                Some(key) => values.get(key as usize)?,
                None => None,
            },
        })
    }
}

impl TextColumn {
    fn text(&self, row: usize) -> Result<Option<&str>> {
        match self.texts.get(row)? {
            Some(text) if text.len() > MAX_TEXT_BYTES => {
                Err(Error::TextTooLong { column: self.name, limit: MAX_TEXT_BYTES })
            }
            text => Ok(text),
        }
    }

    fn required_text(&self, row: usize) -> Result<&str> {
        self.text(row)?.ok_or(Error::Value { column: self.name, problem: "missing" })
    }
}

fn time(column: &Option<Column<TimestampMillisecondArray>>, row: usize) -> Result<Option<i64>> {
    match column {
        Some(column) => column.optional(row, TimestampMillisecondArray::value),
        None => Ok(None),
    }
}

fn optional_text(column: &Option<TextColumn>, row: usize) -> Result<Option<Cow<'_, str>>> {
    match column {
        Some(column) => Ok(column.text(row)?.map(Cow::Borrowed)),
        None => Ok(None),
    }
}

fn require<C>(column: Option<C>, name: &'static str, expected: DataType) -> Result<C> {
    column.ok_or_else(|| Error::ColumnMissing { column: name, expected: expected.to_string() })
}

fn text(batch: &RecordBatch, name: &'static str) -> Result<Option<TextColumn>> {
    let Some(array) = batch.column_by_name(name) else { return Ok(None) };
    match Texts::of(name, array.as_ref()) {
        Some(texts) => Ok(Some(TextColumn { name, texts })),
        None => Err(Error::ColumnType {
            column: name,
            found: array.data_type().to_string(),
            expected: DataType::Utf8.to_string(),
        }),
    }
}

fn integers(batch: &RecordBatch, name: &'static str) -> Result<Option<Column<Int64Array>>> {
    convert(batch, name, DataType::Int64, is_whole, |array| array.as_primitive::<Int64Type>().clone())
}

fn counts(batch: &RecordBatch, name: &'static str) -> Result<Column<UInt32Array>> {
    let column = convert(batch, name, DataType::UInt32, is_whole, |array| array.as_primitive::<UInt32Type>().clone())?;
    require(column, name, DataType::UInt32)
}

fn times(batch: &RecordBatch, name: &'static str) -> Result<Option<Column<TimestampMillisecondArray>>> {
    let is_time = |t: &DataType| matches!(t, DataType::Timestamp(..) | DataType::Int64 | DataType::Null);
    convert(batch, name, timestamp(), is_time, |array| array.as_primitive::<TimestampMillisecondType>().clone())
}

fn booleans(batch: &RecordBatch, name: &'static str) -> Result<Option<Column<BooleanArray>>> {
    let is_boolean = |t: &DataType| matches!(t, DataType::Boolean | DataType::Null);
    convert(batch, name, DataType::Boolean, is_boolean, |array| array.as_boolean().clone())
}

fn is_whole(data_type: &DataType) -> bool {
    data_type.is_integer() || data_type.is_null()
}

/// The column `name` as `expected`, where its own type is one that can be read as that without guessing.
fn convert<A>(
    batch: &RecordBatch,
    name: &'static str,
    expected: DataType,
    is_readable: impl Fn(&DataType) -> bool,
    downcast: impl FnOnce(&dyn Array) -> A,
) -> Result<Option<Column<A>>> {
    let Some(array) = batch.column_by_name(name) else { return Ok(None) };
    let wrong_type =
        || Error::ColumnType { column: name, found: array.data_type().to_string(), expected: expected.to_string() };
    if !is_readable(array.data_type()) {
        return Err(wrong_type());
    }
    // What does not fit becomes null here, and that row's error later, instead of the whole batch's.
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let converted = cast_with_options(array, &expected, &options).map_err(|_| wrong_type())?;
    Ok(Some(Column { name, values: downcast(&converted), nulls_before: array.logical_nulls() }))
}
