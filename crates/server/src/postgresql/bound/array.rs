//! Arrays, of any number of dimensions.

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use skillscope_query::{ArrayItem, ArrayText};

use super::super::binary_value::{MOST_ELEMENTS, Unusable};
use super::super::error::{SqlState, error};
use super::types::arrow_type;
use super::{binary, not_of, null, text, unusable};

/// An element of an array: a value, or an array within it.
enum Element {
    Value(ScalarValue),
    Array(Vec<Element>),
}

/// The array that a text is.
pub(super) fn of_text(element: &Type, text: &str) -> PgWireResult<ScalarValue> {
    let items = ArrayItem::parse(text, MOST_ELEMENTS).map_err(|wrong| match wrong {
        ArrayText::Elements(most) => unusable(Unusable::Elements(most + 1)),
        ArrayText::Malformed(_) => error(SqlState::TextValue, wrong.to_string()),
    })?;
    list(element, of_items(element, items)?)
}

fn of_items(element: &Type, items: Vec<ArrayItem>) -> PgWireResult<Vec<Element>> {
    let elements = items.into_iter().map(|item| {
        Ok(match item {
            ArrayItem::Null => Element::Value(null(element)?),
            ArrayItem::Text(text) => Element::Value(text::value(element, &text)?),
            ArrayItem::Array(items) => Element::Array(of_items(element, items)?),
        })
    });
    elements.collect()
}

/// The array that bytes are: the number of dimensions, a flag, the type, a length and a lowest index for each
/// dimension, and the elements. The lengths have been checked.
pub(super) fn of_binary(of: &Type, element: &Type, bytes: &[u8]) -> PgWireResult<ScalarValue> {
    let mut rest = bytes;
    let wrong = || not_of(of);
    let dimensions = usize::try_from(number(&mut rest).ok_or_else(wrong)?).map_err(|_| wrong())?;
    let (_flag, _type) = (number(&mut rest).ok_or_else(wrong)?, number(&mut rest).ok_or_else(wrong)?);
    let mut lengths = Vec::new();
    for _ in 0..dimensions {
        lengths.push(usize::try_from(number(&mut rest).ok_or_else(wrong)?).map_err(|_| wrong())?);
        let _lowest = number(&mut rest).ok_or_else(wrong)?;
    }
    let elements = of_dimension(element, &lengths, &mut rest).unwrap_or_else(|| Err(wrong()))?;
    list(element, elements)
}

/// The elements of a dimension; `None` where there are not enough bytes.
fn of_dimension(element: &Type, lengths: &[usize], rest: &mut &[u8]) -> Option<PgWireResult<Vec<Element>>> {
    let Some((length, within)) = lengths.split_first() else { return Some(Ok(Vec::new())) };
    // Arrays without elements may say that there are very many of them.
    if within.contains(&0) {
        return Some(Ok(Vec::new()));
    }
    let mut elements = Vec::new();
    for _ in 0..*length {
        let one = if within.is_empty() {
            one(element, rest)?.map(Element::Value)
        } else {
            of_dimension(element, within, rest)?.map(Element::Array)
        };
        match one {
            Ok(one) => elements.push(one),
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(elements))
}

fn one(element: &Type, rest: &mut &[u8]) -> Option<PgWireResult<ScalarValue>> {
    // A negative length is a null.
    let Ok(length) = usize::try_from(number(rest)?) else { return Some(null(element)) };
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(binary::value(element, bytes))
}

fn number(rest: &mut &[u8]) -> Option<i32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i32::from_be_bytes(*number))
}

/// An array of these elements, all of which become of one type.
fn list(element: &Type, elements: Vec<Element>) -> PgWireResult<ScalarValue> {
    let mut of = Common(None);
    of.look(&elements);
    let of = of.0.or_else(|| arrow_type(element)).unwrap_or(DataType::Utf8);
    let (values, of) = made(elements, &of)?;
    Ok(ScalarValue::List(ScalarValue::new_list_nullable(&values, &of)))
}

/// The values of a dimension, and their type.
fn made(elements: Vec<Element>, of: &DataType) -> PgWireResult<(Vec<ScalarValue>, DataType)> {
    let (mut values, mut of_values) = (Vec::with_capacity(elements.len()), of.clone());
    for element in elements {
        values.push(match element {
            Element::Value(value) => value.cast_to(of).map_err(unfit)?,
            Element::Array(elements) => {
                let (values, of_element) = made(elements, of)?;
                let list = ScalarValue::new_list_nullable(&values, &of_element);
                of_values = DataType::new_list(of_element, true);
                ScalarValue::List(list)
            }
        });
    }
    Ok((values, of_values))
}

fn unfit(cause: datafusion::error::DataFusionError) -> PgWireError {
    error(SqlState::Value, format!("the elements of an array have no type in common: {cause}"))
}

/// The type that has room for all values.
struct Common(Option<DataType>);

impl Common {
    fn look(&mut self, elements: &[Element]) {
        for element in elements {
            match element {
                Element::Array(elements) => self.look(elements),
                Element::Value(value) if value.is_null() => {}
                Element::Value(value) => {
                    let of = value.data_type();
                    self.0 = Some(self.0.take().map_or(of.clone(), |before| wider(before, of)));
                }
            }
        }
    }
}

fn wider(one: DataType, other: DataType) -> DataType {
    match (&one, &other) {
        (DataType::Timestamp(TimeUnit::Millisecond, _), DataType::Timestamp(TimeUnit::Microsecond, _)) => other,
        (
            DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale),
            DataType::Decimal128(others, other_scale) | DataType::Decimal256(others, other_scale),
        ) => {
            let scale_of_both = *scale.max(other_scale);
            let whole = |precision: u8, scale: i8| i16::from(precision) - i16::from(scale);
            let digits = whole(*precision, *scale).max(whole(*others, *other_scale)) + i16::from(scale_of_both);
            let digits = u8::try_from(digits).unwrap_or(DECIMAL256_MAX_PRECISION).min(DECIMAL256_MAX_PRECISION);
            match digits <= DECIMAL128_MAX_PRECISION {
                true => DataType::Decimal128(digits, scale_of_both),
                false => DataType::Decimal256(digits, scale_of_both),
            }
        }
        _ => one,
    }
}
