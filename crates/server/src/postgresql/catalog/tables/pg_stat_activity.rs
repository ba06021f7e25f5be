//! `pg_stat_activity`: this session. The statements of others are in `system.queries`.

use datafusion::error::Result;
use skillscope_query::CatalogRows;

use super::super::functions::Asked;
use super::super::numbers;

pub(super) fn fill(asked: &Asked, rows: &mut CatalogRows) -> Result<()> {
    let session = &asked.session;
    rows.push([
        ("datid", numbers::of_database(&session.database).into()),
        ("datname", session.database.as_str().into()),
        ("pid", session.pid.into()),
        ("usesysid", numbers::of_role(&session.user).into()),
        ("usename", session.user.as_str().into()),
        ("application_name", session.settings.value("application_name").into()),
        ("state", "active".into()),
        ("backend_type", "client backend".into()),
    ])
}
