//! The accounts that a scope and the filters of a scan leave.

use std::collections::BTreeSet;

use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use skillscope_segment::{AccountId, column};

use crate::Scope;

/// The accounts whose rows a scan may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WantedAccounts<'f> {
    /// Every account.
    All,
    /// This one alone.
    One(&'f str),
    /// None at all: no row is of two accounts.
    None,
}

impl<'f> WantedAccounts<'f> {
    /// Those that are in scope and that the filters let through.
    pub(super) fn of(scope: &'f Scope, filters: &'f [Expr]) -> Self {
        let own = scope.account().map(AccountId::as_str);
        let wanted: BTreeSet<&str> = filters.iter().filter_map(account_filter).chain(own).collect();
        let mut wanted = wanted.into_iter();
        match (wanted.next(), wanted.next()) {
            (None, _) => Self::All,
            (Some(account), None) => Self::One(account),
            (Some(_), Some(_)) => Self::None,
        }
    }
}

/// The account in a filter of the form `account_id = 'A'`, which [`WantedAccounts`] takes over exactly.
pub(super) fn account_filter(filter: &Expr) -> Option<&str> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = filter else { return None };
    match (left.as_ref(), right.as_ref()) {
        (Expr::Column(name), Expr::Literal(value, _)) | (Expr::Literal(value, _), Expr::Column(name))
            if name.name == column::ACCOUNT_ID =>
        {
            value.try_as_str().flatten()
        }
        _ => None,
    }
}
