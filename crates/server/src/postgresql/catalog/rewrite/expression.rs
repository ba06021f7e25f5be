//! Parts of a syntax tree: what they are, and new ones.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, ObjectNamePart, Query, SelectItem, Value, Visit, Visitor,
};

use super::super::functions::NUMBER_OF_OBJECT;

/// A call of a function with one name.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
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

pub(super) fn text(text: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.to_owned()).with_empty_span())
}

pub(super) fn truth(value: bool) -> Expr {
    Expr::Value(Value::Boolean(value).with_empty_span())
}

pub(super) fn cast(expression: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expression), data_type, array: false, format: None }
}

/// A null of a type, which is written as statements have it.
pub(super) fn null(data_type: &DataType) -> Expr {
    cast(Expr::Value(Value::Null.with_empty_span()), data_type.clone())
}

/// The last part of a name, in small letters.
pub(super) fn last_name(name: &ObjectName) -> Option<String> {
    name.0.last().and_then(ObjectNamePart::as_ident).map(|ident| ident.value.to_lowercase())
}

/// The expressions that a call is of.
pub(super) fn arguments(function: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &function.args else { return Vec::new() };
    let expressions = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression))
        | FunctionArg::Named { arg: FunctionArgExpr::Expr(expression), .. }
        | FunctionArg::ExprNamed { arg: FunctionArgExpr::Expr(expression), .. } => Some(expression),
        _ => None,
    });
    expressions.collect()
}

/// What PostgreSQL calls a column that is computed so.
pub(super) fn column_name(expression: &Expr) -> String {
    known_name(expression).unwrap_or_else(|| "?column?".to_owned())
}

fn known_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()),
        Expr::Nested(inner) => known_name(inner),
        Expr::Cast { expr, data_type, .. } => known_name(expr).or_else(|| Some(type_name(data_type))),
        Expr::Function(function) => last_name(&function.name).filter(|name| name != NUMBER_OF_OBJECT),
        Expr::Case { else_result, .. } => {
            Some(else_result.as_ref().and_then(|value| known_name(value)).unwrap_or_else(|| "case".to_owned()))
        }
        Expr::Array(_) => Some("array".to_owned()),
        Expr::Exists { .. } => Some("exists".to_owned()),
        _ => None,
    }
}

fn type_name(data_type: &DataType) -> String {
    let name = data_type.to_string().to_lowercase();
    let name = name.rsplit('.').next().unwrap_or_default().trim_matches('"').to_owned();
    match name.as_str() {
        "int" | "integer" => "int4".to_owned(),
        "bigint" => "int8".to_owned(),
        "smallint" => "int2".to_owned(),
        "boolean" => "bool".to_owned(),
        _ => name,
    }
}

/// Whether a selection counts or adds up rows itself. What its subqueries do is theirs.
pub(super) fn is_aggregated(item: &SelectItem) -> bool {
    let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) = item else {
        return false;
    };
    Visit::visit(expression, &mut Aggregates { queries: 0 }).is_break()
}

struct Aggregates {
    /// The queries that the visit is inside of.
    queries: usize,
}

impl Visitor for Aggregates {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        const AGGREGATES: [&str; 11] = [
            "count",
            "sum",
            "min",
            "max",
            "avg",
            "array_agg",
            "string_agg",
            "bool_and",
            "bool_or",
            "json_agg",
            "every",
        ];
        match expression {
            Expr::Function(call) if self.queries == 0 && call.over.is_none() => match last_name(&call.name) {
                Some(name) if AGGREGATES.contains(&name.as_str()) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            },
            _ => ControlFlow::Continue(()),
        }
    }
}

/// The type that an expression has, as far as it can be seen.
pub(super) fn data_type(expression: &Expr) -> DataType {
    match expression {
        Expr::Nested(inner) => data_type(inner),
        Expr::Cast { data_type, .. } => data_type.clone(),
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Exists { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::AnyOp { .. }
        | Expr::AllOp { .. }
        | Expr::UnaryOp { .. } => DataType::Boolean,
        Expr::BinaryOp { op: BinaryOperator::StringConcat, .. } => DataType::Text,
        Expr::BinaryOp {
            op: BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply | BinaryOperator::Divide,
            ..
        } => DataType::BigInt(None),
        Expr::BinaryOp { .. } => DataType::Boolean,
        Expr::Case { conditions, .. } => {
            conditions.first().map_or(DataType::Text, |condition| data_type(&condition.result))
        }
        Expr::Value(value) => match &value.value {
            Value::Boolean(_) => DataType::Boolean,
            Value::Number(..) => DataType::BigInt(None),
            _ => DataType::Text,
        },
        Expr::Array(_) => texts(),
        Expr::Function(function) => of_call(function),
        // The number of an element.
        Expr::CompoundFieldAccess { .. } => DataType::Integer(None),
        _ => DataType::Text,
    }
}

fn of_call(function: &Function) -> DataType {
    let name = last_name(&function.name).unwrap_or_default();
    match name.as_str() {
        "array" | "array_agg" => texts(),
        "count" | "sum" => DataType::BigInt(None),
        "unnest"
        | "generate_subscripts"
        | "array_length"
        | "array_upper"
        | "array_lower"
        | "cardinality"
        | "_pg_expandarray" => DataType::Integer(None),
        "coalesce" | "nullif" | "min" | "max" => {
            arguments(function).first().map_or(DataType::Text, |argument| data_type(argument))
        }
        "bool_and" | "bool_or" => DataType::Boolean,
        name if name.starts_with("has_") || name.ends_with("_is_visible") => DataType::Boolean,
        _ => DataType::Text,
    }
}

/// A list of texts.
pub(super) fn texts() -> DataType {
    use datafusion::sql::sqlparser::ast::ArrayElemTypeDef;
    DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(DataType::Text), None))
}
