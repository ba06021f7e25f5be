//! Views that tell the same whatever the tables are.

use datafusion::error::Result;

use super::{CatalogRows, INFORMATION_SCHEMA, InformationSchema};

/// The rows of `schemata`.
pub(super) fn fill_schemata(schema: &InformationSchema, rows: &mut CatalogRows) -> Result<()> {
    let mut names: Vec<&str> = schema.schemas.iter().map(|(name, _)| name.as_str()).collect();
    names.push(INFORMATION_SCHEMA);
    names.sort_unstable();
    for name in names {
        rows.push([
            ("catalog_name", schema.catalog.as_str().into()),
            ("schema_name", name.into()),
            ("schema_owner", "skillscope".into()),
        ])?;
    }
    Ok(())
}

/// The row of `character_sets`.
pub(super) fn fill_character_sets(schema: &InformationSchema, rows: &mut CatalogRows) -> Result<()> {
    rows.push([
        ("character_set_name", "UTF8".into()),
        ("character_repertoire", "UCS".into()),
        ("form_of_use", "UTF8".into()),
        ("default_collate_catalog", schema.catalog.as_str().into()),
        ("default_collate_schema", "pg_catalog".into()),
        ("default_collate_name", "C".into()),
    ])
}
