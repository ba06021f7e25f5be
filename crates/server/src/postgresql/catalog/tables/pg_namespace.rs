//! `pg_namespace`: schemas.

use datafusion::error::Result;
use skillscope_query::CatalogRows;

use super::super::functions::Asked;
use super::super::numbers::{self, OWNER};

pub(super) fn fill(asked: &Asked, rows: &mut CatalogRows) -> Result<()> {
    for name in asked.seen.schemas() {
        rows.push([("oid", numbers::of_schema(name).into()), ("nspname", name.into()), ("nspowner", OWNER.into())])?;
    }
    Ok(())
}
