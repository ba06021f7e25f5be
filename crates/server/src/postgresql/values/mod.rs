//! Values of Arrow in the two forms that PostgreSQL's protocol has for each type.
//!
//! The encoder of `datafusion-postgres` has no form for some of Arrow's types, a wrong one for others, and panics at
//! values that PostgreSQL's types do not reach.

mod calendar;
mod column;
mod decimal;
mod float;
mod interval;
mod list;
mod quoted;
mod record;
#[cfg(test)]
mod tests;
mod types;
mod vector;

use arrow::array::RecordBatch;
use arrow::array::timezone::Tz;
use arrow::datatypes::Schema;
use bytes::BytesMut;
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::{FieldFormat, FieldInfo};
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::data::DataRow;

use super::error::{SqlState, error};
use column::Column;
pub(super) use types::{type_of, type_of_field};

/// How values are written.
#[derive(Debug, Clone, Copy, Default)]
struct Written {
    is_binary: bool,
    /// The zone in which instants are shown, where it is another one than theirs.
    zone: Option<Tz>,
}

/// The columns of rows, as clients are told of them.
pub(super) fn fields(schema: &Schema, format: &Format) -> Vec<FieldInfo> {
    let fields = schema.fields().iter().enumerate();
    let described = fields.map(|(number, field)| {
        FieldInfo::new(field.name().clone(), None, None, types::type_of_field(field), format.format_for(number))
    });
    described.collect()
}

/// The rows of a batch as messages, with instants as the clocks of `zone` show them.
pub(super) fn rows(
    batch: &RecordBatch,
    fields: &[FieldInfo],
    zone: Option<Tz>,
) -> PgWireResult<impl Iterator<Item = PgWireResult<DataRow>> + Send + use<>> {
    let columns: Vec<Column> = batch
        .columns()
        .iter()
        .zip(fields.iter().map(Some).chain(std::iter::repeat(None)))
        .map(|(array, field)| {
            let is_binary = field.is_some_and(|field| field.format() == FieldFormat::Binary);
            let written = Written { is_binary, zone };
            match field.filter(|field| !is_binary && vector::is_vector(field.datatype())) {
                Some(_) => Column::new(&vector::text(array)?, written),
                None => Column::new(array, written),
            }
        })
        .collect::<PgWireResult<_>>()?;
    let too_many = |_| error(SqlState::TooMuch, "a row has more columns than a message may have");
    let count = i16::try_from(columns.len()).map_err(too_many)?;
    let mut capacity = 0;
    Ok((0..batch.num_rows()).map(move |row| {
        let mut data = BytesMut::with_capacity(capacity);
        for column in &columns {
            column.put_counted(row, &mut data)?;
        }
        capacity = data.len();
        Ok(DataRow::new(data, count))
    }))
}
