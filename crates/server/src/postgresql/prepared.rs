//! Prepared statements.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::FieldInfo;
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::{ClientInfo, Type};
use datafusion_postgres::pgwire::error::PgWireResult;
use skillscope_query::SqlDescription;

use super::bound::arrow_type;
use super::command::{Command, commands};
use super::error::{SqlState, error, failed};
use super::explain;
use super::kept::Place;
use super::session::Session;
use super::values::{fields, type_of};

/// What a column of a prepared statement takes beside its name.
const COLUMN_BYTES: usize = 256;

/// What a parameter of a prepared statement takes.
const PARAMETER_BYTES: usize = 64;

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
        let parameters = description.parameters.len() * PARAMETER_BYTES;
        let bytes = text.len().saturating_add(columns.sum::<usize>() + parameters);
        Self { parsed: Arc::new(Parsed { command, description, bytes }), places: Vec::new() }
    }

    pub(super) fn command(&self) -> &Command {
        &self.parsed.command
    }

    /// The types of the parameters, `$1` first, as far as the statement tells.
    pub(super) fn known_parameters(&self) -> &[Option<DataType>] {
        &self.parsed.description.parameters
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

/// Prepares statements.
pub(super) struct Parser(Arc<Session>);

impl Parser {
    pub(super) fn new(session: Arc<Session>) -> Self {
        Self(session)
    }

    /// Prepares a command whose parameters, `$1` first, have types that are told, as far as they are.
    pub(super) async fn prepare(
        &self,
        command: Command,
        told: Vec<Option<DataType>>,
        text: &str,
    ) -> PgWireResult<Prepared> {
        let session = self.0.get()?;
        let nothing = || Arc::new(Schema::empty());
        let description = match &command {
            Command::Query(query) => session.describe_with(query, told).await.map_err(failed)?,
            Command::Explain { query, .. } => SqlDescription {
                schema: explain::schema(),
                ..session.describe_with(query, told).await.map_err(failed)?
            },
            Command::Copy { query, .. } => {
                SqlDescription { schema: nothing(), ..session.describe_with(query, told).await.map_err(failed)? }
            }
            Command::Declare(declared) => {
                let description = session.describe_with(&declared.query, told).await.map_err(failed)?;
                SqlDescription { schema: nothing(), ..description }
            }
            Command::Execute { .. } => {
                let text = "EXECUTE is a statement of simple queries; in this protocol a client binds values";
                return Err(error(SqlState::FeatureNotSupported, text));
            }
            _ => SqlDescription { schema: nothing(), parameters: Vec::new() },
        };
        Ok(Prepared::new(command, description, text))
    }

    /// The columns of the rows of a statement.
    pub(super) fn schema(&self, prepared: &Prepared) -> SchemaRef {
        match prepared.command() {
            // What a cursor has is known once it is there, and is nothing otherwise.
            Command::Fetch(fetch) if !fetch.is_move => {
                let cursor = self.0.cursors.about(&fetch.name);
                cursor.map_or_else(|| Arc::new(Schema::empty()), |about| about.schema)
            }
            Command::Show(shown) => shown.schema(),
            _ => Arc::clone(&prepared.parsed.description.schema),
        }
    }
}

#[async_trait]
impl QueryParser for Parser {
    type Statement = Prepared;

    async fn parse_sql<C>(&self, _client: &C, sql: &str, types: &[Option<Type>]) -> PgWireResult<Option<Prepared>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let mut commands = commands(self.0.get()?, sql).await?.into_iter();
        let Some(command) = commands.next() else { return Ok(None) };
        if commands.next().is_some() {
            return Err(error(SqlState::SyntaxError, "cannot insert multiple commands into a prepared statement"));
        }
        let told = types.iter().map(|told| arrow_type(told.as_ref()?)).collect();
        self.prepare(command, told, sql).await.map(Some)
    }

    fn get_parameter_types(&self, prepared: &Prepared) -> PgWireResult<Vec<Type>> {
        let types = prepared.known_parameters().iter();
        Ok(types.map(|known| known.as_ref().map_or(Type::TEXT, type_of)).collect())
    }

    fn get_result_schema(&self, prepared: &Prepared, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        Ok(fields(&self.schema(prepared), format.unwrap_or(&Format::UnifiedText)))
    }
}
