//! Numbers with digits after the point, of any length.

use std::fmt::{Display, Write};

use bytes::{BufMut, BytesMut};
use datafusion_postgres::pgwire::error::PgWireResult;

use super::column::full;

/// The decimal digits in one of PostgreSQL's.
const GROUP: usize = 4;

const NEGATIVE: u16 = 0x4000;

/// Writes `value` divided by ten to the power of `scale`.
pub(super) fn put(value: impl Display, scale: i8, is_binary: bool, out: &mut BytesMut) -> PgWireResult<()> {
    let text = value.to_string();
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text.as_str()), |digits| (true, digits));
    let places = usize::try_from(scale).unwrap_or_default();
    // A number below one has a zero before its point.
    let padded = format!("{digits:0>width$}{:0<zeros$}", "", width = places + 1, zeros = zeros(digits, scale));
    let (whole, fraction) = padded.split_at_checked(padded.len().saturating_sub(places)).unwrap_or((&padded, ""));
    if is_binary {
        return put_groups(is_negative, whole, fraction, out);
    }
    let (sign, point) = (if is_negative { "-" } else { "" }, if fraction.is_empty() { "" } else { "." });
    write!(out, "{sign}{whole}{point}{fraction}").map_err(|_| full())
}

/// The zeros at the end where the scale is less than none.
fn zeros(digits: &str, scale: i8) -> usize {
    if digits == "0" { 0 } else { usize::from(scale.min(0).unsigned_abs()) }
}

/// The number of groups of four digits, the power of ten thousand of the first one, the sign, the number of digits
/// after the point, and the groups, without zeros before the first and after the last one.
fn put_groups(is_negative: bool, whole: &str, fraction: &str, out: &mut BytesMut) -> PgWireResult<()> {
    let before = whole.len().div_ceil(GROUP);
    let after = fraction.len().div_ceil(GROUP);
    let padded =
        format!("{whole:0>whole_width$}{fraction:0<width$}", whole_width = before * GROUP, width = after * GROUP);
    let groups: Vec<u16> = padded
        .as_bytes()
        .chunks(GROUP)
        .map(|digits| digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit & 15)))
        .collect();
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let significant = groups.get(leading..).unwrap_or_default();
    let trailing = significant.iter().rev().take_while(|group| **group == 0).count();
    let significant = significant.get(..significant.len() - trailing).unwrap_or_default();
    let is_zero = significant.is_empty();
    let number = |of: usize| i16::try_from(of).map_err(|_| full());
    let weight = if is_zero { 0 } else { number(before)? - 1 - number(leading)? };
    out.put_i16(number(significant.len())?);
    out.put_i16(weight);
    out.put_u16(if is_negative && !is_zero { NEGATIVE } else { 0 });
    out.put_i16(number(fraction.len())?);
    significant.iter().for_each(|group| out.put_u16(*group));
    Ok(())
}
