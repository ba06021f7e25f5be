//! The values that a client binds to the parameters of a statement.

use std::panic::{AssertUnwindSafe, catch_unwind};

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion_postgres::arrow_pg::datatypes::df::deserialize_parameters;
use datafusion_postgres::arrow_pg::datatypes::into_pg_type;
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::api::portal::Portal;
use datafusion_postgres::pgwire::error::PgWireResult;
use postgres_types::Kind;

use super::binary_value::{MOST_ELEMENTS, Unusable, check};
use super::error::{SqlState, error};
use super::prepared::Prepared;

/// The values that the client has bound. A parameter is text where neither the statement nor the client tells its type.
pub(super) fn parameters(portal: &Portal<Prepared>) -> PgWireResult<Vec<ScalarValue>> {
    let told = |number: usize| portal.statement.parameter_types.get(number).and_then(Option::as_ref);
    let known = portal.statement.statement.known_parameters().iter().enumerate();
    let types: Vec<Option<&DataType>> =
        known.map(|(number, known)| known.as_ref().or(told(number).is_none().then_some(&DataType::Utf8))).collect();
    for number in 0..portal.parameters.len() {
        check_one(portal, number, told(number), types.get(number).copied().flatten())?;
    }
    // What decodes values panics at some that it does not expect.
    let decoded = catch_unwind(AssertUnwindSafe(|| deserialize_parameters(portal, &types)));
    let decoded = decoded.map_err(|_| error(SqlState::BinaryValue, "a value cannot be read as one of its type"))??;
    Ok(match decoded {
        ParamValues::List(values) => values.into_iter().map(|value| value.value).collect(),
        ParamValues::Map(_) => Vec::new(),
    })
}

fn check_one(
    portal: &Portal<Prepared>,
    number: usize,
    told: Option<&Type>,
    inferred: Option<&DataType>,
) -> PgWireResult<()> {
    let Some(Some(value)) = portal.parameters.get(number) else { return Ok(()) };
    let of = match (told, inferred) {
        (Some(told), _) => told.clone(),
        (None, Some(inferred)) => into_pg_type(inferred)?,
        (None, None) => return Ok(()),
    };
    if portal.parameter_format.is_binary(number) {
        check(&of, value).map_err(unusable)?;
    } else if matches!(of.kind(), Kind::Array(_)) {
        let elements = 1 + value.iter().filter(|byte| **byte == b',').count();
        if elements > MOST_ELEMENTS {
            return Err(unusable(Unusable::Elements(elements)));
        }
    }
    if of == Type::INT8
        && let Some(DataType::Timestamp(unit, _)) = inferred
    {
        check_seconds(portal.parameter::<i64>(number, &of)?, *unit)?;
    }
    Ok(())
}

/// A number that becomes a time counts seconds.
fn check_seconds(seconds: Option<i64>, unit: TimeUnit) -> PgWireResult<()> {
    let factor = match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    match seconds.map(|seconds| seconds.checked_mul(factor)) {
        Some(None) => Err(unusable(Unusable::Range("timestamp".to_owned()))),
        _ => Ok(()),
    }
}

fn unusable(value: Unusable) -> datafusion_postgres::pgwire::error::PgWireError {
    let state = match value {
        Unusable::Layout(_) => SqlState::BinaryValue,
        Unusable::Range(_) => SqlState::TimeOutOfRange,
        Unusable::Elements(_) => SqlState::TooMuch,
    };
    error(state, value.to_string())
}
