//! The values that a client binds to the parameters of a statement.

mod array;
mod binary;
mod decimal;
mod interval;
mod text;
mod types;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::api::portal::Portal;
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use postgres_types::Kind;

use super::binary_value::{Unusable, check};
use super::error::{SqlState, error};
use super::prepared::Prepared;
use super::values::type_of;
pub(super) use types::arrow_type;

/// The values that the client has bound. A parameter is text where neither the statement nor the client tells its type.
pub(super) fn parameters(portal: &Portal<Prepared>) -> PgWireResult<Vec<ScalarValue>> {
    let (statement, given) = (&portal.statement, portal.parameters.len());
    let known = statement.statement.known_parameters();
    let needed = known.len().max(statement.parameter_types.len());
    if given != needed {
        let text = format!("bind message supplies {given} parameters, but prepared statement requires {needed}");
        return Err(error(SqlState::Protocol, text));
    }
    let told = |number: usize| statement.parameter_types.get(number).and_then(Option::as_ref);
    let values = known.iter().enumerate().map(|(number, inferred)| {
        let of = match told(number).filter(|told| **told != Type::UNKNOWN) {
            Some(told) => told.clone(),
            None => inferred.as_ref().map_or(Type::TEXT, type_of),
        };
        let is_binary = portal.parameter_format.is_binary(number);
        let Some(Some(bytes)) = portal.parameters.get(number) else { return null(&of) };
        value(&of, is_binary, bytes)
    });
    values.collect()
}

/// The value of a type that a text is, for doors whose clients send values as text.
///
/// # Errors
/// Why it is none.
pub(crate) fn value_of_text(of: &DataType, text: &str) -> Result<ScalarValue, String> {
    text::value(&type_of(of), text).map_err(reason)
}

/// The null of a type, for those doors.
///
/// # Errors
/// Why there is none.
pub(crate) fn null_of(of: &DataType) -> Result<ScalarValue, String> {
    null(&type_of(of)).map_err(reason)
}

/// The name that PostgreSQL has for a type.
pub(crate) fn type_name(of: &DataType) -> String {
    let of = type_of(of);
    match of.kind() {
        Kind::Array(element) => format!("{}[]", types::name(element)),
        _ => types::name(&of).to_owned(),
    }
}

fn reason(error: PgWireError) -> String {
    match error {
        PgWireError::UserError(told) => told.message,
        other => other.to_string(),
    }
}

/// A value of a type, from its bytes.
fn value(of: &Type, is_binary: bool, bytes: &[u8]) -> PgWireResult<ScalarValue> {
    if is_binary {
        check(of, bytes).map_err(unusable)?;
        return binary::value(of, bytes);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| error(SqlState::NotText, "a value is not UTF-8"))?;
    text::value(of, text)
}

/// The null of a type.
fn null(of: &Type) -> PgWireResult<ScalarValue> {
    let of = arrow_type(of).unwrap_or(DataType::Utf8);
    ScalarValue::try_from(&of).map_err(|cause| error(SqlState::Value, cause.to_string()))
}

fn unusable(value: Unusable) -> PgWireError {
    let state = match value {
        Unusable::Layout(_) => SqlState::BinaryValue,
        Unusable::Range(_) => SqlState::TimeOutOfRange,
        Unusable::Elements(_) => SqlState::TooMuch,
    };
    error(state, value.to_string())
}

/// A text that is no value of its type.
fn unreadable(of: &Type, text: &str) -> PgWireError {
    let shown: String = text.chars().take(200).collect();
    error(SqlState::TextValue, format!("invalid input syntax for type {}: \"{shown}\"", types::name(of)))
}

/// Bytes that are no value of their type.
fn not_of(of: &Type) -> PgWireError {
    unusable(Unusable::Layout(of.name().to_owned()))
}
