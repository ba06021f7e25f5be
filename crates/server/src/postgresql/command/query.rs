//! A statement in PostgreSQL's words, in those of DataFusion.

use datafusion::sql::sqlparser::parser::ParserError;
use datafusion_postgres::pgwire::error::PgWireResult;

use skillscope_query::{begins_query, is_definition, is_summary};

use super::words;
use crate::postgresql::catalog::parse;
use crate::postgresql::cursors::read_cursors;
use crate::postgresql::error::{SqlState, error};

/// One statement in DataFusion's dialect. One that writes is refused when it is planned.
pub(super) fn query(text: &str) -> PgWireResult<String> {
    if is_definition(text) {
        // It is read where it is carried out.
        return Ok(text.to_owned());
    }
    if is_summary(text) {
        return Ok(format!("SUMMARIZE {}", reading(&summarized(text)?)?));
    }
    reading(text)
}

/// The query that a summary is of.
fn summarized(text: &str) -> PgWireResult<String> {
    let tokens = words::words(text)?;
    let Some(mut words) = words::statements(text, &tokens).next() else { return Ok(text.to_owned()) };
    words.next();
    let of = words.rest();
    Ok(if words.begin_query() { of.to_owned() } else { format!("SELECT * FROM {of}") })
}

fn reading(text: &str) -> PgWireResult<String> {
    let statements = match parse(text) {
        // It reads fewer levels than a statement may have. A question about the catalog has few.
        Err(ParserError::RecursionLimitExceeded) if reads(text) => return Ok(text.to_owned()),
        parsed => parsed.map_err(|parse| error(SqlState::SyntaxError, parse.to_string()))?,
    };
    let mut statements = statements.into_iter();
    match (statements.next(), statements.next()) {
        (Some(statement), None) => Ok(read_cursors(statement).to_string()),
        _ => Err(error(SqlState::SyntaxError, "a statement is not parted from the next one by a semicolon")),
    }
}

/// Whether a statement is certain to read.
fn reads(text: &str) -> bool {
    let word = text.trim().trim_start_matches('(').split(|letter: char| !letter.is_ascii_alphabetic()).next();
    word.is_some_and(|word| begins_query(word) || word.eq_ignore_ascii_case("explain"))
}
