//! Prepared statements.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::sql::sqlparser::ast::Statement;
use datafusion_postgres::arrow_pg::datatypes::df::deserialize_parameters;
use datafusion_postgres::arrow_pg::datatypes::{arrow_schema_to_pg_fields, into_pg_type};
use datafusion_postgres::pgwire::api::portal::{Format, Portal};
use datafusion_postgres::pgwire::api::results::FieldInfo;
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::{ClientInfo, Type};
use datafusion_postgres::pgwire::error::PgWireResult;
use skillscope_query::SqlDescription;

use super::command::{Command, commands};
use super::error::{SqlState, error, failed};
use super::session::Session;

/// A prepared statement. It is planned again whenever it runs, over the rows of that moment.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    pub(super) command: Command,
    description: SqlDescription,
}

impl Prepared {
    /// The values that the client has bound. A parameter is text where neither the statement nor the client tells its
    /// type.
    pub(super) fn parameters(portal: &Portal<Self>) -> PgWireResult<Vec<ScalarValue>> {
        let told = |number: usize| portal.statement.parameter_types.get(number).is_some_and(Option::is_some);
        let known = portal.statement.statement.description.parameters.iter().enumerate();
        let types: Vec<Option<&DataType>> =
            known.map(|(number, known)| known.as_ref().or((!told(number)).then_some(&DataType::Utf8))).collect();
        Ok(match deserialize_parameters(portal, &types)? {
            ParamValues::List(values) => values.into_iter().map(|value| value.value).collect(),
            ParamValues::Map(_) => Vec::new(),
        })
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

    async fn parse_sql<C>(&self, _client: &C, sql: &str, _types: &[Option<Type>]) -> PgWireResult<Option<Prepared>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let session = self.0.get()?;
        let mut commands = commands(session, sql).await?.into_iter();
        let Some(command) = commands.next() else { return Ok(None) };
        if commands.next().is_some() {
            return Err(error(SqlState::SyntaxError, "a prepared statement is one statement"));
        }
        let description = match &command {
            Command::Query(text) => session.describe(text).await.map_err(failed)?,
            Command::Copy { query, .. } => {
                let description = session.describe(query).await.map_err(failed)?;
                SqlDescription { schema: Arc::new(Schema::empty()), ..description }
            }
            Command::Control(statement) => SqlDescription { schema: control_schema(statement), parameters: Vec::new() },
            Command::Deallocate(_) => SqlDescription { schema: Arc::new(Schema::empty()), parameters: Vec::new() },
        };
        Ok(Some(Prepared { command, description }))
    }

    fn get_parameter_types(&self, prepared: &Prepared) -> PgWireResult<Vec<Type>> {
        let types = prepared.description.parameters.iter();
        types.map(|known| known.as_ref().map_or(Ok(Type::TEXT), into_pg_type)).collect()
    }

    fn get_result_schema(&self, prepared: &Prepared, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        arrow_schema_to_pg_fields(&prepared.description.schema, format.unwrap_or(&Format::UnifiedBinary), None)
    }
}
