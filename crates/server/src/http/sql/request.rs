//! What a request for SQL asks for, in the body of a POST or in the URL of a GET.

use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::openapi::Schema;
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, SchemaType, Type};
use utoipa::{IntoParams, ToSchema};

use crate::RowFormat;
use crate::http::negotiation::accepted;
use crate::http::problem::Problem;

/// The parameters of the URL, which are the fields of the body as well.
const NAMES: [&str; 5] = ["query", "account", "format", "parameters", "bom"];

/// A statement to run.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SqlBody {
    /// A statement, in DataFusion's dialect of SQL with PostgreSQL's meaning, over the table `segments`, its views, and
    /// the schema `system`.
    #[schema(
        format = "sql",
        min_length = 1,
        example = "select skill_id, count(*) as segments from segments group by skill_id"
    )]
    pub(super) query: String,
    /// The only account whose rows are seen; absent, all are.
    #[schema(example = "demo", pattern = "^[A-Za-z0-9._-]{1,64}$")]
    pub(super) account: Option<String>,
    /// The format of the answer; absent, the header `Accept` chooses.
    #[schema(schema_with = formats)]
    pub(super) format: Option<String>,
    /// The values of `$1`, `$2` …: each becomes what the statement wants in its place.
    #[schema(schema_with = values)]
    pub(super) parameters: Option<Vec<Box<RawValue>>>,
    /// Whether CSV begins with a byte order mark, by which Excel knows that a file is UTF-8.
    pub(super) bom: Option<bool>,
}

/// The same in a URL.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct SqlQuery {
    /// A statement that reads. It calls nothing that changes something, such as `kill_query`.
    #[param(
        required = true,
        format = "sql",
        min_length = 1,
        example = "select skill_id, count(*) as segments from segments group by skill_id"
    )]
    query: String,
    /// The only account whose rows are seen; absent, all are.
    #[param(example = "demo", pattern = "^[A-Za-z0-9._-]{1,64}$")]
    account: Option<String>,
    /// The format of the answer; absent, the header `Accept` chooses.
    #[param(schema_with = formats)]
    format: Option<String>,
    /// The values of `$1`, `$2` … as a JSON array: each becomes what the statement wants in its place.
    #[param(example = "[]")]
    parameters: Option<String>,
    /// Whether CSV begins with a byte order mark, by which Excel knows that a file is UTF-8.
    bom: Option<bool>,
}

fn formats() -> Object {
    let names = RowFormat::NAMES.map(|(name, _)| name);
    let told = "The format of the answer; absent, the header `Accept` chooses.";
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).description(Some(told)).build()
}

fn values() -> Schema {
    ArrayBuilder::new().items(ObjectBuilder::new().schema_type(SchemaType::AnyValue)).build().into()
}

impl SqlBody {
    /// Reads the parameters of a URL.
    pub(super) fn of_url(parameters: &str) -> Result<Self, Problem> {
        let mut seen = Vec::new();
        let mut body = Self::default();
        for (name, value) in form_urlencoded::parse(parameters.as_bytes()) {
            let wrong = |rule: String| Problem::invalid_parameter(rule).blaming(&name, Some(value.to_string()));
            if seen.contains(&name) {
                return Err(wrong("it is given more than once".to_owned()));
            }
            match name.as_ref() {
                "query" => body.query = value.to_string(),
                "account" => body.account = Some(value.to_string()),
                "format" => body.format = Some(value.to_string()),
                "parameters" => {
                    let values = serde_json::from_str(&value);
                    body.parameters =
                        Some(values.map_err(|error| wrong(format!("it is a JSON array of values: {error}")))?);
                }
                "bom" => {
                    let is_asked = value.parse().map_err(|_| wrong("it is true or false".to_owned()))?;
                    body.bom = Some(is_asked);
                }
                _ => return Err(wrong(format!("there is no such parameter here; there are {}", NAMES.join(", ")))),
            }
            seen.push(name);
        }
        if body.query.trim().is_empty() {
            let value = seen.iter().any(|name| name == "query").then(|| body.query.clone());
            return Err(Problem::invalid_parameter("it is the statement to run").blaming("query", value));
        }
        Ok(body)
    }

    /// Refuses what belongs in the body where it stands in the URL of a POST: it is not passed over.
    pub(super) fn check_url(parameters: &str) -> Result<(), Problem> {
        for (name, value) in form_urlencoded::parse(parameters.as_bytes()) {
            let meant = NAMES.into_iter().find(|field| name.eq_ignore_ascii_case(field));
            if let Some(field) = meant {
                let rule = format!("it belongs in the body, as the field {field}, and not in the URL");
                return Err(Problem::invalid_parameter(rule).blaming(&name, Some(value.into_owned())));
            }
        }
        Ok(())
    }

    /// The format of the answer, which is named here or by the header `Accept`.
    pub(super) fn format(&self, headers: &HeaderMap) -> Result<RowFormat, Problem> {
        let Some(named) = &self.format else { return accepted(headers, &RowFormat::MEDIA_TYPES) };
        let known = RowFormat::NAMES.into_iter().find(|(name, _)| name == named);
        known.map(|(_, format)| format).ok_or_else(|| {
            let names = RowFormat::NAMES.map(|(name, _)| name).join(", ");
            Problem::invalid_parameter(format!("it is one of {names}")).blaming("format", Some(named.clone()))
        })
    }
}
