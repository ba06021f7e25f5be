//! Prepared statements.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::sql::sqlparser::ast::Statement;
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::FieldInfo;
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::{ClientInfo, Type};
use datafusion_postgres::pgwire::error::PgWireResult;
use skillscope_query::SqlDescription;

use super::bound::arrow_type;
use super::command::{Command, commands};
use super::error::{SqlState, error, failed};
use super::kept::Place;
use super::session::Session;
use super::values::{fields, type_of};

/// What a column of a prepared statement takes beside its name.
const COLUMN_BYTES: usize = 256;

/// What a parameter of a prepared statement takes.
const PARAMETER_BYTES: usize = 64;

/// What the syntax tree of a control statement takes for each byte of its text, and more.
const BYTES_OF_TREE: usize = 200;

/// A prepared statement. It is planned again whenever it runs, over the rows of that moment. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    parsed: Arc<Parsed>,
    /// Count the statement, and the portal that has it. A portal keeps its statement also when that is removed.
    places: Vec<Arc<Place>>,
}

#[derive(Debug)]
struct Parsed {
    command: Command,
    description: SqlDescription,
    bytes: usize,
}

impl Prepared {
    fn new(command: Command, description: SqlDescription, text: &str) -> Self {
        let columns = description.schema.fields().iter().map(|field| COLUMN_BYTES + field.name().len());
        let of_text = match &command {
            Command::Control(_) => BYTES_OF_TREE,
            Command::Query(_)
            | Command::Copy { .. }
            | Command::Deallocate(_)
            | Command::Discard
            | Command::DiscardPlans => 1,
        };
        let parameters = description.parameters.len() * PARAMETER_BYTES;
        let bytes = text.len().saturating_mul(of_text).saturating_add(columns.sum::<usize>() + parameters);
        Self { parsed: Arc::new(Parsed { command, description, bytes }), places: Vec::new() }
    }

    pub(super) fn command(&self) -> &Command {
        &self.parsed.command
    }

    /// The types of the parameters, `$1` first, as far as the statement tells.
    pub(super) fn known_parameters(&self) -> &[Option<DataType>] {
        &self.parsed.description.parameters
    }

    /// The columns of its rows.
    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.parsed.description.schema)
    }

    /// The number of columns of its rows.
    pub(super) fn columns(&self) -> usize {
        self.parsed.description.schema.fields().len()
    }

    /// What it takes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.parsed.bytes
    }

    /// The same, counted as `place` too for as long as it is kept.
    pub(super) fn counted(&self, place: Place) -> Self {
        let mut counted = self.clone();
        counted.places.push(Arc::new(place));
        counted
    }
}

/// The columns of the answer to a control statement: one where it tells a setting, none where it does not.
fn control_schema(statement: &Statement) -> Arc<Schema> {
    let shows = matches!(
        statement,
        Statement::ShowVariable { .. } | Statement::ShowStatus { .. } | Statement::ShowCatalogs { .. }
    );
    Arc::new(if shows { Schema::new(vec![Field::new("show", DataType::Utf8, false)]) } else { Schema::empty() })
}

/// Prepares statements.
pub(super) struct Parser(Arc<Session>);

impl Parser {
    pub(super) fn new(session: Arc<Session>) -> Self {
        Self(session)
    }
}

#[async_trait]
impl QueryParser for Parser {
    type Statement = Prepared;

    async fn parse_sql<C>(&self, _client: &C, sql: &str, types: &[Option<Type>]) -> PgWireResult<Option<Prepared>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let session = self.0.get()?;
        let mut commands = commands(session, sql).await?.into_iter();
        let Some(command) = commands.next() else { return Ok(None) };
        if commands.next().is_some() {
            return Err(error(SqlState::SyntaxError, "a prepared statement is one statement"));
        }
        let told = types.iter().map(|told| arrow_type(told.as_ref()?)).collect();
        let description = match &command {
            Command::Query(text) => session.describe_with(text, told).await.map_err(failed)?,
            Command::Copy { query, .. } => {
                let description = session.describe_with(query, told).await.map_err(failed)?;
                SqlDescription { schema: Arc::new(Schema::empty()), ..description }
            }
            Command::Control(statement) => SqlDescription { schema: control_schema(statement), parameters: Vec::new() },
            Command::Deallocate(_) | Command::Discard | Command::DiscardPlans => {
                SqlDescription { schema: Arc::new(Schema::empty()), parameters: Vec::new() }
            }
        };
        Ok(Some(Prepared::new(command, description, sql)))
    }

    fn get_parameter_types(&self, prepared: &Prepared) -> PgWireResult<Vec<Type>> {
        let types = prepared.known_parameters().iter();
        Ok(types.map(|known| known.as_ref().map_or(Type::TEXT, type_of)).collect())
    }

    fn get_result_schema(&self, prepared: &Prepared, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        let schema = &prepared.parsed.description.schema;
        Ok(fields(schema, format.unwrap_or(&Format::UnifiedBinary)))
    }
}
