//! Prepared statements, which the client keeps.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;
use datafusion::common::ScalarValue;
use tonic::Status;

/// A prepared statement with the values of its parameters. The handle that the client holds contains all of it, so the
/// server keeps nothing, and has nothing to forget. A seal proves that the server made the handle, and has checked the
/// contents; the lengths in it can be trusted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prepared {
    pub(super) text: String,
    /// `$1` first.
    pub(super) parameters: Vec<ScalarValue>,
    /// The number of a ticket for its rows; 0 where it is none.
    pub(super) number: u64,
}

impl Prepared {
    pub(super) fn new(text: String) -> Self {
        Self { text, parameters: Vec::new(), number: 0 }
    }

    /// The same as a ticket of this number.
    pub(super) fn numbered(self, number: u64) -> Self {
        Self { number, ..self }
    }

    /// The types of the values of its parameters, as far as they tell them.
    pub(super) fn types(&self) -> Vec<Option<DataType>> {
        self.parameters.iter().map(|value| Some(value.data_type()).filter(|of| !of.is_null())).collect()
    }

    /// The statement with the values in the one row of `batch`.
    pub(super) fn bind(self, batch: &RecordBatch) -> Result<Self, Status> {
        if batch.num_rows() != 1 {
            let rows = batch.num_rows();
            return Err(Status::invalid_argument(format!("parameters are one row of values, and not {rows}")));
        }
        let values = batch.columns().iter().map(|column| ScalarValue::try_from_array(column, 0));
        let parameters =
            values.collect::<Result<_, _>>().map_err(|error| Status::invalid_argument(error.to_string()))?;
        Ok(Self { parameters, ..self })
    }

    /// The handle: a seal, the number, the length of the text, the text, and, where there are parameters, an Arrow
    /// stream with one row of them.
    pub(super) fn to_handle(&self) -> Result<Bytes, Status> {
        let content = self.content()?;
        Ok([&seal(&content)[..], &content].concat().into())
    }

    fn content(&self) -> Result<Vec<u8>, Status> {
        let too_long = |_| Status::invalid_argument("the statement is too long");
        let mut handle = self.number.to_le_bytes().to_vec();
        handle.extend(u32::try_from(self.text.len()).map_err(too_long)?.to_le_bytes());
        handle.extend_from_slice(self.text.as_bytes());
        if !self.parameters.is_empty() {
            put_row(&self.parameters, &mut handle).map_err(|error| Status::invalid_argument(error.to_string()))?;
        }
        Ok(handle)
    }

    pub(super) fn from_handle(handle: &[u8]) -> Result<Self, Status> {
        let unknown = || {
            Status::invalid_argument(
                "this is no handle of a statement that this server has prepared since it was started",
            )
        };
        let (of_handle, content) = handle.split_first_chunk::<SEAL_BYTES>().ok_or_else(unknown)?;
        if *of_handle != seal(content) {
            return Err(unknown());
        }
        let (number, content) = content.split_first_chunk::<8>().ok_or_else(unknown)?;
        let (length, rest) = content.split_first_chunk::<4>().ok_or_else(unknown)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| unknown())?;
        let (text, row) = rest.split_at_checked(length).ok_or_else(unknown)?;
        let prepared = Self::new(String::from_utf8(text.to_vec()).map_err(|_| unknown())?);
        let prepared = prepared.numbered(u64::from_le_bytes(*number));
        if row.is_empty() {
            return Ok(prepared);
        }
        let mut reader = StreamReader::try_new(row, None).map_err(|_| unknown())?;
        match reader.next() {
            Some(Ok(batch)) => prepared.bind(&batch),
            _ => Err(unknown()),
        }
    }
}

const SEAL_BYTES: usize = 16;

/// A keyed hash. The keys are drawn when the process starts.
fn seal(content: &[u8]) -> [u8; SEAL_BYTES] {
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);
    let [first, second] = KEYS.each_ref().map(|key| key.hash_one(content).to_le_bytes());
    let mut seal = [0; SEAL_BYTES];
    for (place, byte) in seal.iter_mut().zip(first.into_iter().chain(second)) {
        *place = byte;
    }
    seal
}

fn put_row(values: &[ScalarValue], out: &mut Vec<u8>) -> datafusion::error::Result<()> {
    let columns =
        values.iter().enumerate().map(|(number, value)| Ok((format!("${}", number + 1), value.to_array()?, true)));
    let columns = columns.collect::<datafusion::error::Result<Vec<_>>>()?;
    let batch = RecordBatch::try_from_iter_with_nullable(columns)?;
    let mut writer = StreamWriter::try_new(out, &batch.schema())?;
    writer.write(&batch)?;
    writer.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_the_statement_with_its_parameters() {
        let mut prepared = Prepared::new("select $1, '\u{fc}'".to_owned());
        assert_eq!(Prepared::from_handle(&prepared.to_handle().unwrap()).unwrap(), prepared);
        prepared.parameters = vec![ScalarValue::Int64(Some(-1)), ScalarValue::Utf8(None), ScalarValue::from("x")];
        prepared.number = 7;
        assert_eq!(Prepared::from_handle(&prepared.to_handle().unwrap()).unwrap(), prepared);
    }

    #[test]
    fn a_handle_that_was_changed_is_refused() {
        let handle = Prepared::new("select 1".to_owned()).to_handle().unwrap();
        for place in 0..handle.len() {
            let mut changed = handle.to_vec();
            changed[place] ^= 1;
            assert!(Prepared::from_handle(&changed).is_err(), "{place}");
        }
    }

    #[test]
    fn what_is_no_handle_is_refused() {
        for bytes in [&b""[..], b"abc", b"\x05\0\0\0ab", b"\x01\0\0\0\xff", b"\0\0\0\0not arrow", b"\xff\xff\xff\xff"] {
            assert!(Prepared::from_handle(bytes).is_err(), "{bytes:?}");
        }
    }
}
