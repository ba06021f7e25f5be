//! The route that takes small tables, such as the names of skills.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use axum::Json;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use skillscope_query::table_name;
use skillscope_segment::{AccountId, Input, SmallTable, TableFormat};
use skillscope_store::{IfThere, Relation};
use utoipa::{IntoParams, ToSchema};

use super::ingestion::IngestionProblems;
use super::negotiation::named;
use super::openapi::{Binary, problem_responses};
use super::path_variables::PathVariables;
use super::problem::Problem;
use super::request_body::{BodyLimits, RequestBody};
use crate::App;
use crate::caller::Caller;
use crate::memory_budget::Owners;
use crate::threads::NotDone;

const MEDIA_TYPES: [(&str, TableFormat); 4] = [
    ("text/csv", TableFormat::Csv),
    ("application/vnd.apache.parquet", TableFormat::Parquet),
    ("application/vnd.apache.arrow.stream", TableFormat::Arrow),
    ("application/vnd.apache.arrow.file", TableFormat::Arrow),
];

/// The account that stands for all of them.
pub(super) const ALL: &str = "*";

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct TablePath {
    /// The account whose table it is, or `*` for a table that every account sees.
    #[param(pattern = r"^([A-Za-z0-9._-]{1,64}|\*)$")]
    account: String,
    /// The table's name. Capitals count as small letters, as in SQL.
    #[param(pattern = "^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
    name: String,
}

/// A table that is kept now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TableBody {
    /// Its name.
    #[schema(example = "skills")]
    table: String,
    /// How many rows it has.
    #[schema(example = 12)]
    rows: u64,
    /// Its columns.
    columns: Vec<TableColumn>,
}

/// A column of a table.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TableColumn {
    /// Its name.
    #[schema(example = "skill_id")]
    name: String,
    /// Its type, by PostgreSQL's name.
    #[serde(rename = "type")]
    #[schema(example = "bigint")]
    kind: &'static str,
}

impl TableBody {
    fn new(table: String, rows: &SmallTable) -> Self {
        let column = |schema: &Schema| {
            let fields = schema.fields().iter();
            fields.map(|field| TableColumn { name: field.name().clone(), kind: type_name(field.data_type()) }).collect()
        };
        Self { table, rows: rows.rows().num_rows() as u64, columns: column(&rows.schema()) }
    }
}

fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "boolean",
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "smallint",
        DataType::Int32 | DataType::UInt16 => "integer",
        DataType::Int64 | DataType::UInt32 => "bigint",
        DataType::UInt64 | DataType::Decimal128(..) => "numeric",
        DataType::Float32 => "real",
        DataType::Float64 => "double precision",
        DataType::Date32 => "date",
        DataType::Time64(_) => "time without time zone",
        DataType::Timestamp(_, None) => "timestamp without time zone",
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone",
        _ => "text",
    }
}

/// A request with a table in its body.
pub(super) struct TableRequest {
    caller: Caller,
    path: TablePath,
    headers: HeaderMap,
    body: RequestBody,
}

impl<S: Send + Sync> FromRequest<S> for TableRequest
where
    Arc<BodyLimits>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let PathVariables(path) = PathVariables::from_request_parts(&mut parts, state).await?;
        let caller = Caller::from_request_parts(&mut parts, state).await?;
        let headers = parts.headers.clone();
        let Ok(body) = RequestBody::from_request(Request::from_parts(parts, body), state).await;
        Ok(Self { caller, path, headers, body })
    }
}

problem_responses! {
    TableNotStored { 503: "The table could not be stored, or too much is under way.", }
}

/// Replace a small table.
///
/// It has at most 64 MiB, and is kept whole or not at all in the place of the one of its name. SQL finds it at every
/// door. By convention, `skills (skill_id, name)` and `agents (agent_id, name)` are the names of what segments have
/// numbers of.
#[utoipa::path(post, path = "/v1/accounts/{account}/tables/{name}", operation_id = "store_table", tag = "sql",
    params(TablePath),
    request_body(description = "The rows. CSV has the names of the columns in its first line. The header `Content-Encoding` may say `gzip` or `zstd`.", content(
        (String = "text/csv"),
        (inline(Binary) = "application/vnd.apache.parquet"),
        (inline(Binary) = "application/vnd.apache.arrow.stream"),
        (inline(Binary) = "application/vnd.apache.arrow.file"),
    )),
    responses(
        (status = 200, description = "The table is on disk.", body = TableBody),
        IngestionProblems,
        TableNotStored,
    ))]
pub(super) async fn post(State(app): State<App>, request: TableRequest) -> Result<Json<TableBody>, Problem> {
    let TableRequest { caller, path: TablePath { account, name }, headers, body } = request;
    let format = named(&headers, CONTENT_TYPE, &MEDIA_TYPES, None)?;
    let owner = owner(&caller, &account)?;
    let told = |error: skillscope_store::RelationError| {
        Problem::invalid_parameter(error.to_string()).blaming("name", Some(name.clone()))
    };
    let table = table_name(&name).map_err(told)?;
    let body = body.read_encoded(&headers, &Owners::of(owner.as_ref(), caller.holder())).await?;
    let store = app.store();
    let kept = app.threads().columns.run(&account, move |client| {
        let body = body.decoded(|| client.has_gone())?;
        let rows = SmallTable::read(format, Input::Bytes(body.bytes())).map_err(skillscope_store::Error::from)?;
        drop(body);
        let answer = TableBody::new(table.to_string(), &rows);
        store.put_relation(Relation::table(owner, table, rows), IfThere::Replace)?;
        Ok::<_, Problem>(answer)
    });
    let kept = kept.await.map_err(|not_done| match not_done {
        NotDone::Full => Problem::busy("more is waiting to be stored than can be taken; send the request again"),
        NotDone::GivenUp => Problem::internal("the table could not be read; the server's log says why"),
    });
    let answer = kept??;
    tracing::info!(table = %answer.table, %account, rows = answer.rows, "a table was replaced");
    Ok(Json(answer))
}

/// The account whose table it is to be; `None` for all.
fn owner(caller: &Caller, account: &str) -> Result<Option<AccountId>, Problem> {
    if account != ALL {
        return Ok(Some(caller.account(account)?));
    }
    caller.check_all()?;
    Ok(None)
}
