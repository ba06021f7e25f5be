//! `PREPARE` and `EXECUTE`.

use datafusion::common::ScalarValue;
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::error::PgWireResult;
use futures::TryStreamExt;
use postgres_types::Kind;

use super::client::{Client, Stream};
use super::command::{Command, commands};
use super::error::{SqlState, error, failed};
use super::queries::Queries;
use super::values::type_of;

/// Prepares a query whose parameters have types of these names.
pub(super) async fn prepare<S: Stream>(
    queries: &Queries,
    client: &Client<S>,
    name: &str,
    types: &[String],
    query: &str,
) -> PgWireResult<()> {
    let mut told = Vec::new();
    if !types.is_empty() {
        let nulls: Vec<String> = types.iter().map(|of| format!("null::{of}")).collect();
        let described = queries.session.get()?.describe(&format!("select {}", nulls.join(", "))).await;
        told = described.map_err(failed)?.schema.fields().iter().map(|field| Some(field.data_type().clone())).collect();
    }
    let of_client = told.iter().map(|of| of.as_ref().map(type_of)).collect();
    let prepared = queries.parser.prepare(Command::Query(query.to_owned()), told, query).await?;
    queries.statements.prepare(client, name, &prepared, of_client)
}

/// The query that was prepared under a name, and what these expressions come to as values for its parameters.
pub(super) async fn execution<S: Stream>(
    queries: &Queries,
    client: &Client<S>,
    name: &str,
    values: &[String],
) -> PgWireResult<(String, Vec<ScalarValue>)> {
    let prepared = queries.statements.find(client, name)?;
    let Command::Query(query) = prepared.command() else {
        return Err(error(SqlState::FeatureNotSupported, "EXECUTE runs what PREPARE has prepared"));
    };
    let known = prepared.known_parameters();
    if known.len() != values.len() {
        let text = format!(
            "wrong number of parameters for prepared statement \"{name}\": expected {} parameters but got {}",
            known.len(),
            values.len()
        );
        return Err(error(SqlState::SyntaxError, text));
    }
    if values.is_empty() {
        return Ok((query.clone(), Vec::new()));
    }
    let casts = values.iter().zip(known).map(|(value, of)| match of {
        Some(of) => format!("({value})::{}", type_name(&type_of(of))),
        None => format!("({value})"),
    });
    let casts = format!("select {}", casts.collect::<Vec<_>>().join(", "));
    let session = queries.session.get()?;
    let mut computed = match commands(session, &casts).await?.as_slice() {
        [Command::Query(text)] => queries.limited_session()?.run(text, Vec::new()).await.map_err(failed)?,
        _ => return Err(error(SqlState::SyntaxError, "the values of EXECUTE are expressions")),
    };
    let mut row = None;
    while let Some(batch) = computed.try_next().await.map_err(failed)? {
        if batch.num_rows() > 1 || row.is_some() && batch.num_rows() > 0 {
            let text = "set-returning functions are not allowed in EXECUTE parameters";
            return Err(error(SqlState::FeatureNotSupported, text));
        }
        row = row.or(Some(batch).filter(|batch| batch.num_rows() > 0));
    }
    let columns = row.as_ref().map(|row| row.columns()).unwrap_or_default();
    let scalars = columns.iter().map(|column| ScalarValue::try_from_array(column, 0));
    let wrong = |cause: datafusion::error::DataFusionError| error(SqlState::Value, cause.to_string());
    Ok((query.clone(), scalars.collect::<Result<_, _>>().map_err(wrong)?))
}

/// How a type is called in a statement.
fn type_name(of: &Type) -> String {
    match of.kind() {
        Kind::Array(element) => format!("{}[]", element.name()),
        _ => of.name().to_owned(),
    }
}
