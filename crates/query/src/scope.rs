//! Whose segments a session or a question is about.

use skillscope_segment::AccountId;

/// Whose segments a session sees, or a question counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The segments of one account. Nothing of any other account has a name in this scope.
    Account(AccountId),
    /// The segments of every account, for operators.
    All,
}

impl Scope {
    /// The one account; `None` where every account is in scope.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Account(account) => Some(account),
            Self::All => None,
        }
    }

    /// Whether the account with this identifier is in scope.
    pub fn includes(&self, account: &str) -> bool {
        self.account().is_none_or(|own| own.as_str() == account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_one_account_or_all_of_them() {
        let acme = Scope::Account(AccountId::parse("acme").unwrap());
        assert!(acme.includes("acme"));
        assert!(!acme.includes("bolt"));
        assert!(!acme.includes(""));
        assert!(Scope::All.includes("bolt"));
        assert_eq!(acme.account().map(AccountId::as_str), Some("acme"));
        assert_eq!(Scope::All.account(), None);
    }
}
