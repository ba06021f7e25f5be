//! Where statements run: a data directory, a running server, or an archive.

use std::sync::Arc;

use anyhow::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::TryStreamExt;
use skillscope_query::{Clock, Engine, Scope, SqlRows, SqlSession};
use skillscope_replay::{ArchiveRows, ArchiveSql, PlanRunner};
use skillscope_segment::AccountId;
use skillscope_store::{LinkedCopy, Store, StoreOptions};

use crate::archive;
use crate::arguments::{SqlArguments, scope};
use crate::remote::{RemoteRows, RemoteServer};

/// How lists of statements name the door of these.
const DOOR: &str = "console";

/// The place where statements run.
pub(super) enum Source {
    /// A data directory, opened for reading only.
    Directory { engine: Box<Engine>, session: SqlSession },
    /// A running server.
    Server { server: RemoteServer, scope: Scope },
    /// An archive, which a cluster may read.
    Archive(Box<ArchiveSource>),
}

/// A session of the directory's owner, who may define views, and have some for as long as the console is open.
fn session_of(engine: &Engine, scope: Scope) -> SqlSession {
    engine.sql(scope, DOOR).with_administration().with_temporary_views()
}

/// The rows of an answer, as they come. Dropping them ends the statement.
pub(super) enum Rows {
    Local(SqlRows),
    Remote(Box<RemoteRows>),
    Archive(ArchiveRows),
}

/// SQL over an archive.
pub(super) struct ArchiveSource {
    sql: ArchiveSql,
    scope: Scope,
    /// What is read where a server has the directory open.
    _copy: Option<LinkedCopy>,
}

impl Source {
    pub(super) async fn open(arguments: &SqlArguments) -> Result<Self> {
        let scope = scope(arguments.account.as_ref());
        if let Some(location) = &arguments.archive {
            let runner = arguments.ballista.as_deref().map_or_else(PlanRunner::local, PlanRunner::cluster)?;
            let (archive, copy) = archive::open(location, false).await?;
            let sql = ArchiveSql::new(archive, runner, &scope, arguments.limits.limits_of_console()).await?;
            return Ok(Self::Archive(Box::new(ArchiveSource { sql, scope, _copy: copy })));
        }
        if let Some(url) = &arguments.store.url {
            return Ok(Self::Server { server: RemoteServer::at(url, &arguments.store.client)?, scope });
        }
        // With no hours in memory, the console is ready at once. Statements read the archive when they need it.
        let options = StoreOptions { hot_hours: 0, ..StoreOptions::default() };
        let data_dir = &arguments.store.directory.data_dir;
        match Store::open_to_read(data_dir, options) {
            Ok(store) => {
                let engine = Engine::new(Arc::new(store), Clock::System, arguments.limits.limits_of_console())?;
                let session = session_of(&engine, scope);
                Ok(Self::Directory { engine: Box::new(engine), session })
            }
            Err(error) => Ok(Self::Server { server: RemoteServer::that_has_open(data_dir, error)?, scope }),
        }
    }

    /// Shows the rows of this account from now on, or of all.
    pub(super) async fn see(&mut self, account: Option<&AccountId>) -> Result<()> {
        let new = scope(account);
        match self {
            Self::Directory { engine, session } => *session = session_of(engine, new),
            Self::Server { scope, .. } => *scope = new,
            Self::Archive(archive) => {
                archive.sql.see(&new).await?;
                archive.scope = new;
            }
        }
        Ok(())
    }

    /// The account whose rows are seen, which the prompt shows; `None` for all accounts.
    pub(super) fn account(&self) -> Option<&str> {
        let scope = match self {
            Self::Directory { session, .. } => session.scope(),
            Self::Server { scope, .. } => scope,
            Self::Archive(archive) => &archive.scope,
        };
        scope.account().map(AccountId::as_str)
    }

    pub(super) async fn run(&self, text: &str) -> Result<Rows> {
        match self {
            Self::Directory { session, .. } => Ok(Rows::Local(session.run(text, Vec::new()).await?)),
            Self::Server { server, .. } => Ok(Rows::Remote(Box::new(server.run(text, self.account()).await?))),
            Self::Archive(archive) => Ok(Rows::Archive(archive.sql.run(text).await?)),
        }
    }

    /// Collects all rows of a short answer.
    pub(super) async fn all(&self, text: &str) -> Result<Vec<RecordBatch>> {
        let mut rows = self.run(text).await?;
        let mut batches = Vec::new();
        while let Some(batch) = rows.next().await? {
            batches.push(batch);
        }
        Ok(batches)
    }
}

impl Rows {
    pub(super) fn schema(&self) -> SchemaRef {
        match self {
            Self::Local(rows) => rows.schema(),
            Self::Remote(rows) => rows.schema(),
            Self::Archive(rows) => rows.schema(),
        }
    }

    /// What the client should know of a statement that defines, if it is told here.
    pub(super) fn notice(&self) -> Option<&str> {
        match self {
            Self::Local(rows) => rows.defined()?.notice.as_deref(),
            Self::Remote(_) | Self::Archive(_) => None,
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self {
            Self::Local(rows) => Ok(rows.try_next().await?),
            Self::Remote(rows) => rows.next().await,
            Self::Archive(rows) => Ok(rows.next().await?),
        }
    }
}
