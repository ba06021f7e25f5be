//! Requests for what is open now.

use std::collections::BTreeSet;

use crate::Result;
use crate::parameters::{check_names, only, skills, version};

/// A request for what is open now in an account, which need not exist.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NowRequest {
    account: String,
    skills: Option<BTreeSet<i64>>,
}

/// A request for the health of an account's queues now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QueueHealthRequest(pub(super) NowRequest);

impl NowRequest {
    /// Takes the parameters of a request. Unknown ones are ignored, unless it is letters' case or brackets alone that
    /// make them unknown.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) where `skillIds` is given twice, or is not as in the report.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(account: &str, parameters: &[(N, V)]) -> Result<Self> {
        check_names(&["skillIds"], parameters)?;
        let skills = only(parameters, "skillIds")?.map(skills).transpose()?.flatten();
        Ok(Self { account: account.to_owned(), skills })
    }

    /// The account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The skills that are asked about; `None` for all.
    pub(super) fn skills(&self) -> Option<&BTreeSet<i64>> {
        self.skills.as_ref()
    }
}

impl QueueHealthRequest {
    /// Takes the parameters of a request, as [`NowRequest::new`].
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) as there, and where `v` is missing or not 1.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(account: &str, parameters: &[(N, V)]) -> Result<Self> {
        check_names(&["v"], parameters)?;
        version(only(parameters, "v")?)?;
        NowRequest::new(account, parameters).map(Self)
    }

    /// The account.
    pub fn account(&self) -> &str {
        self.0.account()
    }
}
