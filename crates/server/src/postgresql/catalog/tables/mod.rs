//! The tables of the catalog that tell of what is ours, a file each.

mod pg_attribute;
mod pg_class;
mod pg_database;
mod pg_description;
mod pg_namespace;
mod pg_proc;
mod pg_roles;
mod pg_settings;
mod pg_stat_activity;
mod pg_tables;

use datafusion::error::Result;
use skillscope_query::CatalogRows;

use super::functions::Asked;

/// Adds the rows of a table.
pub(super) type Filler = fn(&Asked, &mut CatalogRows) -> Result<()>;

/// What adds the rows of a table; `None` where it has none of ours.
pub(super) fn filler(table: &str) -> Option<Filler> {
    Some(match table {
        "pg_attribute" => pg_attribute::fill,
        "pg_class" => pg_class::fill,
        "pg_database" => pg_database::fill,
        "pg_description" => pg_description::fill,
        "pg_namespace" => pg_namespace::fill,
        "pg_proc" => pg_proc::fill,
        "pg_authid" | "pg_roles" => pg_roles::fill,
        "pg_shadow" | "pg_user" => pg_roles::fill_users,
        "pg_settings" => pg_settings::fill,
        "pg_stat_activity" => pg_stat_activity::fill,
        "pg_tables" => pg_tables::fill_tables,
        "pg_views" => pg_tables::fill_views,
        _ => return None,
    })
}
