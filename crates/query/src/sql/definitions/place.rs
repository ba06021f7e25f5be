//! Where a name says that something is: `name`, `public.name` or `database.public.name`.

use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName};
use skillscope_store::{RelationError, RelationName};

use crate::Result as OwnResult;
use crate::sql::catalog::{PUBLIC, is_ours};
use crate::sql::surroundings::Surroundings;

/// The schema of what is of one session alone.
const TEMPORARY: &str = "pg_temp";

/// A name in a statement that defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    /// Whether it names the schema of temporary views.
    pub(super) is_temporary: bool,
    /// Whether it names the schema that others see.
    pub(super) is_public: bool,
}

impl Place {
    /// The place of a name, for a session that sees `visible`.
    pub(super) fn of(name: &ObjectName, visible: &Surroundings) -> Result<Self> {
        let parts = name.0.iter().map(|part| part.as_ident().map(folded)).collect::<Option<Vec<_>>>();
        let Some(parts) = parts else { return plan_err!("{name} is no name of a table or a view") };
        let (database, schema, name) = match parts.as_slice() {
            [name] => (None, None, name),
            [schema, name] => (None, Some(schema.as_str()), name),
            [database, schema, name] => (Some(database.as_str()), Some(schema.as_str()), name),
            _ => return plan_err!("{name} has more parts than a name of a table or a view"),
        };
        if let Some(other) = database.filter(|database| !visible.catalog_names().iter().any(|name| name == database)) {
            return plan_err!("there is no database \"{other}\" here; this one is \"{}\"", visible.catalog_name());
        }
        if let Some(other) = schema.filter(|schema| ![PUBLIC, TEMPORARY].contains(schema)) {
            return plan_err!("schema \"{other}\" takes no tables and views; they are in {PUBLIC}");
        }
        let (is_temporary, is_public) = (schema == Some(TEMPORARY), schema == Some(PUBLIC));
        Ok(Self { name: name.clone(), is_temporary, is_public })
    }

    /// Its name, if something new may have it.
    pub(super) fn new_name(&self) -> OwnResult<RelationName> {
        not_ours(&self.name)?;
        Ok(RelationName::parse(&self.name)?)
    }
}

/// The name of a table as it is written without quotes in SQL: capitals are small letters.
///
/// # Errors
/// [`RelationError::Name`] for what is no such name, and for a name of ours.
pub fn table_name(name: &str) -> std::result::Result<RelationName, RelationError> {
    let folded = name.to_lowercase();
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    if !folded.chars().all(is_part) {
        let shown: String = name.chars().take(80).collect();
        let reason = format!("{shown:?} cannot be the name of a table: it has letters, digits and _ alone");
        return Err(RelationError::Name { reason });
    }
    not_ours(&folded)?;
    RelationName::parse(&folded)
}

fn not_ours(name: &str) -> std::result::Result<(), RelationError> {
    let reason = || format!("\"{name}\" is a name of skillscope's own; choose another one");
    if is_ours(name) { Err(RelationError::Name { reason: reason() }) } else { Ok(()) }
}

/// A name as it counts: without quotes, capitals are small letters.
pub(super) fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}
