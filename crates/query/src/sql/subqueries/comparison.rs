//! A value compared with the rows of a subquery.

use std::sync::Arc;

use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::logical_expr::expr::{Case, InSubquery, SetComparison, SetQuantifier};
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, Operator, binary_expr, in_subquery, lit, not_in_subquery, scalar_subquery,
};

use super::opposite;
use super::placed::{Placed, aggregate_of, count_of, holds_for, is_correlated, only_column};
use super::shape::{Shape, without_having};

/// `value operator any (subquery)`, or `all`. `in` is `= any`, and `not in` is `<> all`.
#[derive(Debug)]
pub(super) struct Comparison {
    value: Expr,
    operator: Operator,
    is_all: bool,
    subquery: Arc<LogicalPlan>,
}

/// Three values of logic: whether it is true, and whether it is null where it is not.
struct Truth {
    is_true: Expr,
    /// `None` where it is never null.
    is_null: Option<Expr>,
}

impl Comparison {
    /// The comparison that an expression is; an expression of any other kind is given back.
    pub(super) fn of(expression: Expr) -> Result<std::result::Result<Self, Expr>> {
        let (value, operator, is_all, subquery) = match expression {
            Expr::InSubquery(InSubquery { expr, subquery, negated })
                if subquery.subquery.schema().fields().len() == 1 =>
            {
                (*expr, if negated { Operator::NotEq } else { Operator::Eq }, negated, subquery)
            }
            Expr::SetComparison(SetComparison { expr, subquery, op, quantifier }) if opposite(op).is_some() => {
                if subquery.subquery.schema().fields().len() != 1 {
                    return plan_err!("a value is compared with a subquery of one column");
                }
                (*expr, op, quantifier == SetQuantifier::All, subquery)
            }
            other => return Ok(Err(other)),
        };
        Ok(Ok(Self { value, operator, is_all, subquery: subquery.subquery }))
    }

    pub(super) fn negated(self) -> Self {
        Self { operator: opposite(self.operator).unwrap_or(self.operator), is_all: !self.is_all, ..self }
    }

    /// The comparison as a condition that must hold, so that null is as good as false.
    pub(super) fn holds(self, place: &mut Placed<'_>) -> Result<Expr> {
        if let Some(single) = self.of_single()? {
            return Ok(single);
        }
        match (self.operator, self.is_all) {
            (Operator::Eq, false) => {
                let subquery = self.joined(place)?;
                Ok(in_subquery(self.value, subquery))
            }
            (Operator::NotEq, true) if !(self.may_be_null(place)? && is_correlated(&self.subquery)) => {
                let subquery = self.joined(place)?;
                Ok(not_in_subquery(self.value, subquery))
            }
            _ => {
                let Truth { is_true, is_null } = self.any(place)?;
                Ok(match (self.is_all, is_null) {
                    (false, _) => is_true,
                    (true, None) => negation(is_true),
                    (true, Some(is_null)) => negation(is_true).and(negation(is_null)),
                })
            }
        }
    }

    /// The comparison as a value that is true, false or null.
    pub(super) fn value(self, place: &mut Placed<'_>) -> Result<Expr> {
        if let Some(single) = self.of_single()? {
            return Ok(single);
        }
        let is_plain = matches!((self.operator, self.is_all), (Operator::Eq, false) | (Operator::NotEq, true));
        if is_plain && place.is_in_filter() && !self.may_be_null(place)? {
            let (value, subquery) = (self.value, self.subquery);
            return Ok(if self.is_all { not_in_subquery(value, subquery) } else { in_subquery(value, subquery) });
        }
        let Truth { is_true, is_null } = self.any(place)?;
        let mut cases = vec![(Box::new(is_true), Box::new(lit(!self.is_all)))];
        let null = lit(ScalarValue::Boolean(None));
        cases.extend(is_null.map(|is_null| (Box::new(is_null), Box::new(null))));
        Ok(Expr::Case(Case { expr: None, when_then_expr: cases, else_expr: Some(Box::new(lit(self.is_all))) }))
    }

