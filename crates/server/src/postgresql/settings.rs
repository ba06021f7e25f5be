//! The settings of a session: how they begin, and what `SET`, `RESET` and `SHOW` do with them.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use datafusion::sql::sqlparser::ast::{ContextModifier, Expr, Reset, Set, Statement, Value};
use datafusion_postgres::pgwire::api::results::{DataRowEncoder, FieldFormat, FieldInfo, QueryResponse, Response, Tag};
use datafusion_postgres::pgwire::api::{ClientInfo, METADATA_DATABASE, METADATA_USER, Type};
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use futures::stream;
use parking_lot::Mutex;

use super::command_line;
use super::duration_setting::{NoDuration, milliseconds, told};
use super::error::unsettable;
use super::setting_names::is_known;

/// The setting that ends statements.
const STATEMENT_TIMEOUT: &str = "statement_timeout";

/// The settings that are times. They are kept in milliseconds.
const DURATIONS: [&str; 5] = [
    STATEMENT_TIMEOUT,
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
];

/// The parameter of a start-up packet that has settings as a command has them.
const OPTIONS: &str = "options";

/// Parameters of a start-up packet that are no settings.
const NO_SETTINGS: [&str; 4] = [METADATA_USER, METADATA_DATABASE, OPTIONS, "replication"];

/// The beginning of the names of parameters that are about the protocol.
const OF_PROTOCOL: &str = "_pq_.";

/// Why something is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsettable {
    #[error("unrecognized configuration parameter \"{0}\"")]
    Unknown(String),
    #[error("invalid value for parameter \"{name}\": \"{value}\"; its units are us, ms, s, min, h and d")]
    Value { name: String, value: String },
    #[error("{value} is outside the valid range for parameter \"{name}\" (0 ms .. 2147483647 ms)")]
    Range { name: String, value: String },
    #[error("invalid command-line argument for server process: {0}")]
    Option(String),
    #[error("{0} requires a value")]
    NoValue(String),
}

type Values = HashMap<String, String>;

/// What the settings of a session go back to. Their values are among what pgwire knows of the client, under their names
/// in lower case.
#[derive(Debug, Default)]
pub(super) struct Settings {
    initial: OnceLock<Values>,
    transaction: Mutex<Option<Transaction>>,
}

/// The settings as they were when a transaction began, and the names of those that are set for its time alone.
#[derive(Debug)]
struct Transaction {
    before: Values,
    local: Vec<String>,
}

impl Settings {
    /// Sets what a start-up packet says: its options, and then its other parameters.
    pub(super) fn start<'a>(
        &self,
        client: &mut impl ClientInfo,
        parameters: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<(), Unsettable> {
        for (name, value) in parameters.clone().filter(|(name, _)| NO_SETTINGS.contains(name)) {
            client.metadata_mut().insert(name.to_owned(), value.to_owned());
        }
        let options = parameters.clone().find(|(name, _)| *name == OPTIONS).map_or("", |(_, options)| options);
        for (name, value) in command_line::settings(options)? {
            assign(client, &name, &value)?;
        }
        for (name, value) in parameters {
            if !NO_SETTINGS.contains(&name) && !name.starts_with(OF_PROTOCOL) {
                assign(client, name, value)?;
            }
        }
        let _ = self.initial.set(client.metadata().clone());
        Ok(())
    }

