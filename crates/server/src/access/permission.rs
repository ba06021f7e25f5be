//! What a token opens.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

/// One thing that a token may open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Reports.
    Report,
    /// Sending segments, events and message history.
    Ingest,
    /// SQL over every protocol, for reading.
    Sql,
    /// Metrics, backups, tables and views, and the statements of everybody.
    Admin,
}

impl Permission {
    pub(crate) const ALL: [Self; 4] = [Self::Report, Self::Ingest, Self::Sql, Self::Admin];

    /// The name by which people know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Ingest => "ingest",
            Self::Sql => "sql",
            Self::Admin => "admin",
        }
    }
}

impl Display for Permission {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error for a name that is no [`Permission`]'s.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a scope: there are report, ingest, sql and admin")]
pub struct UnknownPermission(String);

impl std::str::FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(name: &str) -> Result<Self, UnknownPermission> {
        let known = Self::ALL.into_iter().find(|permission| permission.as_str() == name);
        known.ok_or_else(|| UnknownPermission(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_has_one_name() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(permission));
        }
        for wrong in ["", "Report", "report ", "all"] {
            assert_eq!(wrong.parse::<Permission>(), Err(UnknownPermission(wrong.to_owned())));
        }
    }
}
