//! What DataFusion's planner takes for something else, written as what it means.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, CharacterLength, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, Select, TimezoneInfo, Value, VisitMut, VisitorMut,
};

use super::interval_text::with_words;
use super::ordered_set::percentile_disc;
use super::power::bind_powers;
use super::series;

/// Functions that have another name in DataFusion.
const NAMES: [(&str, &str); 4] =
    [("ceiling", "ceil"), ("sign", "signum"), ("variance", "var_samp"), ("every", "bool_and")];

/// The same statement, in DataFusion's words.
pub(in crate::sql) fn with_meaning(statement: &mut Statement) {
    match statement {
        Statement::Statement(statement) => {
            let _ = statement.visit(&mut Meaning);
        }
        Statement::Explain(explain) => with_meaning(&mut explain.statement),
        _ => {}
    }
}

struct Meaning;

impl VisitorMut for Meaning {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        series::of_select(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        bind_powers(expression);
        with_words(expression);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Some(meant) = meant(expression) {
            *expression = meant;
        }
        ControlFlow::Continue(())
    }
}

/// What an expression means, where DataFusion takes it for something else.
fn meant(expression: &mut Expr) -> Option<Expr> {
    match expression {
        Expr::AtTimeZone { timestamp, time_zone } => Some(call("timezone", [taken(time_zone), taken(timestamp)])),
        Expr::SimilarTo { negated, expr, pattern, escape_char } => {
            let mut arguments = vec![taken(pattern)];
            arguments.extend(escape_char.take().map(Expr::Value));
            let op = if *negated { BinaryOperator::PGRegexNotMatch } else { BinaryOperator::PGRegexMatch };
            let right = Box::new(call("similar_to_escape", arguments));
            Some(Expr::BinaryOp { left: Box::new(taken(expr)), op, right })
        }
        Expr::Substring { expr, substring_from: Some(from), substring_for: None, .. } if is_text(from) => {
            let matched = call("regexp_match", [taken(expr), taken(from)]);
            Some(call("array_element", [matched, number(1)]))
        }
        Expr::Cast { data_type, .. } => {
            let length = most_characters(data_type)?;
            *data_type = DataType::Text;
            Some(call("left", [taken(expression), number(length)]))
        }
        Expr::Function(function) => meant_call(function),
        _ => None,
    }
}

fn meant_call(function: &mut Function) -> Option<Expr> {
    let [part] = function.name.0.as_slice() else { return None };
    let name = part.as_ident().filter(|name| name.quote_style.is_none())?.value.to_lowercase();
    if let Some((_, ours)) = NAMES.iter().find(|(theirs, _)| *theirs == name) {
        function.name = ObjectName::from(vec![Ident::new(*ours)]);
        return None;
    }
    match name.as_str() {
        "percentile_disc" => return percentile_disc(function),
        "regexp_replace" => {
            with_plain_signs(function);
            return None;
        }
        "mod" | "div" | "date_bin" | "date_trunc" | "age" => {}
        _ => return None,
    }
    let mut arguments = arguments(function)?;
    match (name.as_str(), arguments.as_mut_slice()) {
        ("mod", [left, right]) => Some(nested_operation(left, BinaryOperator::Modulo, right)),
        ("div", [left, right]) => {
            let whole = call("trunc", [nested_operation(left, BinaryOperator::Divide, right)]);
            Some(cast_to(whole, DataType::BigInt(None)))
        }
        // A day in a zone begins where its local time does.
        ("date_trunc", [unit, time, zone]) => {
            let arguments = [taken(unit), time_with_zone(taken(time)), taken(zone)];
            Some(call("zoned_date_trunc", arguments))
        }
        ("date_bin", [stride, time, origin, zone]) => {
            let arguments = [taken(stride), time_with_zone(taken(time)), taken(origin), taken(zone)];
            Some(call("zoned_date_bin", arguments))
        }
        ("age", [time]) => {
            let today = call("date_trunc", [text("day"), call("now", [])]);
            Some(call("age", [today, taken(time)]))
        }
        _ => None,
    }
}

/// Lets `$` in the constant that replaces matches be itself, and `\&` the whole match.
fn with_plain_signs(function: &mut Function) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))) = list.args.get_mut(2)
        && let Value::SingleQuotedString(replacement) | Value::EscapedStringLiteral(replacement) = &mut value.value
    {
        *replacement = replacement.replace('$', "$$").replace("\\&", "\\0");
    }
}

fn nested_operation(left: &mut Expr, op: BinaryOperator, right: &mut Expr) -> Expr {
    let left = Box::new(Expr::Nested(Box::new(taken(left))));
    let right = Box::new(Expr::Nested(Box::new(taken(right))));
    Expr::Nested(Box::new(Expr::BinaryOp { left, op, right }))
}

fn time_with_zone(time: Expr) -> Expr {
    cast_to(time, DataType::Timestamp(Some(6), TimezoneInfo::Tz))
}

pub(super) fn cast_to(expression: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expression), data_type, array: false, format: None }
}

/// The arguments of a plain call.
pub(super) fn arguments(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let of_argument = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression.clone()),
        _ => None,
    };
    list.args.iter().map(of_argument).collect()
}

/// The most characters of a text of this type; `None` where it has no such limit.
fn most_characters(data_type: &DataType) -> Option<u64> {
    match data_type {
        DataType::Varchar(length)
        | DataType::CharacterVarying(length)
        | DataType::CharVarying(length)
        | DataType::Nvarchar(length) => match length {
            Some(CharacterLength::IntegerLength { length, .. }) => Some(*length),
            Some(CharacterLength::Max) | None => None,
        },
        DataType::Char(length) | DataType::Character(length) => match length {
            Some(CharacterLength::IntegerLength { length, .. }) => Some(*length),
            Some(CharacterLength::Max) => None,
            None => Some(1),
        },
        _ => None,
    }
}

fn is_text(expression: &Expr) -> bool {
    matches!(expression, Expr::Value(value) if matches!(
        value.value,
        Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_) | Value::DollarQuotedString(_)
    ))
}

fn taken(expression: &mut Expr) -> Expr {
    std::mem::replace(expression, Expr::value(Value::Null))
}

pub(super) fn number(number: u64) -> Expr {
    Expr::value(Value::Number(number.to_string(), false))
}

fn text(text: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(text.to_owned()))
}

pub(super) fn call(name: &str, arguments: impl IntoIterator<Item = Expr>) -> Expr {
    let args = arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
