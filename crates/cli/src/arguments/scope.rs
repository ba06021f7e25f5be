//! The option `--account` as the scope of a question.

use skillscope_query::Scope;
use skillscope_segment::AccountId;

/// The scope of a command with an option `--account`.
pub(crate) fn scope(account: Option<&AccountId>) -> Scope {
    account.cloned().map_or(Scope::All, Scope::Account)
}
