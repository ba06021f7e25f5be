//! `percentile_disc`, as an element of an ordered array.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, OrderByExpr, Query, Visit, Visitor,
};

use super::syntax::{arguments, call, cast_to, number};

/// The most parts of an expression that is written several times.
const MAX_NODES: usize = 100;

/// `percentile_disc(p) within group (order by x)`: the first value in this order up to which a share `p` of all values
/// lies. DataFusion has none.
pub(super) fn percentile_disc(function: &mut Function) -> Option<Expr> {
    let order_is_small = function.within_group.iter().all(|order| is_small(&order.expr));
    if !order_is_small || !function.filter.as_deref().is_none_or(is_small) {
        return None;
    }
    let [share]: [Expr; 1] = arguments(function)?.try_into().ok()?;
    let [order] = <[OrderByExpr; 1]>::try_from(std::mem::take(&mut function.within_group)).ok()?;
    let is_there = Expr::IsNotNull(Box::new(order.expr.clone()));
    let filter = match function.filter.take() {
        Some(filter) => {
            Expr::BinaryOp { left: Box::new(Expr::Nested(filter)), op: BinaryOperator::And, right: Box::new(is_there) }
        }
        None => is_there,
    };
    let value = order.expr.clone();
    let values = aggregate("array_agg", value.clone(), Some(order), &filter);
    let all = aggregate("count", value, None, &filter);
    let places = Expr::BinaryOp {
        left: Box::new(Expr::Nested(Box::new(share))),
        op: BinaryOperator::Multiply,
        right: Box::new(all),
    };
    let place = call("greatest", [number(1), cast_to(call("ceil", [places]), DataType::BigInt(None))]);
    Some(call("array_element", [values, place]))
}

/// What is written several times must not become many times as large.
fn is_small(expression: &Expr) -> bool {
    struct Nodes(usize);
    impl Visitor for Nodes {
        type Break = ();

        fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
            self.0 += 1;
            if self.0 > MAX_NODES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    expression.visit(&mut Nodes(0)).is_continue()
}

fn aggregate(name: &str, value: Expr, order: Option<OrderByExpr>, filter: &Expr) -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(value))],
            clauses: order.map(|order| FunctionArgumentClause::OrderBy(vec![order])).into_iter().collect(),
        }),
        filter: Some(Box::new(filter.clone())),
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
