//! The prepared statements and portals of a connection. They are counted, so that a client leaves only so much on the
//! server, and can all be removed.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion_postgres::pgwire::api::portal::Portal;
use datafusion_postgres::pgwire::api::stmt::StoredStatement;
use datafusion_postgres::pgwire::api::store::{Entry, PortalStore};
use datafusion_postgres::pgwire::api::{ClientPortalStore, DEFAULT_NAME, Type};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Parse, ParseComplete, TARGET_TYPE_BYTE_STATEMENT,
};
use futures::SinkExt;
use parking_lot::Mutex;

use super::client::{Client, Stream};
use super::cursors::Cursors;
use super::error::{SqlState, error, not_kept};
use super::kept::{Kept, Kind, Refusal, STATEMENTS};
use super::memory::MessageMemory;
use super::prepared::{Parser, Prepared};

/// What the type of a parameter takes, and a value beside its bytes.
const TYPE_BYTES: usize = 64;

/// The longest name of a statement that does nothing.
const EMPTY_NAME_BYTES: usize = 256;

/// The prepared statements and portals of one client, beside the store of its connection, which does not tell the names
/// in it.
pub(super) struct Statements {
    kept: Arc<Kept>,
    names: Mutex<HashSet<String>>,
}

impl Statements {
    pub(super) fn new(memory: MessageMemory) -> Self {
        Self { kept: Arc::new(Kept::new(memory)), names: Mutex::default() }
    }

    /// What this client has left on the server.
    pub(super) fn kept(&self) -> &Arc<Kept> {
        &self.kept
    }

    /// Prepares a statement.
    pub(super) async fn parse<S: Stream>(
        &self,
        client: &mut Client<S>,
        message: &Parse,
        parser: Arc<Parser>,
    ) -> PgWireResult<()> {
        let name = message.name.clone().unwrap_or_else(|| DEFAULT_NAME.to_owned());
        match StoredStatement::parse(client, message, parser).await? {
            Some(parsed) => self.keep(client.portal_store(), name, &parsed.statement, parsed.parameter_types)?,
            None => self.keep_empty(client.portal_store(), name)?,
        }
        client.send(PgWireBackendMessage::ParseComplete(ParseComplete::new())).await?;
        Ok(())
    }

    fn keep(
        &self,
        store: &impl PortalStore<Statement = Prepared>,
        name: String,
        statement: &Prepared,
        types: Vec<Option<Type>>,
    ) -> PgWireResult<()> {
        let bytes = statement.bytes() + name.len() + types.len() * TYPE_BYTES;
        // The one that it takes the place of goes first.
        self.remove(store, &name);
        let counted = statement.counted(self.kept.place(Kind::Statement, bytes).map_err(not_kept)?);
        store.put_statement(Arc::new(StoredStatement::new(name.clone(), counted, types)));
        self.names.lock().insert(name);
        Ok(())
    }

    /// Keeps what `PREPARE` prepares.
    pub(super) fn prepare<S: Stream>(
        &self,
        client: &Client<S>,
        name: &str,
        prepared: &Prepared,
        types: Vec<Option<Type>>,
    ) -> PgWireResult<()> {
        if self.names.lock().contains(name) {
            return Err(already_there(name));
        }
        self.keep(client.portal_store(), name.to_owned(), prepared, types)
    }

    /// The statement of this name, if it does anything.
    pub(super) fn find<S: Stream>(&self, client: &Client<S>, name: &str) -> PgWireResult<Prepared> {
        match client.portal_store().get_statement(name) {
            Some(Entry::Value(stored)) => Ok(stored.statement.clone()),
            Some(Entry::Empty) | None => Err(missing(name)),
        }
    }

    /// Whether there is a statement of this name.
    pub(super) fn check(&self, name: &str) -> PgWireResult<()> {
        if self.names.lock().contains(name) { Ok(()) } else { Err(missing(name)) }
    }

