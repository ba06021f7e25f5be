//! Numbers of floating point.

use bytes::{BufMut, BytesMut};
use datafusion_postgres::pgwire::error::PgWireResult;
use skillscope_query::{write_double, write_single};

use super::column::full;

pub(super) fn put_single(value: f32, is_binary: bool, out: &mut BytesMut) -> PgWireResult<()> {
    if is_binary {
        out.put_f32(value);
        return Ok(());
    }
    write_single(value, out).map_err(|_| full())
}

pub(super) fn put_double(value: f64, is_binary: bool, out: &mut BytesMut) -> PgWireResult<()> {
    if is_binary {
        out.put_f64(value);
        return Ok(());
    }
    write_double(value, out).map_err(|_| full())
}
