//! `EXPLAIN`, with PostgreSQL's options.

use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_postgres::pgwire::error::PgWireResult;

use super::Command;
use super::query::query;
use super::words::Words;
use crate::postgresql::error::{SqlState, error};

/// What follows `EXPLAIN`.
pub(super) fn explain(whole: &Words<'_>, words: &mut Words<'_>) -> PgWireResult<Command> {
    // DataFusion's own forms of a plan.
    if words.is("format") {
        return query(whole.whole()).map(Command::Query);
    }
    let (mut is_analyzed, mut is_verbose) = (false, false);
    if has_options(words) {
        words.next();
        loop {
            let name = words.name()?;
            let value = value(words)?;
            let is_on = !["off", "false", "0"].contains(&value.as_str());
            match name.as_str() {
                "analyze" => is_analyzed = is_on,
                "verbose" => is_verbose = is_on,
                "format" if value != "text" => {
                    let text = format!("EXPLAIN has the format TEXT here, and not {}", value.to_uppercase());
                    return Err(error(SqlState::FeatureNotSupported, text));
                }
                // There is one kind of plan, and it tells what there is to tell.
                "format" | "costs" | "settings" | "buffers" | "wal" | "timing" | "summary" | "generic_plan" => {}
                other => {
                    let text = format!("unrecognized EXPLAIN option \"{other}\"");
                    return Err(error(SqlState::SyntaxError, text));
                }
            }
            if words.take_sign(&Token::RParen) {
                break;
            }
            if !words.take_sign(&Token::Comma) {
                return Err(words.wrong());
            }
        }
    } else {
        is_analyzed = words.take("analyze") || words.take("analyse");
        is_verbose = words.take("verbose");
    }
    let explained = query(words.rest())?;
    let [analyze, verbose] =
        [(is_analyzed, "ANALYZE "), (is_verbose, "VERBOSE ")].map(|(is, word)| if is { word } else { "" });
    Ok(Command::Explain { query: format!("EXPLAIN {analyze}{verbose}{explained}"), is_verbose })
}

/// Whether options stand in parentheses, and not a query.
fn has_options(words: &Words<'_>) -> bool {
    let mut after = words.clone();
    after.take_sign(&Token::LParen) && matches!(after.peek(), Some(Token::Word(_))) && !after.begin_query()
}

/// The value of an option; `on` where there is none.
fn value(words: &mut Words<'_>) -> PgWireResult<String> {
    if matches!(words.peek(), Some(Token::Comma | Token::RParen)) {
        return Ok("on".to_owned());
    }
    match (words.text(), words.number()) {
        (Some(text), _) => Ok(text.to_lowercase()),
        (None, Some(number)) => Ok(number.to_string()),
        (None, None) => words.name(),
    }
}
