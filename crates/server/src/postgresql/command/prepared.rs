//! `PREPARE`, `EXECUTE` and `DEALLOCATE`.

use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_postgres::pgwire::error::PgWireResult;

use super::Command;
use super::query::query;
use super::words::Words;

/// What follows `PREPARE`: a name, types of parameters, and a query.
pub(super) fn prepare(words: &mut Words<'_>) -> PgWireResult<Command> {
    let name = words.name()?;
    let types = listed(words)?;
    words.expect("as")?;
    let query = query(words.rest())?;
    // The words that have been read are not read again.
    Ok(Command::Prepare { name, types, query })
}

/// What follows `EXECUTE`: a name, and values.
pub(super) fn execute(words: &mut Words<'_>) -> PgWireResult<Command> {
    let name = words.name()?;
    let values = listed(words)?;
    words.end()?;
    Ok(Command::Execute { name, values })
}

/// What follows `DEALLOCATE`.
pub(super) fn deallocate(words: &mut Words<'_>) -> PgWireResult<Command> {
    let _ = words.take("prepare");
    let name = if words.take("all") { None } else { Some(words.name()?) };
    words.end()?;
    Ok(Command::Deallocate(name))
}

/// The texts between the commas of a list in parentheses; none where there is no list.
fn listed(words: &mut Words<'_>) -> PgWireResult<Vec<String>> {
    let mut texts = Vec::new();
    if !words.take_sign(&Token::LParen) {
        return Ok(texts);
    }
    let (mut start, mut depth) = (words.here(), 1_usize);
    loop {
        let end = words.here();
        match words.next() {
            Some(Token::LParen | Token::LBracket) => depth += 1,
            Some(Token::RParen | Token::RBracket) => depth -= 1,
            Some(Token::Comma) if depth == 1 => {
                texts.push(words.between(start, end).to_owned());
                start = words.here();
            }
            Some(_) => {}
            None => return Err(words.wrong()),
        }
        if depth == 0 {
            texts.push(words.between(start, end).to_owned());
            return Ok(texts);
        }
    }
}
