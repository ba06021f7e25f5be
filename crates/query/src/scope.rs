//! Whose segments a session or a question is about.

use skillscope_segment::AccountId;
use skillscope_store::ArchiveFile;

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

    /// The path of a file as this scope is told of it. The files of all accounts are numbered together, so that numbers
    /// would tell one account how many files others have.
    pub(crate) fn told_path(&self, file: &ArchiveFile) -> String {
        let path = file.path().display().to_string();
        match self {
            Self::All => path,
            Self::Account(_) => without_number(path),
        }
    }
}

/// The name of a file is its first hour and its number.
fn without_number(path: String) -> String {
    match path.rsplit_once('-') {
        Some((hour, number)) if !number.contains('/') => format!("{hour}.parquet"),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_without_its_number() {
        let told = |path: &str| without_number(path.to_owned());
        assert_eq!(
            told("archive/account=a-1/date=2018-01-17/08-00000024.parquet"),
            "archive/account=a-1/date=2018-01-17/08.parquet"
        );
        assert_eq!(told("archive/account=a-1/x.parquet"), "archive/account=a-1/x.parquet");
    }

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
