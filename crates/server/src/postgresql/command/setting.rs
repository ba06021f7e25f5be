//! `SET`, `RESET`, `SHOW` and `DISCARD`.

use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_postgres::pgwire::error::PgWireResult;

use super::Command;
use super::query::query;
use super::transaction::{Mode, TransactionCommand, modes, no_phases};
use super::words::Words;
use crate::postgresql::error::{SqlState, error};
use crate::postgresql::settings::{Assignment, Shown};

/// What `DISCARD` throws away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgresql) enum Discarded {
    All,
    /// There are none of these.
    Plans,
    Sequences,
    Temporary,
}

/// What follows `SET`.
pub(super) fn set(words: &mut Words<'_>) -> PgWireResult<Command> {
    if words.take("transaction") {
        if words.take("snapshot") {
            return Err(error(SqlState::FeatureNotSupported, "snapshots of transactions cannot be imported"));
        }
        return Ok(Command::Transaction(TransactionCommand::Set(modes(words)?)));
    }
    if words.take("constraints") {
        return Ok(Command::Nothing("SET CONSTRAINTS", None));
    }
    if words.take_all(&["session", "characteristics", "as", "transaction"]) {
        let of_all = |mode: Mode| assignment(&format!("default_{}", mode.setting), Some(mode.value.to_owned()), false);
        return Ok(Command::Set(modes(words)?.into_iter().map(of_all).collect()));
    }
    // `SET session = …` would be a setting of that name, which there is not.
    let is_local = words.take("local");
    let is_session = !is_local && words.take("session");
    let one = if words.take_all(&["time", "zone"]) {
        assignment("TimeZone", zone(words)?, is_local)
    } else if words.take("names") {
        assignment("client_encoding", given(words)?, is_local)
    } else if is_session && words.take("authorization") {
        assignment("session_authorization", given(words)?, is_local)
    } else if words.take("role") {
        let _ = words.take_sign(&Token::Eq) || words.take("to");
        assignment("role", given(words)?, is_local)
    } else if words.take("schema") {
        assignment("search_path", given(words)?, is_local)
    } else if words.take_all(&["xml", "option"]) {
        assignment("xmloption", given(words)?, is_local)
    } else {
        let name = setting_name(words)?;
        if !words.take_sign(&Token::Eq) && !words.take("to") {
            return Err(words.wrong());
        }
        let value = if is_list(&name) { list(words)? } else { given_list(words)? };
        assignment(&name, value, is_local)
    };
    words.end()?;
    Ok(Command::Set(vec![one]))
}

fn assignment(name: &str, value: Option<String>, is_local: bool) -> Assignment {
    Assignment { name: name.to_owned(), value, is_local }
}

/// Settings that are lists of names, which keep their quotes.
fn is_list(name: &str) -> bool {
    ["search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"].contains(&name)
}

/// The name of a setting, which may have points in it.
fn setting_name(words: &mut Words<'_>) -> PgWireResult<String> {
    let mut name = words.name()?;
    while words.take_sign(&Token::Period) {
        name = format!("{name}.{}", words.name()?);
    }
    Ok(name)
}

/// A value, or nothing where it is `DEFAULT`.
fn given(words: &mut Words<'_>) -> PgWireResult<Option<String>> {
    if words.take("default") { Ok(None) } else { value(words).map(Some) }
}

fn value(words: &mut Words<'_>) -> PgWireResult<String> {
    if let Some(text) = words.text() {
        return Ok(text);
    }
    let is_negative = words.take_sign(&Token::Minus);
    let _ = !is_negative && words.take_sign(&Token::Plus);
    match words.peek() {
        Some(Token::Number(digits, _)) => {
            words.next();
            Ok(format!("{}{digits}", if is_negative { "-" } else { "" }))
        }
        _ if is_negative => Err(words.wrong()),
        _ => words.name(),
    }
}

fn given_list(words: &mut Words<'_>) -> PgWireResult<Option<String>> {
    let Some(mut values) = given(words)? else { return Ok(None) };
    while words.take_sign(&Token::Comma) {
        values = format!("{values}, {}", value(words)?);
    }
    Ok(Some(values))
}

/// Names, in quotes where they need them.
fn list(words: &mut Words<'_>) -> PgWireResult<Option<String>> {
    let Some(first) = given(words)? else { return Ok(None) };
    let mut names = vec![quoted(&first)];
    while words.take_sign(&Token::Comma) {
        names.push(quoted(&value(words)?));
    }
    Ok(Some(names.join(", ")))
}

fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_')
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A time zone: a name, a number of hours, or an interval of them.
fn zone(words: &mut Words<'_>) -> PgWireResult<Option<String>> {
    if words.take("local") {
        return Ok(None);
    }
    if !words.take("interval") {
        return given(words);
    }
    let interval = words.text().ok_or_else(|| words.wrong())?;
    let _ = words.take("hour") && words.take_all(&["to", "minute"]);
    let (sign, clock) = match interval.trim().strip_prefix('-') {
        Some(clock) => ("-", clock),
        None => ("", interval.trim().trim_start_matches('+')),
    };
    let (hours, minutes) = clock.split_once(':').unwrap_or((clock, "0"));
    let hours =
        hours.parse::<f64>().ok().zip(minutes.parse::<f64>().ok()).map(|(hours, minutes)| hours + minutes / 60.0);
    let wrong = || error(SqlState::SettingValue, "invalid interval value for time zone: it is hours and minutes");
    Ok(Some(format!("{sign}{}", hours.ok_or_else(wrong)?)))
}

/// What follows `RESET`.
pub(super) fn reset(words: &mut Words<'_>) -> PgWireResult<Command> {
    let name = if words.take("all") { None } else { Some(named(words)?) };
    words.end()?;
    Ok(Command::Reset(name))
}

/// What follows `SHOW`. What is no setting is DataFusion's.
pub(super) fn show(words: &mut Words<'_>) -> PgWireResult<Command> {
    const OTHERS: [&str; 7] = ["tables", "columns", "functions", "views", "create", "full", "extended"];
    if OTHERS.iter().any(|other| words.is(other)) {
        return Ok(Command::Query(query(words.whole())?));
    }
    if words.is_at_end() {
        return Err(error(SqlState::SyntaxError, "SHOW needs the name of a setting"));
    }
    let shown = if words.take("all") { Shown::All } else { Shown::One(named(words)?) };
    words.end()?;
    Ok(Command::Show(shown))
}

/// The name of a setting, some of which have names of several words.
fn named(words: &mut Words<'_>) -> PgWireResult<String> {
    const NAMES: [(&[&str], &str); 3] = [
        (&["time", "zone"], "TimeZone"),
        (&["transaction", "isolation", "level"], "transaction_isolation"),
        (&["session", "authorization"], "session_authorization"),
    ];
    match NAMES.iter().find(|(name, _)| words.take_all(name)) {
        Some((_, name)) => Ok((*name).to_owned()),
        None => setting_name(words),
    }
}

/// What follows `DISCARD`.
pub(super) fn discard(words: &mut Words<'_>) -> PgWireResult<Command> {
    let discarded = if words.take("all") {
        Discarded::All
    } else if words.take("plans") {
        Discarded::Plans
    } else if words.take("sequences") {
        Discarded::Sequences
    } else if words.take("temp") || words.take("temporary") {
        Discarded::Temporary
    } else {
        return Err(words.wrong());
    };
    words.end()?;
    Ok(Command::Discard(discarded))
}

/// What follows `PREPARE TRANSACTION`.
pub(super) fn prepare_transaction() -> PgWireResult<Command> {
    Err(no_phases())
}
