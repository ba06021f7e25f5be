//! Reading the text of a statement.

use std::cell::Cell;

use datafusion::common::{not_impl_err, plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::beginning::{is_blank, keyword};
use super::from_first::with_select_first;
use super::summary::query_of_summary;

/// The levels that the parser goes down. A level of a statement is several of the parser's.
const MAX_LEVELS: usize = 1_200;

/// The most expressions that are begun while a statement is read. Where a statement is wrong inside of many
/// parentheses, the parser reads the same words again for every one of them, in each of their possible meanings.
const MAX_BEGUN: usize = 200_000;

/// A statement as it is written.
#[derive(Debug)]
pub(in crate::sql) struct Written {
    pub(in crate::sql) statement: Statement,
    /// Whether the query in it is one of which a summary is wanted.
    pub(in crate::sql) is_summary: bool,
}

/// Reads one statement.
pub(in crate::sql) fn read(text: &str) -> Result<Written> {
    let mut words = words(text)?;
    let is_summary = query_of_summary(&mut words);
    Ok(Written { statement: read_words(words)?, is_summary })
}

/// The words of a text.
pub(in crate::sql) fn words(text: &str) -> Result<Vec<TokenWithSpan>> {
    let words = Tokenizer::new(&Patient::default(), text).tokenize_with_location();
    words.map_err(|error| plan_datafusion_err!("{error}"))
}

/// Reads one statement from its words.
pub(in crate::sql) fn read_words(tokens: Vec<TokenWithSpan>) -> Result<Statement> {
    let dialect = Patient::default();
    let parser = DFParserBuilder::new(understood(with_select_first(tokens)))
        .with_dialect(&dialect)
        .with_recursion_limit(MAX_LEVELS);
    let mut statements = match parser.build()?.parse_statements() {
        Err(_) if dialect.begun.get() > MAX_BEGUN => {
            return plan_err!(
                "the statement cannot be read: it is wrong somewhere inside of many levels of parentheses"
            );
        }
        read => read?,
    };
    match (statements.pop_front(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        (None, _) => plan_err!("No SQL statements were provided in the query string"),
        _ => not_impl_err!("The context currently only supports a single SQL statement"),
    }
}

/// The same words without those of PostgreSQL that the parser does not know: `AS [NOT] MATERIALIZED (…)` only says how
/// to compute, and `TABLE t` is `SELECT * FROM t`.
fn understood(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut words = tokens.iter().filter(|token| !is_blank(token));
    let is_table = words.next().is_some_and(|first| keyword(first) == Keyword::TABLE);
    for token in tokens {
        let is_parenthesis = token.token == Token::LParen;
        if is_parenthesis {
            drop_materialized(&mut kept);
        }
        if is_table && keyword(&token) == Keyword::TABLE && kept.iter().all(is_blank) {
            let select = [Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")];
            kept.extend(select.map(|word| TokenWithSpan::new(word, token.span)));
        } else {
            kept.push(token);
        }
    }
    kept
}

/// Drops `[NOT] MATERIALIZED` at the end of words, where it follows `AS`.
fn drop_materialized(words: &mut Vec<TokenWithSpan>) {
    let last_before = |end: usize| {
        let before = words.get(..end)?;
        before.iter().rposition(|token| !is_blank(token))
    };
    let is = |place: usize, wanted: Keyword| words.get(place).is_some_and(|token| keyword(token) == wanted);
    let Some(last) = last_before(words.len()).filter(|last| is(*last, Keyword::MATERIALIZED)) else { return };
    let Some(before) = last_before(last) else { return };
    let first = if is(before, Keyword::NOT) { before } else { last };
    if last_before(first).is_some_and(|place| is(place, Keyword::AS)) {
        words.truncate(first);
    }
}

/// The dialect in which statements are read, which also counts how much is read.
#[derive(Debug, Default)]
struct Patient {
    begun: Cell<usize>,
}

macro_rules! as_generic {
    ($($name:ident),* $(,)?) => {
        $(fn $name(&self) -> bool {
            GenericDialect {}.$name()
        })*
    };
}

impl Dialect for Patient {
    fn dialect(&self) -> std::any::TypeId {
        GenericDialect {}.dialect()
    }

    fn parse_prefix(&self, _: &mut Parser<'_>) -> Option<std::result::Result<Expr, ParserError>> {
        self.begun.set(self.begun.get().saturating_add(1));
        // Of all errors this one alone ends the parser's attempts.
        (self.begun.get() > MAX_BEGUN).then_some(Err(ParserError::RecursionLimitExceeded))
    }

    fn is_delimited_identifier_start(&self, letter: char) -> bool {
        GenericDialect {}.is_delimited_identifier_start(letter)
    }

    fn is_identifier_start(&self, letter: char) -> bool {
        GenericDialect {}.is_identifier_start(letter)
    }

    fn is_identifier_part(&self, letter: char) -> bool {
        GenericDialect {}.is_identifier_part(letter)
    }

    fn supports_order_by_all(&self) -> bool {
        true
    }

    as_generic!(
        allow_extract_custom,
        allow_extract_single_quotes,
        support_map_literal_syntax,
        supports_array_join_syntax,
        supports_array_typedef_with_brackets,
        supports_asc_desc_in_column_definition,
        supports_bitwise_shift_operators,
        supports_comma_separated_set_assignments,
        supports_comma_separated_trim,
        supports_comment_on,
        supports_comment_optimizer_hint,
        supports_connect_by,
        supports_constraint_keyword_without_name,
        supports_create_index_with_clause,
        supports_create_view_comment_syntax,
        supports_cte_without_as,
        supports_data_type_signed_suffix,
        supports_detach,
        supports_dictionary_syntax,
        supports_empty_projections,
        supports_explain_with_utility_options,
        supports_extract_comma_syntax,
        supports_filter_during_aggregation,
        supports_from_first_select,
        supports_group_by_expr,
        supports_group_by_with_modifier,
        supports_install,
        supports_interpolate,
        supports_interval_options,
        supports_key_column_option,
        supports_left_associative_joins_without_parens,
        supports_limit_by,
        supports_limit_comma,
        supports_load_extension,
        supports_match_against,
        supports_match_recognize,
        supports_multiline_comment_hints,
        supports_named_fn_args_with_assignment_operator,
        supports_nested_comments,
        supports_optimize_table,
        supports_parens_around_table_factor,
        supports_parenthesized_set_variables,
        supports_partition_by_after_order_by,
        supports_pipe_operator,
        supports_prewhere,
        supports_projection_trailing_commas,
        supports_quote_delimited_string,
        supports_select_format,
        supports_select_item_multi_column_alias,
        supports_select_wildcard_except,
        supports_select_wildcard_exclude,
        supports_select_wildcard_ilike,
        supports_select_wildcard_rename,
        supports_select_wildcard_replace,
        supports_set_names,
        supports_settings,
        supports_start_transaction_modifier,
        supports_string_escape_constant,
        supports_struct_literal,
        supports_try_convert,
        supports_unicode_string_literal,
        supports_update_order_by,
        supports_user_host_grantee,
        supports_values_as_table_factor,
        supports_window_clause_named_window_reference,
        supports_window_function_null_treatment_arg,
        supports_with_fill,
        supports_xml_expressions
    );
}
