//! Columns of files that tell their types, in the types that tables have.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, downcast_dictionary_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::{MAX_TABLE_BYTES, SmallTable, check_names, check_values, joined, refused};
use crate::Result;
use crate::reader::batches::guarded;

/// The batches of a file so far, in the types that tables have.
#[derive(Default)]
pub(super) struct Plain {
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl Plain {
    /// Adds a batch. What it takes without dictionaries is counted before there is any of it.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let schema = schema_of(batch.schema_ref())?;
        self.rows = self.rows.saturating_add(batch.num_rows());
        check_values(batch.num_columns(), self.rows)?;
        for column in batch.columns() {
            self.bytes = self.bytes.saturating_add(unfolded(column));
        }
        if self.bytes > MAX_TABLE_BYTES {
            return Err(refused(format!(
                "it unfolds to more than {MAX_TABLE_BYTES} bytes, which is the most of a table"
            )));
        }
        let exact = CastOptions { safe: false, ..CastOptions::default() };
        let columns = batch.columns().iter().zip(schema.fields());
        let columns = columns.map(|(column, field)| {
            let made = guarded(|| cast_with_options(column, field.data_type(), &exact));
            made.map_err(|reason| refused(format!("column {:?} cannot be read: {reason}", field.name())))
        });
        let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
        self.batches.push(RecordBatch::try_new(schema, columns)?);
        Ok(())
    }

    /// The table of all batches, which have the columns of `schema`.
    pub(super) fn finish(self, schema: &SchemaRef) -> Result<SmallTable> {
        let schema = schema_of(schema)?;
        SmallTable::of_rows(joined(&schema, &self.batches)?)
    }
}

/// The columns of a file, with the types that tables have.
fn schema_of(schema: &SchemaRef) -> Result<SchemaRef> {
    check_names(schema.fields().iter().map(|field| field.name().as_str()))?;
    let fields = schema.fields().iter().map(|field| {
        let plain = plain(field.data_type()).ok_or_else(|| {
            let (name, found) = (field.name(), field.data_type());
            refused(format!(
                "column {name:?} has the type {found}; a table has texts, numbers, booleans, dates and times"
            ))
        });
        Ok(Field::new(field.name(), plain?, true))
    });
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<_>>>()?)))
}

/// The type that a column of a table has instead of this one; `None` where it can have none.
fn plain(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float32
        | DataType::Float64
        | DataType::Date32
        | DataType::Decimal128(..)
        | DataType::Timestamp(_, None) => data_type.clone(),
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("UTC".into())),
        DataType::Dictionary(_, value) => match plain(value)? {
            DataType::Utf8 => DataType::Utf8,
            other => other,
        },
        _ => return None,
    })
}

/// What a column takes once every value of it stands by itself, or more.
fn unfolded(column: &ArrayRef) -> usize {
    const VALUE_BYTES: usize = 16;
    let rows = column.len();
    let texts = match column.data_type() {
        DataType::Utf8View => column.as_string_view().lengths().map(|length| length as usize).sum(),
        DataType::Utf8 | DataType::LargeUtf8 => column.to_data().get_slice_memory_size().unwrap_or(usize::MAX),
        DataType::Dictionary(..) => unfolded_dictionary(column),
        _ => return column.to_data().get_slice_memory_size().unwrap_or(usize::MAX),
    };
    rows.saturating_mul(VALUE_BYTES / 4).saturating_add(texts)
}

fn unfolded_dictionary(column: &ArrayRef) -> usize {
    let lengths = |values: &ArrayRef| -> Vec<usize> {
        match values.data_type() {
            DataType::Utf8 => values.as_string::<i32>().iter().map(|text| text.map_or(0, str::len)).collect(),
            DataType::LargeUtf8 => values.as_string::<i64>().iter().map(|text| text.map_or(0, str::len)).collect(),
            DataType::Utf8View => values.as_string_view().iter().map(|text| text.map_or(0, str::len)).collect(),
            _ => vec![16; values.len()],
        }
    };
    let array = column.as_ref();
    downcast_dictionary_array!(
        array => {
            let lengths = lengths(array.values());
            let keys = array.keys_iter().flatten();
            keys.map(|key| lengths.get(key).copied().unwrap_or(0)).fold(0, usize::saturating_add)
        },
        _ => usize::MAX
    )
}
