//! A statement in PostgreSQL's words, in those of DataFusion.

use std::sync::LazyLock;

use datafusion::sql::sqlparser::parser::ParserError;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_postgres::pgwire::error::PgWireResult;

use skillscope_query::is_definition;

use crate::postgresql::array_literals::ArrayLiterals;
use crate::postgresql::catalog_rewrite::rewrite_catalog_question;
use crate::postgresql::cursors::read_cursors;
use crate::postgresql::error::{SqlState, error};

/// One statement in DataFusion's dialect. One that writes is refused when it is planned.
pub(super) fn query(text: &str) -> PgWireResult<String> {
    static PARSER: LazyLock<PostgresCompatibilityParser> = LazyLock::new(PostgresCompatibilityParser::new);
    if is_definition(text) {
        // It is read where it is carried out.
        return Ok(text.to_owned());
    }
    let (parsed, arrays) = ArrayLiterals::take(text);
    let statements = match PARSER.parse(&parsed) {
        // It reads fewer levels than a statement may have. A question about the catalog has few.
        Err(ParserError::RecursionLimitExceeded) if reads(text) => return Ok(text.to_owned()),
        parsed => parsed.map_err(|parse| error(SqlState::SyntaxError, parse.to_string()))?,
    };
    let mut statements = statements.into_iter();
    match (statements.next(), statements.next()) {
        (Some(statement), None) => {
            let statement = rewrite_catalog_question(arrays.put_back(statement));
            Ok(read_cursors(statement).to_string())
        }
        _ => Err(error(SqlState::SyntaxError, "a statement is not parted from the next one by a semicolon")),
    }
}

/// Whether a statement is certain to read.
fn reads(text: &str) -> bool {
    let word = text.trim().trim_start_matches('(').split(|letter: char| !letter.is_ascii_alphabetic()).next();
    let reads = ["select", "with", "values", "table", "explain"];
    word.is_some_and(|word| reads.iter().any(|read| word.eq_ignore_ascii_case(read)))
}
