//! `BEGIN`, `COMMIT`, `SAVEPOINT` and the like.

use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_postgres::pgwire::error::PgWireResult;

use super::words::Words;
use crate::postgresql::error::{SqlState, error};

/// A statement about a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgresql) enum TransactionCommand {
    Begin {
        tag: &'static str,
        modes: Vec<Mode>,
    },
    Commit {
        is_chained: bool,
    },
    Rollback {
        is_chained: bool,
    },
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    /// `SET TRANSACTION`.
    Set(Vec<Mode>),
    /// `PREPARE TRANSACTION` and what comes of it.
    Prepare,
}

/// A mode of a transaction: the setting that it is, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgresql) struct Mode {
    pub(in crate::postgresql) setting: &'static str,
    pub(in crate::postgresql) value: &'static str,
}

/// A statement whose first word is `first`, which has been taken.
pub(super) fn transaction(first: &str, words: &mut Words<'_>) -> PgWireResult<TransactionCommand> {
    let command = match first {
        "begin" => {
            skip_transaction(words);
            TransactionCommand::Begin { tag: "BEGIN", modes: modes(words)? }
        }
        "start" => {
            words.expect("transaction")?;
            TransactionCommand::Begin { tag: "START TRANSACTION", modes: modes(words)? }
        }
        "commit" | "rollback" if words.take("prepared") => {
            words.text().ok_or_else(|| words.wrong())?;
            TransactionCommand::Prepare
        }
        "commit" | "end" => {
            skip_transaction(words);
            TransactionCommand::Commit { is_chained: is_chained(words) }
        }
        "rollback" | "abort" => {
            skip_transaction(words);
            if first == "rollback" && words.take("to") {
                TransactionCommand::RollbackTo(savepoint(words)?)
            } else {
                TransactionCommand::Rollback { is_chained: is_chained(words) }
            }
        }
        "savepoint" => TransactionCommand::Savepoint(words.name()?),
        _ => TransactionCommand::Release(savepoint(words)?),
    };
    words.end()?;
    Ok(command)
}

/// The modes of a transaction, with commas between them or without.
pub(super) fn modes(words: &mut Words<'_>) -> PgWireResult<Vec<Mode>> {
    let mut modes = Vec::new();
    while !words.is_at_end() {
        modes.push(mode(words)?);
        if words.take_sign(&Token::Comma) && words.is_at_end() {
            return Err(words.wrong());
        }
    }
    Ok(modes)
}

fn mode(words: &mut Words<'_>) -> PgWireResult<Mode> {
    const LEVELS: [(&[&str], &str); 4] = [
        (&["serializable"], "serializable"),
        (&["repeatable", "read"], "repeatable read"),
        (&["read", "committed"], "read committed"),
        (&["read", "uncommitted"], "read uncommitted"),
    ];
    const OTHERS: [(&[&str], &str, &str); 4] = [
        (&["read", "only"], "transaction_read_only", "on"),
        (&["read", "write"], "transaction_read_only", "off"),
        (&["not", "deferrable"], "transaction_deferrable", "off"),
        (&["deferrable"], "transaction_deferrable", "on"),
    ];
    if words.take_all(&["isolation", "level"]) {
        let level = LEVELS.iter().find(|(level, _)| words.take_all(level)).ok_or_else(|| words.wrong())?;
        return Ok(Mode { setting: "transaction_isolation", value: level.1 });
    }
    let other = OTHERS.iter().find(|(mode, ..)| words.take_all(mode)).ok_or_else(|| words.wrong())?;
    Ok(Mode { setting: other.1, value: other.2 })
}

fn skip_transaction(words: &mut Words<'_>) {
    let _ = words.take("work") || words.take("transaction");
}

fn is_chained(words: &mut Words<'_>) -> bool {
    let _ = words.take_all(&["and", "no", "chain"]);
    words.take_all(&["and", "chain"])
}

fn savepoint(words: &mut Words<'_>) -> PgWireResult<String> {
    // A savepoint may be called `savepoint`.
    let before = words.clone();
    if words.take("savepoint") && words.is_at_end() {
        *words = before;
    }
    words.name()
}

/// What is said of transactions in two phases.
pub(in crate::postgresql) fn no_phases() -> datafusion_postgres::pgwire::error::PgWireError {
    error(SqlState::NotInState, "prepared transactions are disabled")
}
