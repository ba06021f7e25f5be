//! `pg_tables` and `pg_views`.

use datafusion::error::Result;
use skillscope_query::CatalogRows;

use super::super::OWNER;
use super::super::functions::Asked;

pub(super) fn fill_tables(asked: &Asked, rows: &mut CatalogRows) -> Result<()> {
    for relation in asked.seen.relations()?.iter().filter(|relation| relation.kind == "r") {
        rows.push([
            ("schemaname", relation.schema.as_str().into()),
            ("tablename", relation.name.as_str().into()),
            ("tableowner", OWNER.into()),
            ("hasindexes", false.into()),
            ("hasrules", false.into()),
            ("hastriggers", false.into()),
            ("rowsecurity", false.into()),
        ])?;
    }
    Ok(())
}

pub(super) fn fill_views(asked: &Asked, rows: &mut CatalogRows) -> Result<()> {
    for relation in asked.seen.relations()?.iter().filter(|relation| relation.kind == "v") {
        rows.push([
            ("schemaname", relation.schema.as_str().into()),
            ("viewname", relation.name.as_str().into()),
            ("viewowner", OWNER.into()),
            ("definition", relation.definition.clone().into()),
        ])?;
    }
    Ok(())
}