    /// Answers a statement about settings. `None` where others must, too: they tell the client of the new value.
    pub(super) fn answer(&self, client: &mut impl ClientInfo, statement: &Statement) -> PgWireResult<Option<Response>> {
        match statement {
            Statement::Set(Set::SingleAssignment { scope, variable, values, .. }) => {
                let name = variable.to_string();
                let has_more = self.set(client, *scope, &name, values).map_err(unsettable)?;
                Ok((!has_more).then(|| Response::Execution(Tag::new("SET"))))
            }
            Statement::Reset(reset) => {
                match &reset.reset {
                    Reset::ALL => self.reset_all(client),
                    Reset::ConfigurationParameter(name) => {
                        self.reset(client, &name.to_string().to_lowercase()).map_err(unsettable)?;
                    }
                }
                Ok(Some(Response::Execution(Tag::new("RESET"))))
            }
            Statement::ShowVariable { variable } => match variable.as_slice() {
                [name] => show(client, &name.value),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Sets a setting. Says whether the client may have to be told.
    fn set(
        &self,
        client: &mut impl ClientInfo,
        scope: Option<ContextModifier>,
        name: &str,
        values: &[Expr],
    ) -> Result<bool, Unsettable> {
        let lower = name.trim_matches('"').to_lowercase();
        if matches!(scope, Some(ContextModifier::Local)) {
            match &mut *self.transaction.lock() {
                Some(transaction) => transaction.local.push(lower.clone()),
                // Without a transaction this has no effect, but must be right.
                None => {
                    let before = client.metadata().clone();
                    let checked = self.set(client, None, name, values);
                    *client.metadata_mut() = before;
                    return checked.map(|_| false);
                }
            }
        }
        if let [Expr::Identifier(word)] = values
            && word.quote_style.is_none()
            && word.value.eq_ignore_ascii_case("default")
        {
            self.reset(client, &lower)?;
            return Ok(false);
        }
        let values: Vec<String> = values.iter().map(text).collect();
        assign(client, name.trim_matches('"'), &values.join(", "))?;
        Ok(scope.is_none() && !DURATIONS.contains(&lower.as_str()))
    }

    /// Gives a setting the value again that it had when the session began.
    fn reset(&self, client: &mut impl ClientInfo, name: &str) -> Result<(), Unsettable> {
        if !is_known(name) {
            return Err(Unsettable::Unknown(name.to_owned()));
        }
        put_back(client, name, self.initial.get());
        Ok(())
    }

    /// The same for all settings.
    pub(super) fn reset_all(&self, client: &mut impl ClientInfo) {
        if let Some(initial) = self.initial.get() {
            client.metadata_mut().clone_from(initial);
        }
    }

    /// A transaction has begun.
    pub(super) fn begin(&self, client: &impl ClientInfo) {
        let mut transaction = self.transaction.lock();
        if transaction.is_none() {
            *transaction = Some(Transaction { before: client.metadata().clone(), local: Vec::new() });
        }
    }

    /// A transaction has ended. What was set in it holds where it was committed.
    pub(super) fn end(&self, client: &mut impl ClientInfo, is_committed: bool) {
        let Some(Transaction { before, local }) = self.transaction.lock().take() else { return };
        if is_committed {
            local.iter().for_each(|name| put_back(client, name, Some(&before)));
        } else {
            *client.metadata_mut() = before;
        }
    }
}

/// How long a statement of the client may take, if it has said so.
pub(super) fn statement_timeout(client: &impl ClientInfo) -> Option<Duration> {
    let limit = client.metadata().get(STATEMENT_TIMEOUT)?.parse().ok().filter(|limit| *limit > 0);
    limit.map(Duration::from_millis)
}

/// Whether a `COMMIT` of the client commits anything.
pub(super) fn has_failed(client: &impl ClientInfo) -> bool {
    matches!(client.transaction_status(), TransactionStatus::Error)
}

fn assign(client: &mut impl ClientInfo, name: &str, value: &str) -> Result<(), Unsettable> {
    let lower = name.to_lowercase();
    if !is_known(&lower) {
        return Err(Unsettable::Unknown(name.to_owned()));
    }
    let kept = if DURATIONS.contains(&lower.as_str()) { checked(&lower, value)? } else { value.to_owned() };
    client.metadata_mut().insert(lower, kept);
    Ok(())
}

fn checked(name: &str, value: &str) -> Result<String, Unsettable> {
    let (name, wrong) = (name.to_owned(), value.to_owned());
    milliseconds(value).map(|milliseconds| milliseconds.to_string()).map_err(|error| match error {
        NoDuration::Unreadable => Unsettable::Value { name, value: wrong },
        NoDuration::OutOfRange => Unsettable::Range { name, value: wrong },
    })
}

fn put_back(client: &mut impl ClientInfo, name: &str, values: Option<&Values>) {
    let metadata = client.metadata_mut();
    match values.and_then(|values| values.get(name)) {
        Some(value) => metadata.insert(name.to_owned(), value.clone()),
        None => metadata.remove(name),
    };
}

/// A value as it stands in a statement, without its quotes.
fn text(value: &Expr) -> String {
    match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
            other => other.to_string(),
        },
        Expr::Identifier(word) => word.value.clone(),
        other => other.to_string(),
    }
}

/// Tells a setting that is a time, and that there is none of a name.
fn show(client: &impl ClientInfo, name: &str) -> PgWireResult<Option<Response>> {
    let lower = name.to_lowercase();
    if !DURATIONS.contains(&lower.as_str()) {
        return Ok(None);
    }
    let kept = client.metadata().get(&lower).and_then(|kept| kept.parse().ok());
    let fields = Arc::new(vec![FieldInfo::new(lower, None, None, Type::TEXT, FieldFormat::Text)]);
    let mut row = DataRowEncoder::new(Arc::clone(&fields));
    row.encode_field(&Some(told(kept.unwrap_or(0))))?;
    let row = row.take_row();
    Ok(Some(Response::Query(QueryResponse::new(fields, stream::iter([Ok(row)])))))
}
