//! Casts of one value to several types. DataFusion gives a cast the name of what is cast, so that it takes
//! `group by skill_id::text, skill_id` for two keys of one name.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use arrow::datatypes::DataType as ArrowType;
use datafusion::common::DFSchema;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::Expr as LogicalExpr;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Distinct, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, GroupByExpr, Ident, ObjectName, OrderBy, OrderByKind, Select, SelectItem, Value, VisitMut,
    VisitorMut, visit_expressions, visit_expressions_mut,
};

use super::names::folded;

/// Puts casts into calls of `arrow_cast`, whose names tell the type, where a selection groups or calls functions and
/// would have several expressions of one name.
pub(super) fn rewrite(select: &mut Select, mut order_by: Option<&mut OrderBy>, state: &SessionState) {
    let mut has_casts = false;
    each_part(select, order_by.as_deref_mut(), &mut |part, _| {
        has_casts = has_casts || visit_expressions(&*part, is_cast_found).is_break();
    });
    if !has_casts {
        return;
    }
    let (mut keys, mut calls) = (Named::default(), Named::default());
    let groups = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    each_part(select, order_by.as_deref_mut(), &mut |part, is_key| {
        // What stands in the list may be a key by its number or its name.
        if groups && is_key {
            keys.add(part);
        }
        let _ = visit_expressions(&*part, |inner| {
            if matches!(inner, Expr::Function(_)) {
                calls.add(inner);
            }
            ControlFlow::<()>::Continue(())
        });
    });
    let casts: HashSet<String> = keys.ambiguous_casts().chain(calls.ambiguous_casts()).cloned().collect();
    if casts.is_empty() {
        return;
    }
    each_part(select, order_by, &mut |part, _| {
        let _ = VisitMut::visit(part, &mut Naming { casts: &casts, state, is_named: Vec::new() });
    });
}

/// Gives casts names of their own.
struct Naming<'c> {
    casts: &'c HashSet<String>,
    state: &'c SessionState,
    /// Whether each of the expressions that the visit is inside of is given one.
    is_named: Vec<bool>,
}

impl VisitorMut for Naming<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        self.is_named.push(is_cast(expression) && self.casts.contains(&plain(expression, false)));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if self.is_named.pop().unwrap_or(false)
            && let Some(call) = named(expression, self.state)
        {
            *expression = call;
        }
        ControlFlow::Continue(())
    }
}

/// Expressions that are columns while a statement is planned, and the casts in them.
#[derive(Default)]
struct Named {
    /// Their texts, by their texts without casts.
    texts: HashMap<String, BTreeSet<String>>,
    /// The casts in each of the texts.
    casts: HashMap<String, HashSet<String>>,
}

impl Named {
    fn add(&mut self, expression: &Expr) {
        let text = plain(expression, false);
        let casts = self.casts.entry(text.clone()).or_default();
        let _ = visit_expressions(expression, |inner| {
            if is_cast(inner) {
                casts.insert(plain(inner, false));
            }
            ControlFlow::<()>::Continue(())
        });
        self.texts.entry(plain(expression, true)).or_default().insert(text);
    }

    /// The texts of the casts because of which expressions have one name.
    fn ambiguous_casts(&self) -> impl Iterator<Item = &String> {
        let ambiguous = self.texts.values().filter(|texts| texts.len() > 1).flatten();
        ambiguous.filter_map(|text| self.casts.get(text)).flatten()
    }
}

/// The text of an expression without parentheses and tables' names, and without casts where they are not to count.
fn plain(expression: &Expr, without_casts: bool) -> String {
    let mut expression = expression.clone();
    simplify(&mut expression, without_casts, true);
    expression.to_string()
}

/// The text by which DataFusion tells what a selection computes from all else in it, more or less.
pub(super) fn planned_name(expression: &Expr) -> String {
    let mut expression = expression.clone();
    simplify(&mut expression, true, false);
    expression.to_string()
}

fn simplify(expression: &mut Expr, without_casts: bool, without_tables: bool) {
    let _ = visit_expressions_mut(expression, |part| {
        let simpler = match part {
            Expr::Nested(inner) => Some(inner.as_ref().clone()),
            Expr::Cast { expr, .. } if without_casts => Some(expr.as_ref().clone()),
            Expr::TypedString(typed) if without_casts => Some(Expr::Value(typed.value.clone())),
            Expr::Function(function) => {
                function.name = ObjectName::from(vec![Ident::new(function.name.to_string().to_lowercase())]);
                None
            }
            Expr::CompoundIdentifier(names) if without_tables => {
                names.last().map(|name| Expr::Identifier(Ident::new(folded(name))))
            }
            Expr::Identifier(name) => Some(Expr::Identifier(Ident::new(folded(name)))),
            _ => None,
        };
        if let Some(simpler) = simpler {
            *part = simpler;
        }
        ControlFlow::<()>::Continue(())
    });
}

/// Whether an expression is a cast that may need a name of its own. Constants have no use for it.
fn is_cast(expression: &Expr) -> bool {
    match expression {
        Expr::Cast { kind, expr, array: false, format: None, .. } => {
            matches!(kind, CastKind::Cast | CastKind::DoubleColon) && !matches!(expr.as_ref(), Expr::Value(_))
        }
        _ => false,
    }
}

fn is_cast_found(expression: &Expr) -> ControlFlow<()> {
    if is_cast(expression) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// The same cast in a call that changes nothing, and whose name tells the type.
fn named(expression: &Expr, state: &SessionState) -> Option<Expr> {
    let Expr::Cast { data_type, .. } = expression else { return None };
    let name = arrow_type(data_type, state)?.to_string();
    let arguments = [expression.clone(), Expr::Value(Value::SingleQuotedString(name).with_empty_span())];
    let args = arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)));
    let list = FunctionArgumentList { duplicate_treatment: None, args: args.collect(), clauses: vec![] };
    Some(Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("arrow_cast")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    }))
}

/// The type of a cast.
fn arrow_type(data_type: &DataType, state: &SessionState) -> Option<ArrowType> {
    match state.create_logical_expr(&format!("CAST(NULL AS {data_type})"), &DFSchema::empty()).ok()? {
        LogicalExpr::Cast(cast) => Some(cast.field.data_type().clone()),
        _ => None,
    }
}

/// Hands over the expressions that a selection computes of its rows, and whether they may be keys that it groups by.
fn each_part(select: &mut Select, order_by: Option<&mut OrderBy>, visit: &mut impl FnMut(&mut Expr, bool)) {
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } = item {
            visit(expression, true);
        }
    }
    if let GroupByExpr::Expressions(keys, _) = &mut select.group_by {
        keys.iter_mut().for_each(|key| visit(key, true));
    }
    if let Some(Distinct::On(keys)) = &mut select.distinct {
        keys.iter_mut().for_each(|key| visit(key, false));
    }
    select.having.iter_mut().chain(&mut select.qualify).for_each(|condition| visit(condition, false));
    if let Some(OrderBy { kind: OrderByKind::Expressions(keys), .. }) = order_by {
        keys.iter_mut().for_each(|key| visit(&mut key.expr, false));
    }
}
