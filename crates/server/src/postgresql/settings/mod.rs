//! The settings of a session: how they begin, and what `SET`, `RESET` and `SHOW` do with them.

mod command_line;
mod known;
mod meaning;
mod statement;
mod units;
mod value;
mod values;
mod zone;

pub(super) use statement::{Assignment, Shown, reset};
pub(super) use values::{Frame, Values};
pub(super) use zone::clock;

/// The setting that ends statements.
pub(super) const STATEMENT_TIMEOUT: &str = "statement_timeout";

/// Why something is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsettable {
    #[error("unrecognized configuration parameter \"{0}\"")]
    Unknown(String),
    #[error("invalid value for parameter \"{name}\": \"{value}\"")]
    Value { name: String, value: String, hint: Option<String> },
    #[error("parameter \"{0}\" requires a Boolean value")]
    NoBoolean(String),
    #[error("{value} is outside the valid range for parameter \"{name}\" ({range})")]
    Range { name: String, value: String, range: String },
    #[error("parameter \"{name}\" cannot be {}", when(context))]
    Preset { name: String, context: &'static str },
    #[error("role \"{0}\" does not exist")]
    Role(String),
    #[error("the settings of a session take at most {} KiB", values::MOST_BYTES >> 10)]
    TooMuch,
    #[error("invalid command-line argument for server process: {0}")]
    Option(String),
    #[error("{0} requires a value")]
    NoValue(String),
}

/// When a setting cannot be set that a session cannot set.
fn when(context: &str) -> &'static str {
    match context {
        "internal" => "changed",
        "postmaster" => "changed without restarting the server",
        "sighup" => "changed now",
        _ => "set after connection start",
    }
}

impl Unsettable {
    /// What PostgreSQL says beside the error.
    pub(super) fn hint(&self) -> Option<&str> {
        match self {
            Self::Value { hint, .. } => hint.as_deref(),
            _ => None,
        }
    }
}
