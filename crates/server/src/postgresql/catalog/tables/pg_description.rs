//! `pg_description`: what tables, columns and functions of ours are for.

use datafusion::error::Result;
use skillscope_query::CatalogRows;

use super::super::functions::{Asked, comments};

pub(super) fn fill(asked: &Asked, rows: &mut CatalogRows) -> Result<()> {
    for comment in comments(asked)? {
        rows.push([
            ("objoid", comment.number.into()),
            ("classoid", comment.class.into()),
            ("objsubid", comment.column.into()),
            ("description", comment.text.into()),
        ])?;
    }
    Ok(())
}
