//! `SUMMARIZE`: a row for each column of a table or a query, with what its values are like. The statement is one over the
//! query, for which its columns must be known.

use std::fmt::Write;
use std::ops::ControlFlow;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::{internal_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{Query, SetExpr, Statement, TableFactor, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::beginning::{SUMMARIZE, beginning, begins, is_blank};
use super::reading::{read_words, words};
use crate::sql::catalog::standard_type;

/// The largest number with a fraction that is below the largest whole one of 64 bits.
const LARGEST_WHOLE: &str = "CAST('9223372036854774784' AS DOUBLE)";

/// The most columns that are summarized. Each is planned as a dozen aggregates.
const MAX_COLUMNS: usize = 200;

/// The shares of values below a quantile, and the columns that tell them.
const QUANTILES: [(&str, &str); 3] = [("q25", "0.25"), ("q50", "0.5"), ("q75", "0.75")];

/// Makes `SUMMARIZE …` the query that is summarized, and says whether it was one.
pub(super) fn query_of_summary(tokens: &mut Vec<TokenWithSpan>) -> bool {
    let first = beginning(tokens);
    let is_summary = |token: &&mut TokenWithSpan| {
        matches!(&token.token, Token::Word(word)
        if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(SUMMARIZE))
    };
    let is_query = tokens.iter().skip(first + 1).find(|token| !is_blank(token)).is_some_and(begins);
    let Some(word) = tokens.get_mut(first).filter(is_summary) else { return false };
    if is_query {
        tokens.remove(first);
    } else {
        word.token = Token::make_keyword("FROM");
    }
    true
}

/// The query that a statement is, or that it explains.
pub(in crate::sql) fn summarized(statement: &DfStatement) -> Option<&Query> {
    match statement {
        DfStatement::Statement(statement) => match statement.as_ref() {
            Statement::Query(query) => Some(query),
            _ => None,
        },
        DfStatement::Explain(explain) => summarized(&explain.statement),
        _ => None,
    }
}

/// Puts the summary of a query in the place of the query, which has these columns.
///
/// # Errors
/// Where there are too many columns, or none.
pub(in crate::sql) fn summarize(statement: &mut DfStatement, columns: &Schema) -> Result<()> {
    match statement {
        DfStatement::Statement(statement) => match statement.as_mut() {
            Statement::Query(query) => {
                let over = summary(columns)?;
                let inner = std::mem::replace(query, over);
                match VisitMut::visit(query.as_mut(), &mut Placing(Some(inner))) {
                    ControlFlow::Break(()) => Ok(()),
                    ControlFlow::Continue(()) => Err(internal_datafusion_err!("a summary is over no query")),
                }
            }
            _ => Err(internal_datafusion_err!("a summary is of no query")),
        },
        DfStatement::Explain(explain) => summarize(&mut explain.statement, columns),
        _ => Err(internal_datafusion_err!("a summary is of no query")),
    }
}

/// The summary of columns of something that is not known.
fn summary(columns: &Schema) -> Result<Box<Query>> {
    let count = columns.fields().len();
    if count == 0 {
        return plan_err!("there are no columns to summarize");
    }
    if count > MAX_COLUMNS {
        return plan_err!("there are {count} columns; at most {MAX_COLUMNS} are summarized");
    }
    let text = text_of_summary(columns);
    match read_words(words(&text)?)? {
        DfStatement::Statement(statement) => match *statement {
            Statement::Query(query) => Ok(query),
            _ => Err(internal_datafusion_err!("a summary is no query")),
        },
        _ => Err(internal_datafusion_err!("a summary is no query")),
    }
}

/// Each column of the summary is a list with an item for each column, and the lists are unfolded together.
fn text_of_summary(columns: &Schema) -> String {
    let columns: Vec<Column> = columns
        .fields()
        .iter()
        .enumerate()
        .map(|(number, field)| Column { is: format!("c{number}"), name: field.name(), of: field.data_type() })
        .collect();
    type Item = fn(&Column<'_>) -> String;
    let fixed: [(&str, Item); 4] = [
        ("column_name", |column| quoted(column.name)),
        ("column_type", |column| quoted(standard_type(column.of))),
        ("min", |column| column.extreme("min")),
        ("max", |column| column.extreme("max")),
    ];
    let numbers: [(&str, Item); 3] = [
        ("approx_unique", |column| column.unique()),
        ("avg", |column| column.moment("avg")),
        ("std", |column| column.moment("stddev")),
    ];
    let counts: [(&str, Item); 2] =
        [("count", |_| "count(*)".to_owned()), ("null_percentage", |column| column.nulls())];
    let (mut names, mut lists) = (Vec::new(), Vec::new());
    let mut add = |name: &str, item: &dyn Fn(&Column<'_>) -> String| {
        let items: Vec<String> = columns.iter().map(item).collect();
        names.push(format!("unnest(\"{name}\") AS \"{name}\""));
        lists.push(format!("make_array({}) AS \"{name}\"", items.join(", ")));
    };
    fixed.iter().chain(&numbers).for_each(|(name, item)| add(name, item));
    QUANTILES.iter().for_each(|(name, share)| add(name, &|column| column.quantile(share)));
    counts.iter().for_each(|(name, item)| add(name, item));
    let aliases: Vec<&str> = columns.iter().map(|column| column.is.as_str()).collect();
    let mut text = format!("SELECT {} FROM (SELECT {}", names.join(", "), lists.join(", "));
    let _ = write!(text, " FROM (SELECT 1) AS summarized ({})) AS lists", aliases.join(", "));
    text
}

/// A column that is summarized.
struct Column<'c> {
    /// What it is called in the summary.
    is: String,
    name: &'c str,
    of: &'c DataType,
}

/// What can be told of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    Number,
    Time,
    /// Values that are before or after one another.
    Ordered,
    Other,
}

impl Column<'_> {
    fn values(&self) -> &DataType {
        match self.of {
            DataType::Dictionary(_, values) => values,
            of => of,
        }
    }

    fn kind(&self) -> Kind {
        match self.values() {
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => Kind::Whole,
            of if of.is_numeric() => Kind::Number,
            DataType::Timestamp(..) | DataType::Date32 => Kind::Time,
            DataType::Boolean
            | DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Date64 => Kind::Ordered,
            _ => Kind::Other,
        }
    }

    /// The column itself, without a dictionary.
    fn plain(&self) -> String {
        match self.of {
            DataType::Dictionary(_, values) => arrow_cast(&self.is, values),
            _ => self.is.clone(),
        }
    }

    fn extreme(&self, function: &str) -> String {
        match self.kind() {
            Kind::Other => nothing(),
            _ => text(&format!("{function}({})", self.plain())),
        }
    }

    fn unique(&self) -> String {
        let of = match self.values() {
            DataType::Null => return "CAST(0 AS BIGINT)".to_owned(),
            // There is no sketch of these.
            DataType::Float16 | DataType::Float32 | DataType::Float64 => text(&self.plain()),
            _ => self.plain(),
        };
        format!("CAST(approx_distinct({of}) AS BIGINT)")
    }

    fn moment(&self, function: &str) -> String {
        match self.kind() {
            Kind::Whole | Kind::Number => text(&format!("{function}({})", self.number())),
            Kind::Time | Kind::Ordered | Kind::Other => nothing(),
        }
    }

    /// The share of values below it, estimated.
    fn quantile(&self, share: &str) -> String {
        let quantile = format!("approx_percentile_cont({}, {share})", self.number());
        // The nearest number with a fraction to the largest whole one is larger than that.
        let nearest = format!("CASE WHEN {quantile} > {LARGEST_WHOLE} THEN {LARGEST_WHOLE} ELSE round({quantile}) END");
        let whole = || arrow_cast(&nearest, &DataType::Int64);
        match self.kind() {
            Kind::Whole => text(&whole()),
            Kind::Number => text(&quantile),
            Kind::Time => text(&arrow_cast(&whole(), self.values())),
            Kind::Ordered | Kind::Other => nothing(),
        }
    }

    /// A number that goes with each value.
    fn number(&self) -> String {
        let number = match self.kind() {
            Kind::Time => arrow_cast(&self.is, &DataType::Int64),
            _ => self.is.clone(),
        };
        format!("CAST({number} AS DOUBLE)")
    }

    fn nulls(&self) -> String {
        format!("CAST(100.0 * (count(*) - count({})) / nullif(count(*), 0) AS DECIMAL(9, 2))", self.is)
    }
}

fn text(expression: &str) -> String {
    format!("CAST({expression} AS TEXT)")
}

fn nothing() -> String {
    text("NULL")
}

fn arrow_cast(expression: &str, of: &DataType) -> String {
    format!("arrow_cast({expression}, {})", quoted(&of.to_string()))
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// Puts a query in the place of the first one that stands for a table and selects from nothing.
struct Placing(Option<Box<Query>>);

impl VisitorMut for Placing {
    type Break = ();

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Derived { subquery, .. } = table
            && matches!(subquery.body.as_ref(), SetExpr::Select(select) if select.from.is_empty())
            && let Some(inner) = self.0.take()
        {
            *subquery = inner;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}