    /// Keeps a statement that does nothing. It takes no more than its name.
    fn keep_empty(&self, store: &impl PortalStore, name: String) -> PgWireResult<()> {
        let mut names = self.names.lock();
        if name.len() > EMPTY_NAME_BYTES || names.len() >= STATEMENTS {
            return Err(not_kept(Refusal::Statements));
        }
        store.put_empty_statement(&name);
        names.insert(name);
        Ok(())
    }

    /// Makes a portal of a statement and values for its parameters.
    pub(super) async fn bind<S: Stream>(
        &self,
        client: &mut Client<S>,
        parser: &Parser,
        message: &Bind,
    ) -> PgWireResult<()> {
        let statement = message.statement_name.as_deref().unwrap_or(DEFAULT_NAME);
        let portal = message.portal_name.as_deref().unwrap_or(DEFAULT_NAME);
        match client.portal_store().get_statement(statement) {
            Some(Entry::Value(stored)) => {
                check_formats(message, parser.schema(&stored.statement).fields().len())?;
                client.portal_store().rm_portal(portal);
                let place = self.kept.place(Kind::Portal, portal.len() + bytes(message)).map_err(not_kept)?;
                let counted = stored.statement.counted(place);
                let counted = StoredStatement::new(stored.id.clone(), counted, stored.parameter_types.clone());
                client.portal_store().put_portal(Arc::new(Portal::try_new(message, Arc::new(counted))?));
            }
            Some(Entry::Empty) if !message.parameters.is_empty() => {
                return Err(error(SqlState::Protocol, "an empty statement has no parameters"));
            }
            Some(Entry::Empty) if portal != DEFAULT_NAME => {
                return Err(error(SqlState::Protocol, "the portal of an empty statement has no name"));
            }
            Some(Entry::Empty) => client.portal_store().put_empty_portal(portal),
            None => return Err(PgWireError::StatementNotFound(statement.to_owned())),
        }
        client.send(PgWireBackendMessage::BindComplete(BindComplete::new())).await?;
        Ok(())
    }

    /// Removes a statement or a portal. A cursor is a portal, too.
    pub(super) async fn close<S: Stream>(
        &self,
        client: &mut Client<S>,
        cursors: &Cursors,
        message: &Close,
    ) -> PgWireResult<()> {
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        match message.target_type {
            TARGET_TYPE_BYTE_STATEMENT => self.remove(client.portal_store(), name),
            _ => {
                client.portal_store().rm_portal(name);
                cursors.remove(name);
            }
        }
        client.send(PgWireBackendMessage::CloseComplete(CloseComplete::new())).await?;
        Ok(())
    }

    /// Removes the statement of this name.
    pub(super) fn remove(&self, store: &impl PortalStore, name: &str) {
        self.names.lock().remove(name);
        store.rm_statement(name);
    }

    /// Removes all statements.
    pub(super) fn remove_all(&self, store: &impl PortalStore) {
        let names = std::mem::take(&mut *self.names.lock());
        names.iter().for_each(|name| store.rm_statement(name));
        store.rm_statement(DEFAULT_NAME);
    }
}

fn already_there(name: &str) -> PgWireError {
    error(SqlState::DuplicateStatement, format!("prepared statement \"{name}\" already exists"))
}

fn missing(name: &str) -> PgWireError {
    error(SqlState::UnknownStatement, format!("prepared statement \"{name}\" does not exist"))
}

/// What a portal takes: its values lie in the bytes of the message.
fn bytes(message: &Bind) -> usize {
    let values = message.parameters.iter().map(|value| TYPE_BYTES + value.as_ref().map_or(0, bytes::Bytes::len));
    values.sum::<usize>() + 2 * (message.parameter_format_codes.len() + message.result_column_format_codes.len())
}

/// Checks that each column has a format, if they have formats of their own.
fn check_formats(message: &Bind, columns: usize) -> PgWireResult<()> {
    let formats = message.result_column_format_codes.len();
    if formats > 1 && formats != columns {
        let text = format!("bind message has {formats} result formats but query has {columns} columns");
        return Err(error(SqlState::Protocol, text));
    }
    Ok(())
}
