//! Statements about transactions. Each statement reads the rows of one moment by itself, so that a transaction is what
//! clients make of it: settings and cursors that go with it, and that nothing runs once a statement has failed.

use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore};
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;

use super::answer::Answer;
use super::client::{Client, Stream};
use super::command::{Mode, TransactionCommand};
use super::error::{SqlState, error, not_kept, unsettable};
use super::kept::Kind;
use super::notice::Notice;
use super::queries::{Queries, check_transaction, no_block};

/// Answers a statement about a transaction.
pub(super) async fn answer<S: Stream>(
    queries: &Queries,
    client: &mut Client<S>,
    command: &TransactionCommand,
) -> PgWireResult<Answer> {
    Ok(match command {
        TransactionCommand::Begin { tag, modes } => begin(queries, client, tag, modes).await?,
        TransactionCommand::Commit { is_chained } => {
            let has_failed = client.transaction_status() == TransactionStatus::Error;
            let tag = if has_failed { "ROLLBACK" } else { "COMMIT" };
            end(queries, client, tag, *is_chained, "COMMIT").await?
        }
        TransactionCommand::Rollback { is_chained } => {
            end(queries, client, "ROLLBACK", *is_chained, "ROLLBACK").await?
        }
        TransactionCommand::Savepoint(name) => {
            check_transaction(client)?;
            check_block(queries, "SAVEPOINT")?;
            let (block, settings) = (&queries.session.block, &queries.session.settings);
            let bytes = name.len() + block.bytes_of_savepoint(settings);
            let place = queries.statements.kept().place(Kind::Savepoint, bytes).map_err(not_kept)?;
            block.add_savepoint(name.clone(), settings, place);
            Answer::done("SAVEPOINT")
        }
        TransactionCommand::Release(name) => {
            check_transaction(client)?;
            check_block(queries, "RELEASE SAVEPOINT")?;
            let depth = queries.session.block.release(name).ok_or_else(|| unknown(name))?;
            queries.session.cursors.release(depth);
            Answer::done("RELEASE")
        }
        TransactionCommand::RollbackTo(name) => {
            check_block(queries, "ROLLBACK TO SAVEPOINT")?;
            let depth = queries.session.block.roll_back_to(name, &queries.session.settings);
            queries.session.cursors.roll_back_to(depth.ok_or_else(|| unknown(name))?);
            // A transaction that has failed goes on.
            client.set_transaction_status(TransactionStatus::Transaction);
            Answer::done("ROLLBACK")
        }
        TransactionCommand::Set(modes) => {
            check_transaction(client)?;
            if queries.session.block.is_open() {
                set_modes(queries, modes)?;
            } else {
                let notice = Notice::no_block("SET TRANSACTION can only be used in transaction blocks");
                notice.send(client, &queries.session.settings).await?;
            }
            Answer::done("SET")
        }
        TransactionCommand::Prepare => {
            return Err(error(SqlState::NotInState, "prepared transactions are disabled"));
        }
    })
}

async fn begin<S: Stream>(
    queries: &Queries,
    client: &mut Client<S>,
    tag: &str,
    modes: &[Mode],
) -> PgWireResult<Answer> {
    check_transaction(client)?;
    if client.transaction_status() == TransactionStatus::Transaction {
        Notice::nested().send(client, &queries.session.settings).await?;
    }
    queries.session.block.begin(&queries.session.settings, false);
    client.set_transaction_status(TransactionStatus::Transaction);
    set_modes(queries, modes)?;
    Ok(Answer::done(tag))
}

async fn end<S: Stream>(
    queries: &Queries,
    client: &mut Client<S>,
    tag: &str,
    is_chained: bool,
    word: &str,
) -> PgWireResult<Answer> {
    let is_explicit = client.transaction_status() != TransactionStatus::Idle;
    if !is_explicit {
        if is_chained {
            return Err(no_block(&format!("{word} AND CHAIN")));
        }
        Notice::no_block("there is no transaction in progress").send(client, &queries.session.settings).await?;
    } else {
        client.portal_store().clear_portals();
    }
    queries.session.end_transaction(tag == "COMMIT");
    client.set_transaction_status(TransactionStatus::Idle);
    if is_chained {
        queries.session.block.begin(&queries.session.settings, false);
        client.set_transaction_status(TransactionStatus::Transaction);
    }
    Ok(Answer::done(tag))
}

fn set_modes(queries: &Queries, modes: &[Mode]) -> PgWireResult<()> {
    for Mode { setting, value } in modes {
        queries.session.settings.set(setting, Some(value), true).map_err(unsettable)?;
    }
    Ok(())
}

/// Savepoints are there in transactions that the client has begun.
fn check_block(queries: &Queries, statement: &str) -> PgWireResult<()> {
    let block = &queries.session.block;
    if block.is_open() && !block.is_implicit() { Ok(()) } else { Err(no_block(statement)) }
}

fn unknown(name: &str) -> datafusion_postgres::pgwire::error::PgWireError {
    error(SqlState::UnknownSavepoint, format!("savepoint \"{name}\" does not exist"))
}
