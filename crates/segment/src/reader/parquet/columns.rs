//! The columns of a Parquet file that a segment has, and what their values mean.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{LogicalType, Type};
use parquet::file::metadata::ParquetMetaData;

use super::unreadable;
use crate::Result;
use crate::batch::{EXTENSION, UUID, places, record_schema};
use crate::reader::batches::guarded;

/// The names of the columns that are read.
pub(super) fn ours(schema: &SchemaRef) -> Vec<String> {
    let of_segments = record_schema();
    let places = of_segments.fields().iter().flat_map(|field| places(schema, field.name()));
    places.filter_map(|place| schema.fields().get(place)).map(|field| field.name().clone()).collect()
}

/// How the columns of a file are decoded.
///
/// The library would read times of 96 bits as nanoseconds, of which 64 bits end in the year 2262, and take others for
/// times of another century. They are in UTC.
pub(super) fn arrow_metadata(metadata: &Arc<ParquetMetaData>) -> Result<ArrowReaderMetadata> {
    let read = |options| guarded(|| ArrowReaderMetadata::try_new(Arc::clone(metadata), options)).map_err(unreadable);
    let arrow = read(ArrowReaderOptions::new())?;
    let of_96_bits = roots(metadata, |physical, _| physical == Type::INT96);
    if of_96_bits.is_empty() {
        return Ok(arrow);
    }
    let milliseconds = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let schema = changed(arrow.schema(), |field| {
        let is_time = of_96_bits.contains(field.name()) && matches!(field.data_type(), DataType::Timestamp(..));
        is_time.then(|| field.as_ref().clone().with_data_type(milliseconds.clone()))
    });
    read(ArrowReaderOptions::new().with_schema(schema))
}

/// The schema of decoded batches, with what Parquet alone says of their columns.
pub(super) fn with_meaning(schema: &SchemaRef, metadata: &ParquetMetaData) -> SchemaRef {
    let uuids = roots(metadata, |_, logical| matches!(logical, Some(LogicalType::Uuid)));
    changed(schema, |field| {
        let mut said = field.metadata().clone();
        let is_new = uuids.contains(field.name()) && said.insert(EXTENSION.to_owned(), UUID.to_owned()).is_none();
        is_new.then(|| field.as_ref().clone().with_metadata(said))
    })
}

/// The names of the columns that are no groups, and whose type is as wanted.
fn roots(metadata: &ParquetMetaData, is_wanted: impl Fn(Type, Option<&LogicalType>) -> bool) -> Vec<String> {
    let columns = metadata.file_metadata().schema_descr().columns().iter();
    let wanted = columns.filter(|column| {
        column.path().parts().len() == 1 && is_wanted(column.physical_type(), column.logical_type_ref())
    });
    wanted.map(|column| column.name().to_owned()).collect()
}

fn changed(schema: &SchemaRef, change: impl Fn(&FieldRef) -> Option<Field>) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| change(field).map_or_else(|| Arc::clone(field), Arc::new));
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}
