//! What a client can send as a statement.

mod copy;
mod cursor;
mod explain;
mod prepared;
mod query;
mod setting;
#[cfg(test)]
mod tests;
mod transaction;
mod words;

use datafusion::sql::sqlparser::tokenizer::{Token, Word};
use datafusion_postgres::pgwire::error::PgWireResult;
use skillscope_query::SqlSession;

use super::copy::CopyOptions;
use super::error::{SqlState, error, failed};
use super::notice::Notice;
use super::settings::{Assignment, Shown};
pub(super) use cursor::{ALL, Declaration, Direction, Fetch};
pub(super) use setting::Discarded;
pub(super) use transaction::{Mode, TransactionCommand};
use words::Words;

/// What a client can ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// A statement in DataFusion's dialect.
    Query(String),
    /// `COPY (…) TO STDOUT`.
    Copy {
        query: String,
        options: CopyOptions,
    },
    /// `EXPLAIN`, in DataFusion's dialect.
    Explain {
        query: String,
        is_verbose: bool,
    },
    Transaction(TransactionCommand),
    Declare(Box<Declaration>),
    Fetch(Fetch),
    /// The name of a cursor that is not needed any more; `None` for all of them.
    Close(Option<String>),
    Set(Vec<Assignment>),
    /// The name of a setting; `None` for all of them.
    Reset(Option<String>),
    Show(Shown),
    Prepare {
        name: String,
        types: Vec<String>,
        query: String,
    },
    Execute {
        name: String,
        values: Vec<String>,
    },
    /// The name of a prepared statement that is not needed any more; `None` for all of them.
    Deallocate(Option<String>),
    Discard(Discarded),
    /// What does nothing, and how its answer is called.
    Nothing(&'static str, Option<Notice>),
}

/// The statements in a text.
pub(super) async fn commands(session: &SqlSession, text: &str) -> PgWireResult<Vec<Command>> {
    session.parse_with(text, read).await.map_err(failed)?
}

fn read(text: &str) -> PgWireResult<Vec<Command>> {
    let words = words::words(text)?;
    words::statements(text, &words).map(command).collect()
}

fn command(mut words: Words<'_>) -> PgWireResult<Command> {
    let first = match words.peek() {
        Some(Token::Word(Word { value, quote_style: None, .. })) => value.to_lowercase(),
        _ => String::new(),
    };
    let whole = words.clone();
    words.next();
    match first.as_str() {
        "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release" => {
            transaction::transaction(&first, &mut words).map(Command::Transaction)
        }
        "declare" => Ok(Command::Declare(Box::new(cursor::declaration(&mut words)?))),
        "fetch" => cursor::fetch(false, &mut words).map(Command::Fetch),
        "move" => cursor::fetch(true, &mut words).map(Command::Fetch),
        "close" => cursor::close(&mut words).map(Command::Close),
        "set" => setting::set(&mut words),
        "reset" => setting::reset(&mut words),
        "show" => setting::show(&mut words),
        "discard" => setting::discard(&mut words),
        "explain" => explain::explain(&whole, &mut words),
        "copy" => copy::copy(&mut words),
        "prepare" if words.is("transaction") => setting::prepare_transaction(),
        "prepare" => prepared::prepare(&mut words),
        "execute" => prepared::execute(&mut words),
        "deallocate" => prepared::deallocate(&mut words),
        "listen" | "notify" | "unlisten" => Ok(notification(&first)),
        "lock" | "vacuum" | "analyze" | "analyse" | "checkpoint" | "cluster" | "reindex" => Err(needless(&first)),
        _ => query::query(whole.whole()).map(Command::Query),
    }
}

fn notification(word: &str) -> Command {
    match word {
        "listen" => Command::Nothing("LISTEN", Some(Notice::told("nothing is ever notified here"))),
        "notify" => Command::Nothing("NOTIFY", Some(Notice::told("nobody is notified here"))),
        _ => Command::Nothing("UNLISTEN", None),
    }
}

/// What is said of statements that look after tables.
fn needless(word: &str) -> datafusion_postgres::pgwire::error::PgWireError {
    let why = match word {
        "lock" => "every statement sees the rows of one moment, and waits for nobody",
        _ => "the server looks after its tables by itself",
    };
    error(SqlState::FeatureNotSupported, format!("{} is not supported: {why}", word.to_uppercase()))
}
