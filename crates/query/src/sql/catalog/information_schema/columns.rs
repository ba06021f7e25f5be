//! `columns`.

use arrow::datatypes::Field;
use datafusion::common::ScalarValue;
use datafusion::error::Result;

use super::super::comments::comments_on;
use super::super::type_name::TypeName;
use super::{CatalogRows, Found, InformationSchema};

/// The most bytes of a text, as PostgreSQL tells of all its texts.
const OCTETS: i32 = 1_073_741_824;

/// The rows of `columns`.
pub(super) async fn fill(schema: &InformationSchema, rows: &mut CatalogRows) -> Result<()> {
    for found in schema.found().await? {
        let Some(table) = schema.table_of(&found).await else { continue };
        // There may be many views, each of which takes a while: a statement that has ended goes no further.
        tokio::task::yield_now().await;
        let comments = comments_on(&found.schema, &found.name);
        for (position, field) in (1_i32..).zip(table.schema().fields()) {
            let comment = comments.and_then(|comments| comments.column(field.name()));
            let mut row = row(&schema.catalog, &found, position, field);
            row.push(("column_comment", comment.into()));
            rows.push(row)?;
        }
    }
    Ok(())
}

fn row<'n>(catalog: &str, found: &Found, position: i32, field: &Field) -> Vec<(&'n str, ScalarValue)> {
    let name = TypeName::of(field.data_type());
    let (precision, radix) = name.precision.unzip();
    vec![
        ("table_catalog", catalog.into()),
        ("table_schema", found.schema.as_str().into()),
        ("table_name", found.name.as_str().into()),
        ("column_name", field.name().as_str().into()),
        ("ordinal_position", position.into()),
        ("is_nullable", if field.is_nullable() { "YES" } else { "NO" }.into()),
        ("data_type", name.standard.into()),
        ("character_octet_length", name.is_text().then_some(OCTETS).into()),
        ("numeric_precision", precision.into()),
        ("numeric_precision_radix", radix.into()),
        ("numeric_scale", name.scale.into()),
        ("datetime_precision", name.seconds.into()),
        ("udt_catalog", catalog.into()),
        ("udt_schema", "pg_catalog".into()),
        ("udt_name", name.udt.into()),
        ("dtd_identifier", position.to_string().into()),
        ("is_self_referencing", "NO".into()),
        ("is_identity", "NO".into()),
        ("identity_cycle", "NO".into()),
        ("is_generated", "NEVER".into()),
        ("is_updatable", "NO".into()),
    ]
}
