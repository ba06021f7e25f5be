//! What tools ask of PostgreSQL's catalog, in words that DataFusion understands. The syntax tree of a statement is
//! rewritten before it is planned.
//!
//! ```text
//! text ─▶ callables.rs        pg_catalog.f() is f(), CURRENT_USER is a function, COLLATE has no effect
//!          function_tables.rs functions that stand where tables do
//!          relations.rs       pg_class is pg_catalog.pg_class
//!          array_texts.rs     any('{a,b}') is of an array
//!          object_names.rs    'segments'::regclass is a number, and 1259::regclass a name
//!    and where the catalog is read:
//!          system_columns.rs  xmin and the like are constants
//!          no_rows.rs         a selection from tables that have never any rows is one that selects none
//!          parameters.rs      and keeps its parameters
//!          subqueries.rs      ARRAY(…) is a subquery with array_agg, and one that finds a value is cut to one row
//!          column_names.rs    columns are called as PostgreSQL calls them
//!          object_lists.rs    array_agg(oid) is a list of numbers of objects
//! ```

mod array_texts;
mod callables;
mod column_names;
mod expression;
mod function_tables;
mod no_rows;
mod object_lists;
mod object_names;
mod parameters;
mod relations;
mod subqueries;
mod system_columns;

use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use parameters::Parameters;
use skillscope_query::with_select_first;

/// The statements of a text.
pub(in crate::postgresql) fn parse(text: &str) -> Result<Vec<Statement>, ParserError> {
    let mut tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location()?;
    tokens.iter_mut().for_each(abort_is_rollback);
    drop_schema_of_words(&mut tokens);
    let tokens = with_select_first(tokens);
    let statements = Parser::new(&PostgreSqlDialect {}).with_tokens_with_locations(tokens).parse_statements()?;
    Ok(statements.into_iter().map(rewrite).collect())
}

/// `ABORT` is another word for `ROLLBACK`, which the parser does not know.
fn abort_is_rollback(token: &mut TokenWithSpan) {
    if matches!(&token.token, Token::Word(word) if word.keyword == Keyword::ABORT && word.quote_style.is_none()) {
        token.token = Token::make_keyword("ROLLBACK");
    }
}

/// `pg_catalog.substring(…)` is `substring(…)`: after a schema the parser does not know the functions that have a syntax
/// of their own.
fn drop_schema_of_words(tokens: &mut Vec<TokenWithSpan>) {
    let is_schema = |token: &Token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("pg_catalog"));
    let is_word = |token: &Token| {
        let words = [Keyword::SUBSTRING, Keyword::TRIM, Keyword::POSITION, Keyword::OVERLAY, Keyword::EXTRACT];
        matches!(token, Token::Word(word) if words.contains(&word.keyword))
    };
    let places = tokens.windows(3).enumerate().filter(|(_, window)| match window {
        [schema, point, word] => is_schema(&schema.token) && point.token == Token::Period && is_word(&word.token),
        _ => false,
    });
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    for place in places.into_iter().rev() {
        tokens.drain(place..place + 2);
    }
}

fn rewrite(mut statement: Statement) -> Statement {
    callables::rewrite(&mut statement);
    function_tables::rewrite(&mut statement);
    array_texts::rewrite(&mut statement);
    relations::qualify(&mut statement);
    object_names::rewrite(&mut statement);
    if relations::reads_catalog(&statement) {
        system_columns::rewrite(&mut statement);
        let parameters = Parameters::of(&statement);
        no_rows::rewrite(&mut statement);
        parameters.keep(&mut statement);
        subqueries::rewrite(&mut statement);
        array_texts::take_kinds_from_text(&mut statement);
        column_names::rewrite(&mut statement);
        object_lists::rewrite(&mut statement);
    } else if relations::reads_nothing(&statement) {
        column_names::rewrite(&mut statement);
    }
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_word_for_rollback_is_understood() {
        assert_eq!(parse("ABORT; select abort from t").unwrap()[0].to_string(), "ROLLBACK");
        assert_eq!(parse("select 1;; select 2").unwrap().len(), 2);
        parse("select 1 from").unwrap_err();
    }
}
