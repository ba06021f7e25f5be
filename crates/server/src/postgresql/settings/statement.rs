//! What `SET`, `RESET` and `SHOW` do.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::super::error::{SqlState, error, unsettable};
use super::super::notice::Notice;
use super::known::known;
use super::{Unsettable, Values, value};
use datafusion_postgres::pgwire::error::PgWireResult;

/// What `SET` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgresql) struct Assignment {
    pub(in crate::postgresql) name: String,
    /// Nothing for what the session began with.
    pub(in crate::postgresql) value: Option<String>,
    pub(in crate::postgresql) is_local: bool,
}

/// What `SHOW` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgresql) enum Shown {
    One(String),
    All,
}

impl Assignment {
    /// Sets the setting. Outside of a transaction, what is for its time is checked and has no effect.
    pub(in crate::postgresql) fn set(&self, values: &Values, is_in_block: bool) -> PgWireResult<Vec<Notice>> {
        let before = (self.is_local && !is_in_block).then(|| values.frame());
        let told = values.set(&self.name, self.value.as_deref(), self.is_local).map_err(unsettable)?;
        Ok(match before {
            Some(before) => {
                values.go_back(&before);
                vec![Notice::no_block("SET LOCAL can only be used in transaction blocks")]
            }
            None => told.map(|told| Notice::told(told.0)).into_iter().collect(),
        })
    }
}

impl Shown {
    /// The columns of its rows.
    pub(in crate::postgresql) fn schema(&self) -> SchemaRef {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        Arc::new(Schema::new(match self {
            Self::All => vec![text("name"), text("setting"), text("description")],
            Self::One(name) => vec![text(known(name).map_or(name, |setting| setting.name))],
        }))
    }

    /// Its rows.
    pub(in crate::postgresql) fn rows(&self, values: &Values) -> PgWireResult<RecordBatch> {
        let columns: Vec<ArrayRef> = match self {
            Self::One(name) => vec![texts([values.shown(name).map_err(unsettable)?])],
            Self::All => {
                let all = values.all();
                vec![
                    texts(all.iter().map(|(setting, ..)| setting.name.to_owned())),
                    texts(all.iter().map(|(setting, kept, _)| value::shown(setting, kept))),
                    texts(all.iter().map(|(setting, ..)| setting.description.to_owned())),
                ]
            }
        };
        RecordBatch::try_new(self.schema(), columns).map_err(|cause| error(SqlState::Internal, cause.to_string()))
    }
}

fn texts(values: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(values.into_iter().map(Some).collect::<StringArray>())
}

/// Gives one setting, or all of them, the value again that the session began with.
pub(in crate::postgresql) fn reset(values: &Values, name: Option<&str>) -> Result<(), Unsettable> {
    match name {
        Some(name) => values.set(name, None, false).map(|_| ()),
        None => {
            values.reset_all();
            Ok(())
        }
    }
}
