//! Structures, which are records in PostgreSQL.

use arrow::array::StructArray;
use bytes::{BufMut, BytesMut};
use datafusion_postgres::pgwire::error::PgWireResult;

use super::Written;
use super::column::{Column, Put, full};
use super::quoted::put_field;
use super::types::type_of_field;

/// A column of records.
pub(super) struct Record {
    /// The fields, each with the number of its type.
    fields: Vec<(u32, Column)>,
    is_binary: bool,
}

impl Record {
    pub(super) fn new(array: &StructArray, written: Written) -> PgWireResult<Self> {
        let fields = array.fields().iter().zip(array.columns());
        let fields = fields.map(|(field, column)| Ok((type_of_field(field).oid(), Column::new(column, written)?)));
        Ok(Self { fields: fields.collect::<PgWireResult<_>>()?, is_binary: written.is_binary })
    }

    pub(super) fn into_put(self) -> Put {
        Box::new(move |row, out| if self.is_binary { self.put_binary(row, out) } else { self.put_text(row, out) })
    }

    fn put_text(&self, row: usize, out: &mut BytesMut) -> PgWireResult<()> {
        out.put_u8(b'(');
        let mut text = BytesMut::new();
        for (number, (_, field)) in self.fields.iter().enumerate() {
            if number > 0 {
                out.put_u8(b',');
            }
            // Nothing at all is a null.
            if !field.is_null(row) {
                text.clear();
                field.put(row, &mut text)?;
                put_field(&text, out);
            }
        }
        out.put_u8(b')');
        Ok(())
    }

    fn put_binary(&self, row: usize, out: &mut BytesMut) -> PgWireResult<()> {
        out.put_i32(i32::try_from(self.fields.len()).map_err(|_| full())?);
        self.fields.iter().try_for_each(|(of, field)| {
            out.put_u32(*of);
            field.put_counted(row, out)
        })
    }
}
