//! `pg_roles` and its kind: who there is. Nobody has more rights here than to read what the session sees.

use datafusion::error::Result;
use skillscope_query::CatalogRows;

use super::super::functions::Asked;
use super::super::roles::roles;

pub(super) fn fill(asked: &Asked, rows: &mut CatalogRows) -> Result<()> {
    for role in roles(&asked.session) {
        rows.push([
            ("oid", role.number.into()),
            ("rolname", role.name.as_str().into()),
            ("rolsuper", false.into()),
            ("rolinherit", true.into()),
            ("rolcreaterole", false.into()),
            ("rolcreatedb", false.into()),
            ("rolcanlogin", role.can_log_in.into()),
            ("rolreplication", false.into()),
            ("rolbypassrls", false.into()),
            ("rolconnlimit", (-1_i32).into()),
        ])?;
    }
    Ok(())
}

/// Those who can log in.
pub(super) fn fill_users(asked: &Asked, rows: &mut CatalogRows) -> Result<()> {
    for role in roles(&asked.session).into_iter().filter(|role| role.can_log_in) {
        rows.push([
            ("usename", role.name.as_str().into()),
            ("usesysid", role.number.into()),
            ("usecreatedb", false.into()),
            ("usesuper", false.into()),
            ("userepl", false.into()),
            ("usebypassrls", false.into()),
        ])?;
    }
    Ok(())
}
