//! `pg_class`: tables and views.

use datafusion::error::Result;
use skillscope_query::CatalogRows;

use super::super::functions::Asked;
use super::super::numbers::{self, OWNER};

pub(super) fn fill(asked: &Asked, rows: &mut CatalogRows) -> Result<()> {
    for relation in asked.seen.relations()? {
        let is_view = relation.kind == "v";
        rows.push([
            ("oid", relation.number.into()),
            ("relname", relation.name.as_str().into()),
            ("relnamespace", numbers::of_schema(&relation.schema).into()),
            ("reltype", 0_i32.into()),
            ("reloftype", 0_i32.into()),
            ("relowner", OWNER.into()),
            // Tables of the access method `heap`.
            ("relam", if is_view { 0_i32 } else { 2 }.into()),
            ("relfilenode", 0_i32.into()),
            ("reltablespace", 0_i32.into()),
            ("relpages", 0_i32.into()),
            // Nobody has counted them.
            ("reltuples", (-1_f32).into()),
            ("relallvisible", 0_i32.into()),
            ("reltoastrelid", 0_i32.into()),
            ("relhasindex", false.into()),
            ("relisshared", false.into()),
            ("relpersistence", "p".into()),
            ("relkind", relation.kind.into()),
            ("relnatts", i16::try_from(relation.columns.fields().len()).ok().into()),
            ("relchecks", 0_i16.into()),
            ("relhasrules", is_view.into()),
            ("relhastriggers", false.into()),
            ("relhassubclass", false.into()),
            ("relrowsecurity", false.into()),
            ("relforcerowsecurity", false.into()),
            ("relispopulated", true.into()),
            ("relreplident", "n".into()),
            ("relispartition", false.into()),
            ("relrewrite", 0_i32.into()),
            ("relfrozenxid", "0".into()),
            ("relminmxid", "0".into()),
        ])?;
    }
    Ok(())
}
