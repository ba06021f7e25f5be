use std::sync::Arc;

use anyhow::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::TryStreamExt;
use skillscope_query::{Clock, Engine, Scope, SqlRows, SqlSession};
use skillscope_replay::{Archive, ArchiveRows, ArchiveSql, PlanRunner};
use skillscope_segment::AccountId;
use skillscope_store::{Error, Store, StoreOptions};

use super::http::{HttpRows, HttpSource};
use crate::arguments::{SqlConsoleArguments, scope};

/// Where statements are run.
pub(super) enum Source {
    /// A data directory, which is not changed.
    Directory(SqlSession),
    /// A running server.
    Server(HttpSource),
    /// An archive, which may be read by a cluster.
    Archive(Box<ArchiveSource>),
}

/// The answer to a statement, as it comes. Dropping it ends the statement.
pub(super) enum Rows {
    Local(SqlRows),
    Remote(Box<HttpRows>),
    Archive(ArchiveRows),
}

/// SQL over an archive, and whose segments it sees.
pub(super) struct ArchiveSource {
    sql: ArchiveSql,
    scope: Scope,
}

impl Source {
    pub(super) async fn open(arguments: &SqlConsoleArguments) -> Result<Self> {
        let scope = scope(arguments.account.as_ref());
        let account = arguments.account.as_ref().map(ToString::to_string);
        if let Some(location) = &arguments.archive {
            let runner = arguments.ballista.as_deref().map_or_else(PlanRunner::local, PlanRunner::cluster)?;
            let archive = Archive::open(location.clone(), false).await?;
            let sql = ArchiveSql::new(archive, runner, &scope).await?;
            return Ok(Self::Archive(Box::new(ArchiveSource { sql, scope })));
        }
        if let Some(url) = &arguments.url {
            return Ok(Self::Server(HttpSource::new(url, account)?));
        }
        // What is archived is read when it is asked for: the console is ready at once.
        let options = StoreOptions { hot_hours: 0, ..StoreOptions::default() };
        match Store::open_to_read(&arguments.data_dir, options) {
            Ok(store) => {
                let engine = Engine::new(Arc::new(store), Clock::System, arguments.sql.limits())?;
                Ok(Self::Directory(engine.sql(scope, "console")))
            }
            Err(Error::InUse { url: Some(url), .. }) => {
                tracing::info!("{} is open in the server at {url}, which is asked", arguments.data_dir.display());
                Ok(Self::Server(HttpSource::new(&url, account)?))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the prompt says.
    pub(super) fn account(&self) -> Option<&str> {
        match self {
            Self::Directory(session) => session.scope().account().map(AccountId::as_str),
            Self::Server(server) => server.account(),
            Self::Archive(archive) => archive.scope.account().map(AccountId::as_str),
        }
    }

    pub(super) async fn run(&self, text: &str) -> Result<Rows> {
        match self {
            Self::Directory(session) => Ok(Rows::Local(session.run(text, Vec::new()).await?)),
            Self::Server(server) => Ok(Rows::Remote(Box::new(server.run(text).await?))),
            Self::Archive(archive) => Ok(Rows::Archive(archive.sql.run(text).await?)),
        }
    }

    /// All rows of a short answer.
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

    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self {
            Self::Local(rows) => Ok(rows.try_next().await?),
            Self::Remote(rows) => rows.next().await,
            Self::Archive(rows) => Ok(rows.next().await?),
        }
    }
}