    /// The subquery to be joined with the rows beside it. What an aggregation computes has no table, so that the same
    /// column of both would be mistaken for one.
    fn joined(&self, place: &mut Placed<'_>) -> Result<Arc<LogicalPlan>> {
        let name = self.subquery.schema().field(0).name();
        let is_same = self.value.column_refs().iter().any(|column| column.relation.is_none() && column.name == *name);
        if !is_same {
            return Ok(Arc::clone(&self.subquery));
        }
        let (rows, _) = place.named(&self.subquery)?;
        Ok(Arc::new(rows.build()?))
    }

    /// The comparison with a subquery that has one row at most: with its value. One that is the same for all rows needs
    /// none of this.
    fn of_single(&self) -> Result<Option<Expr>> {
        if !is_correlated(&self.subquery) {
            return Ok(None);
        }
        let compared =
            |plan: LogicalPlan| binary_expr(self.value.clone(), self.operator, scalar_subquery(Arc::new(plan)));
        Ok(match Shape::of(&self.subquery)? {
            Shape::Empty => Some(lit(self.is_all)),
            Shape::OneRow => Some(compared(self.subquery.as_ref().clone())),
            Shape::Having { aggregate, condition } => {
                let compared = compared(without_having(&self.subquery)?);
                Some(Expr::Case(Case {
                    expr: None,
                    when_then_expr: vec![(Box::new(holds_for(aggregate, condition)?), Box::new(compared))],
                    else_expr: Some(Box::new(lit(self.is_all))),
                }))
            }
            Shape::Beyond { .. } | Shape::Any => None,
        })
    }

    fn may_be_null(&self, place: &Placed<'_>) -> Result<bool> {
        Ok(self.value.nullable(place.schema()).unwrap_or(true) || self.has_nulls())
    }

    fn has_nulls(&self) -> bool {
        self.subquery.schema().field(0).is_nullable()
    }

    /// The comparison with any row; for a comparison with all, the opposite one, which must not be true.
    fn any(&self, place: &mut Placed<'_>) -> Result<Truth> {
        let operator = if self.is_all { opposite(self.operator).unwrap_or(self.operator) } else { self.operator };
        let is_true = match operator {
            Operator::Eq => self.any_equal(place)?,
            Operator::NotEq => {
                let (least, greatest) = (self.extreme(min)?, self.extreme(max)?);
                self.value.clone().not_eq(least).or(self.value.clone().not_eq(greatest))
            }
            Operator::Gt | Operator::GtEq => binary_expr(self.value.clone(), operator, self.extreme(min)?),
            _ => binary_expr(self.value.clone(), operator, self.extreme(max)?),
        };
        Ok(Truth { is_true, is_null: self.is_null(place)? })
    }

    fn any_equal(&self, place: &mut Placed<'_>) -> Result<Expr> {
        let outside = place.outside(&self.value, &self.subquery)?;
        let (rows, column) = place.named(&self.subquery)?;
        place.has_rows(&rows.filter(column.eq(outside))?.build()?)
    }

    /// The least or greatest value of the subquery.
    fn extreme(&self, of: fn(Expr) -> Expr) -> Result<Expr> {
        aggregate_of(&self.subquery, of(only_column(&self.subquery)))
    }

    /// Whether the comparison with any row is null where it is not true: the value is null and there are rows, or a
    /// row is null.
    fn is_null(&self, place: &Placed<'_>) -> Result<Option<Expr>> {
        let mut reasons = Vec::new();
        if self.value.nullable(place.schema()).unwrap_or(true) {
            reasons.push(self.value.clone().is_null().and(count_of(&self.subquery)?.gt(lit(0_i64))));
        }
        if self.has_nulls() {
            let valid = aggregate_of(&self.subquery, count(only_column(&self.subquery)))?;
            reasons.push(count_of(&self.subquery)?.gt(valid));
        }
        Ok(reasons.into_iter().reduce(Expr::or))
    }
}

/// The opposite of a condition, where null is as good as false.
fn negation(condition: Expr) -> Expr {
    match condition {
        Expr::Exists(mut exists) => {
            exists.negated = !exists.negated;
            Expr::Exists(exists)
        }
        other => Expr::IsNotTrue(Box::new(other)),
    }
}
