//! The route of the names of skills and agents, which tables and views have by convention.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use axum::Json;
use axum::extract::State;
use futures::TryStreamExt;
use serde::Serialize;
use skillscope_query::{ErrorKind, Scope, SqlRows, SqlSession};
use skillscope_segment::AccountId;
use utoipa::ToSchema;

use super::openapi::problem_responses;
use super::path_variables::PathVariables;
use super::problem::Problem;
use super::report::ReportAccount;
use super::sql::DOOR;
use crate::App;
use crate::caller::Caller;

/// The most names of one kind, and the most bytes of them with what they are the names of.
const MOST_NAMES: usize = 100_000;
const MOST_BYTES: usize = 16 << 20;

/// How long a table may be read: far longer than it takes, unless it is a view that computes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the names of one kind are.
#[derive(Debug, Clone, Copy)]
struct Named {
    table: &'static str,
    /// The column of what they are the names of.
    id: &'static str,
}

const SKILLS: Named = Named { table: "skills", id: "skill_id" };
const AGENTS: Named = Named { table: "agents", id: "agent_id" };

/// The names of skills and agents.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NamesBody {
    /// The names of skills by their numbers, in ascending order: `skill_id` and `name` of `skills`.
    #[schema(value_type = BTreeMap<String, String>, example = json!({ "7": "Billing" }))]
    skills: BTreeMap<i64, String>,
    /// The names of agents by their identifiers, in order of text: `agent_id` and `name` of `agents`.
    #[schema(example = json!({ "ann": "Ann" }))]
    agents: BTreeMap<String, String>,
}

problem_responses! {
    NamesProblems {
        400: "The account is not one, there are too many names, or a view cannot be read.",
        409: "The statement that reads a view was ended on request.",
        422: "A view took too long.",
        503: "Too many statements run, or need the memory that there is for them.",
    }
}

/// List the names of an account's skills and agents.
///
/// They are those of the tables or views `skills (skill_id, name)` and `agents (agent_id, name)` that the account sees:
/// its own, or else those for all. A table that is not there, or has other columns, gives no names.
#[utoipa::path(get, path = "/v1/accounts/{account}/names", operation_id = "names", tag = "report",
    params(ReportAccount),
    responses((status = 200, description = "The names.", body = NamesBody), NamesProblems))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    PathVariables(account): PathVariables<String>,
) -> Result<Json<NamesBody>, Problem> {
    let account = caller.account(&account)?;
    let session = caller.sql(&app, Scope::Account(account.clone()), DOOR).only_reading().within(PATIENCE);
    let skills = names(&app, &session, &account, SKILLS, |id| id.parse().ok()).await?;
    let agents = names(&app, &session, &account, AGENTS, |id| Some(id.to_owned())).await?;
    Ok(Json(NamesBody { skills, agents }))
}

/// The names of one kind that the account has. `key` makes what they are the names of from its text; where it cannot,
/// the row is left out.
async fn names<K: Ord + Send + 'static>(
    app: &App,
    session: &SqlSession,
    account: &AccountId,
    named: Named,
    key: fn(&str) -> Option<K>,
) -> Result<BTreeMap<K, String>, Problem> {
    if app.store().relations().seen_by(Some(account), named.table).is_none() {
        return Ok(BTreeMap::new());
    }
    let reading = session.clone();
    let read = session.spawn(async move {
        match reading.run(&named.statement(), Vec::new()).await {
            Ok(rows) => read(rows, named, key).await,
            // A view that cannot be planned is told as such: it is the table itself that has no such column.
            Err(error) if error.kind() == ErrorKind::UnknownColumn => Ok(BTreeMap::new()),
            Err(error) => Err(named.problem(error)),
        }
    });
    read.await?
}

/// Reads all rows. Where one thing has several names, it is called by the first of them in order of text.
async fn read<K: Ord>(
    mut rows: SqlRows,
    named: Named,
    key: fn(&str) -> Option<K>,
) -> Result<BTreeMap<K, String>, Problem> {
    let mut names = BTreeMap::new();
    let (mut number, mut bytes) = (0_usize, 0_usize);
    if !are_names(&rows.schema()) {
        return Ok(names);
    }
    while let Some(batch) = rows.try_next().await.map_err(|error| named.problem(error))? {
        number = number.saturating_add(batch.num_rows());
        let (Some(ids), Some(texts)) = (text(&batch, 0), text(&batch, 1)) else { continue };
        for (id, name) in ids.iter().zip(&texts) {
            let (Some(id), Some(name)) = (id, name) else { continue };
            bytes = bytes.saturating_add(id.len()).saturating_add(name.len());
            if number > MOST_NAMES || bytes > MOST_BYTES {
                return Err(named.too_many());
            }
            let Some(key) = key(id) else { continue };
            let kept = names.entry(key).or_insert_with(|| name.to_owned());
            if name < kept.as_str() {
                name.clone_into(kept);
            }
        }
    }
    Ok(names)
}

impl Named {
    fn statement(self) -> String {
        let Self { table, id } = self;
        let most = MOST_NAMES + 1;
        format!("select {id}, name from {table} where {id} is not null and name is not null limit {most}")
    }

    /// The problem of a table that cannot be read, which it is to blame for unless the server is.
    fn problem(self, error: skillscope_query::Error) -> Problem {
        let problem = Problem::from(error);
        if problem.refusal().is_none() { problem } else { self.blamed(problem) }
    }

    fn too_many(self) -> Problem {
        let (table, megabytes) = (self.table, MOST_BYTES >> 20);
        self.blamed(Problem::invalid_query(format!(
            "{table} has more than {MOST_NAMES} names, or more than {megabytes} MiB of them; ask for them in SQL"
        )))
    }

    fn blamed(self, problem: Problem) -> Problem {
        problem.blaming("table", Some(self.table.to_owned()))
    }
}

/// Whether columns are those of things and their names.
fn are_names(schema: &Schema) -> bool {
    match schema.fields().as_ref() {
        [id, name] => (is_whole(id.data_type()) || is_text(id.data_type())) && is_text(name.data_type()),
        _ => false,
    }
}

fn is_whole(data_type: &DataType) -> bool {
    // Some whole numbers are larger than a `bigint`, and decimals in SQL.
    data_type.is_integer() || matches!(data_type, DataType::Decimal128(_, 0))
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// A column as text; `None` where there is none.
fn text(batch: &RecordBatch, place: usize) -> Option<StringArray> {
    let column = batch.columns().get(place)?;
    cast(column, &DataType::Utf8).ok()?.as_string_opt().cloned()
}
