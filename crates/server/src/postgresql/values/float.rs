//! Numbers of floating point, with the fewest digits that tell them from others.

use std::fmt::{Display, LowerExp, Write};

use bytes::{BufMut, BytesMut};
use datafusion_postgres::pgwire::error::PgWireResult;

use super::column::full;

pub(super) fn put_single(value: f32, is_binary: bool, out: &mut BytesMut) -> PgWireResult<()> {
    if is_binary {
        out.put_f32(value);
        return Ok(());
    }
    put_text(value, value.is_finite(), 6, out)
}

pub(super) fn put_double(value: f64, is_binary: bool, out: &mut BytesMut) -> PgWireResult<()> {
    if is_binary {
        out.put_f64(value);
        return Ok(());
    }
    put_text(value, value.is_finite(), 15, out)
}

/// Numbers of `digits` digits and more before the point, and those with four zeros and more behind it, have an exponent.
fn put_text<F: Display + LowerExp>(value: F, is_finite: bool, digits: i32, out: &mut BytesMut) -> PgWireResult<()> {
    if !is_finite {
        let text = match value.to_string().as_str() {
            "inf" => "Infinity",
            "-inf" => "-Infinity",
            _ => "NaN",
        };
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..digits).contains(&exponent) {
        return write!(out, "{value}").map_err(|_| full());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs()).map_err(|_| full())
}
