//! `COPY`, in its newer words and in its older ones.

use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};

use super::Command;
use super::query::query;
use super::words::Words;
use crate::postgresql::copy::{CopyFormat, Quoted, Said};
use crate::postgresql::error::{SqlState, error};

/// What follows `COPY`.
pub(super) fn copy(words: &mut Words<'_>) -> PgWireResult<Command> {
    let mut said = Said::default();
    if words.take("binary") {
        said.format = Some(CopyFormat::Binary);
    }
    let source = source(words)?;
    if !words.take("to") {
        return Err(if words.is("from") { reads_only("COPY FROM writes") } else { words.wrong() });
    }
    if !words.take("stdout") && !words.take("stdin") {
        return Err(reads_only("COPY writes to STDOUT"));
    }
    if words.take("using") {
        words.expect("delimiters")?;
        said.delimiter = Some(words.text().ok_or_else(|| words.wrong())?);
    }
    let _ = words.take("with");
    if words.take_sign(&Token::LParen) {
        options(words, &mut said)?;
    } else {
        older_options(words, &mut said)?;
    }
    words.end()?;
    Ok(Command::Copy { query: query(&source)?, options: said.checked()? })
}

fn reads_only(what: &str) -> PgWireError {
    error(SqlState::ReadOnly, format!("only statements that read are allowed here: {what}"))
}

/// A query in parentheses, or a table, as a query.
fn source(words: &mut Words<'_>) -> PgWireResult<String> {
    let start = words.here();
    if words.peek() == Some(&Token::LParen) {
        return within(words).map(str::to_owned);
    }
    while !words.is_at_end() && !words.is("to") && !words.is("from") && words.peek() != Some(&Token::LParen) {
        words.next();
    }
    let table = words.between(start, words.here()).trim();
    if table.is_empty() {
        return Err(words.wrong());
    }
    let columns = if words.peek() == Some(&Token::LParen) { within(words)? } else { "*" };
    Ok(format!("select {columns} from {table}"))
}

/// What stands between a parenthesis and the one that belongs to it.
fn within<'a>(words: &mut Words<'a>) -> PgWireResult<&'a str> {
    words.next();
    let (start, mut depth) = (words.here(), 1_usize);
    loop {
        let end = words.here();
        match words.next() {
            Some(Token::LParen) => depth += 1,
            Some(Token::RParen) => depth -= 1,
            Some(_) => {}
            None => return Err(words.wrong()),
        }
        if depth == 0 {
            return Ok(words.between(start, end));
        }
    }
}

/// `(FORMAT csv, HEADER, DELIMITER ';')`.
fn options(words: &mut Words<'_>, said: &mut Said) -> PgWireResult<()> {
    loop {
        let name = words.name()?;
        match name.as_str() {
            "format" => once(&mut said.format, format(words)?)?,
            "header" => {
                let has_header = header(words)?;
                once(&mut said.has_header, has_header)?;
            }
            "delimiter" => once(&mut said.delimiter, text(words)?)?,
            "null" => once(&mut said.null, text(words)?)?,
            "quote" => once(&mut said.quote, text(words)?)?,
            "escape" => once(&mut said.escape, text(words)?)?,
            "encoding" => once(&mut said.encoding, text(words)?)?,
            "force_quote" => once(&mut said.force_quote, forced(words, true)?)?,
            "freeze" | "force_null" | "force_not_null" | "default" => {
                let name = name.replace('_', " ");
                return Err(error(
                    SqlState::FeatureNotSupported,
                    format!("COPY {name} only available using COPY FROM"),
                ));
            }
            other => return Err(error(SqlState::SyntaxError, format!("option \"{other}\" not recognized"))),
        }
        if words.take_sign(&Token::RParen) {
            return Ok(());
        }
        if !words.take_sign(&Token::Comma) {
            return Err(words.wrong());
        }
    }
}

/// `csv header delimiter as ';' null 'x'`, in any order.
fn older_options(words: &mut Words<'_>, said: &mut Said) -> PgWireResult<()> {
    let as_text = |words: &mut Words<'_>| {
        let _ = words.take("as");
        text(words)
    };
    while !words.is_at_end() {
        if words.take("binary") {
            once(&mut said.format, CopyFormat::Binary)?;
        } else if words.take("csv") {
            once(&mut said.format, CopyFormat::Csv)?;
        } else if words.take("header") {
            once(&mut said.has_header, true)?;
        } else if words.take("delimiter") {
            once(&mut said.delimiter, as_text(words)?)?;
        } else if words.take("null") {
            once(&mut said.null, as_text(words)?)?;
        } else if words.take("quote") {
            once(&mut said.quote, as_text(words)?)?;
        } else if words.take("escape") {
            once(&mut said.escape, as_text(words)?)?;
        } else if words.take("encoding") {
            once(&mut said.encoding, text(words)?)?;
        } else if words.take_all(&["force", "quote"]) {
            once(&mut said.force_quote, forced(words, false)?)?;
        } else {
            return Err(words.wrong());
        }
    }
    Ok(())
}

fn once<T>(place: &mut Option<T>, value: T) -> PgWireResult<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(error(SqlState::SyntaxError, "conflicting or redundant options")),
    }
}

fn format(words: &mut Words<'_>) -> PgWireResult<CopyFormat> {
    let name = match words.text() {
        Some(text) => text,
        None => words.name()?,
    };
    match name.as_str() {
        "text" => Ok(CopyFormat::Text),
        "csv" => Ok(CopyFormat::Csv),
        "binary" => Ok(CopyFormat::Binary),
        other => Err(error(SqlState::SettingValue, format!("COPY format \"{other}\" not recognized"))),
    }
}

/// A truth value, which is true where it is not said.
fn header(words: &mut Words<'_>) -> PgWireResult<bool> {
    if matches!(words.peek(), Some(Token::Comma | Token::RParen)) {
        return Ok(true);
    }
    let said = match (words.text(), words.number()) {
        (Some(text), _) => text,
        (None, Some(number)) => number.to_string(),
        (None, None) => words.name()?,
    };
    match said.to_lowercase().as_str() {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        "match" => Err(error(SqlState::FeatureNotSupported, "cannot use \"match\" with HEADER in COPY TO")),
        _ => Err(error(SqlState::SyntaxError, "header requires a Boolean value or \"match\"")),
    }
}

fn text(words: &mut Words<'_>) -> PgWireResult<String> {
    match words.text() {
        Some(text) => Ok(text),
        // A word may stand without quotes.
        None => words.name(),
    }
}

/// The columns that stand in quotes: all of them, or a list.
fn forced(words: &mut Words<'_>, has_parentheses: bool) -> PgWireResult<Quoted> {
    if words.take_sign(&Token::Mul) {
        return Ok(Quoted::All);
    }
    if has_parentheses && !words.take_sign(&Token::LParen) {
        return Err(words.wrong());
    }
    let mut columns = vec![words.name()?];
    while words.take_sign(&Token::Comma) {
        columns.push(words.name()?);
    }
    if has_parentheses && !words.take_sign(&Token::RParen) {
        return Err(words.wrong());
    }
    Ok(Quoted::Columns(columns))
}
