//! `tables`, `views` and what may be done with them.

use datafusion::datasource::TableType;
use datafusion::error::Result;

use super::super::comments::comments_on;
use super::{CatalogRows, InformationSchema};

/// The rows of `tables`.
pub(super) async fn fill_tables(schema: &InformationSchema, rows: &mut CatalogRows) -> Result<()> {
    for found in schema.found().await? {
        let kind = match found.kind {
            TableType::View => "VIEW",
            TableType::Temporary => "LOCAL TEMPORARY",
            TableType::Base => "BASE TABLE",
        };
        rows.push([
            ("table_catalog", schema.catalog.as_str().into()),
            ("table_schema", found.schema.as_str().into()),
            ("table_name", found.name.as_str().into()),
            ("table_type", kind.into()),
            ("is_insertable_into", "NO".into()),
            ("is_typed", "NO".into()),
            ("table_comment", comments_on(&found.schema, &found.name).map(|comments| comments.table).into()),
        ])?;
    }
    Ok(())
}

/// The rows of `views`.
pub(super) async fn fill_views(schema: &InformationSchema, rows: &mut CatalogRows) -> Result<()> {
    for found in schema.found().await? {
        if found.kind != TableType::View {
            continue;
        }
        let definition = schema.table_of(&found).await.and_then(|view| view.get_table_definition().map(str::to_owned));
        rows.push([
            ("table_catalog", schema.catalog.as_str().into()),
            ("table_schema", found.schema.as_str().into()),
            ("table_name", found.name.as_str().into()),
            ("view_definition", definition.into()),
            ("check_option", "NONE".into()),
            ("is_updatable", "NO".into()),
            ("is_insertable_into", "NO".into()),
            ("is_trigger_updatable", "NO".into()),
            ("is_trigger_deletable", "NO".into()),
            ("is_trigger_insertable_into", "NO".into()),
        ])?;
    }
    Ok(())
}

/// The rows of `table_privileges`: everything that is seen can be read.
pub(super) async fn fill_privileges(schema: &InformationSchema, rows: &mut CatalogRows) -> Result<()> {
    for found in schema.found().await? {
        rows.push([
            ("grantor", "PUBLIC".into()),
            ("grantee", "PUBLIC".into()),
            ("table_catalog", schema.catalog.as_str().into()),
            ("table_schema", found.schema.as_str().into()),
            ("table_name", found.name.as_str().into()),
            ("privilege_type", "SELECT".into()),
            ("is_grantable", "NO".into()),
            ("with_hierarchy", "YES".into()),
        ])?;
    }
    Ok(())
}
