//! `pg_database`: the accounts that a session sees, and its own database.

use std::collections::BTreeSet;

use datafusion::error::Result;
use skillscope_query::CatalogRows;

use super::super::functions::Asked;
use super::super::numbers::{self, OWNER};

pub(super) fn fill(asked: &Asked, rows: &mut CatalogRows) -> Result<()> {
    let mut names: BTreeSet<String> = asked.seen.accounts().into_iter().collect();
    names.insert(asked.session.database.clone());
    for name in names {
        rows.push([
            ("oid", numbers::of_database(&name).into()),
            ("datname", name.as_str().into()),
            ("datdba", OWNER.into()),
            // UTF-8.
            ("encoding", 6_i32.into()),
            ("datlocprovider", "c".into()),
            ("datistemplate", false.into()),
            ("datallowconn", true.into()),
            ("datconnlimit", (-1_i32).into()),
            ("datfrozenxid", "0".into()),
            ("datminmxid", "0".into()),
            ("dattablespace", 1663_i32.into()),
            ("datcollate", "C".into()),
            ("datctype", "C".into()),
        ])?;
    }
    Ok(())
}
