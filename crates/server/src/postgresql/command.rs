//! What a client can send as a statement.

use std::sync::LazyLock;

use datafusion::sql::sqlparser::ast::{
    CopyLegacyCsvOption, CopyLegacyOption, CopyOption, CopySource, CopyTarget, DiscardObject, Statement,
};
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_postgres::pgwire::error::PgWireResult;
use skillscope_query::SqlSession;

use super::array_literals::ArrayLiterals;
use super::catalog_rewrite::rewrite_catalog_question;
use super::copy::CopyFormat;
use super::error::{SqlState, error, failed};

/// What a client can ask for.
#[derive(Debug, Clone)]
pub(super) enum Command {
    /// A statement in DataFusion's dialect.
    Query(String),
    /// `COPY (…) TO STDOUT`.
    Copy { query: String, format: CopyFormat },
    /// A statement about a transaction or a setting, which is answered and changes no data.
    Control(Box<Statement>),
    /// The name of a prepared statement that is not needed any more; `None` for all of them.
    Deallocate(Option<String>),
    /// `DISCARD ALL`: to leave nothing behind of what the connection was used for.
    Discard,
    /// `DISCARD PLANS`.
    DiscardPlans,
}

/// The statements in a text.
pub(super) async fn commands(session: &SqlSession, text: &str) -> PgWireResult<Vec<Command>> {
    static PARSER: LazyLock<PostgresCompatibilityParser> = LazyLock::new(PostgresCompatibilityParser::new);
    let parsed = session.parse_with(text, |text| {
        let (parsed, arrays) = ArrayLiterals::take(text);
        let statements = match PARSER.parse(&parsed) {
            // It reads fewer levels than a statement may have. A question about the catalog has few.
            Err(ParserError::RecursionLimitExceeded) if is_one_query(text) => {
                return Ok(vec![Command::Query(text.to_owned())]);
            }
            parsed => parsed.map_err(|parse| error(SqlState::SyntaxError, parse.to_string()))?,
        };
        let statements = statements.into_iter().map(|statement| arrays.put_back(statement));
        statements.map(rewrite_catalog_question).map(command).collect::<PgWireResult<Vec<_>>>()
    });
    parsed.await.map_err(failed)?
}

/// Whether a text is certain to be one statement that reads.
fn is_one_query(text: &str) -> bool {
    let text = text.trim();
    let text = text.strip_suffix(';').unwrap_or(text);
    let word = text.trim_start_matches('(').split(|letter: char| !letter.is_ascii_alphabetic()).next();
    let reads = ["select", "with", "values", "table", "explain"];
    word.is_some_and(|word| reads.iter().any(|read| word.eq_ignore_ascii_case(read))) && !text.contains(';')
}

fn command(statement: Statement) -> PgWireResult<Command> {
    Ok(match statement {
        // What answers it takes a name for granted.
        Statement::ShowVariable { variable } if variable.is_empty() => {
            return Err(error(SqlState::SyntaxError, "SHOW needs the name of a setting"));
        }
        Statement::StartTransaction { .. }
        | Statement::Commit { .. }
        | Statement::Rollback { .. }
        | Statement::Set { .. }
        | Statement::Reset { .. }
        | Statement::ShowVariable { .. }
        | Statement::ShowStatus { .. }
        | Statement::ShowCatalogs { .. } => Command::Control(Box::new(statement)),
        Statement::Deallocate { name, .. } => {
            Command::Deallocate((!name.value.eq_ignore_ascii_case("all")).then_some(name.value))
        }
        Statement::Discard { object_type: DiscardObject::ALL } => Command::Discard,
        // Statements are planned whenever they run.
        Statement::Discard { object_type: DiscardObject::PLANS } => Command::DiscardPlans,
        Statement::Copy { source, to: true, target: CopyTarget::Stdout, options, legacy_options, .. } => {
            Command::Copy { query: copied(source)?, format: copy_format(&options, &legacy_options)? }
        }
        // A statement that writes is refused when it is planned.
        other => Command::Query(other.to_string()),
    })
}

fn copied(source: CopySource) -> PgWireResult<String> {
    Ok(match source {
        CopySource::Query(query) => query.to_string(),
        CopySource::Table { table_name, columns } => {
            let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
            let columns = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
            format!("select {columns} from {table_name}")
        }
    })
}

fn copy_format(options: &[CopyOption], legacy: &[CopyLegacyOption]) -> PgWireResult<CopyFormat> {
    let (mut format, mut has_header) = (CopyFormat::Text, false);
    for option in options {
        match option {
            CopyOption::Format(name) => {
                format = match name.value.to_ascii_lowercase().as_str() {
                    "binary" => CopyFormat::Binary,
                    "csv" => CopyFormat::Csv { has_header: false },
                    "text" => CopyFormat::Text,
                    other => return Err(unsupported(&format!("the format {other}"))),
                }
            }
            CopyOption::Header(header) => has_header = *header,
            other => return Err(unsupported(&format!("the option {other}"))),
        }
    }
    for option in legacy {
        match option {
            CopyLegacyOption::Binary => format = CopyFormat::Binary,
            CopyLegacyOption::Csv(more) => {
                let is_header = |option: &CopyLegacyCsvOption| matches!(option, CopyLegacyCsvOption::Header);
                if let Some(other) = more.iter().find(|option| !is_header(option)) {
                    return Err(unsupported(&format!("the option {other}")));
                }
                (format, has_header) = (CopyFormat::Csv { has_header: false }, !more.is_empty());
            }
            other => return Err(unsupported(&format!("the option {other}"))),
        }
    }
    match format {
        CopyFormat::Csv { .. } => Ok(CopyFormat::Csv { has_header }),
        other => Ok(other),
    }
}

fn unsupported(what: &str) -> datafusion_postgres::pgwire::error::PgWireError {
    error(
        SqlState::FeatureNotSupported,
        format!("COPY TO STDOUT does not know {what}; it has the formats text, csv (with header) and binary"),
    )
}
