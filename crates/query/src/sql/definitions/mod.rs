//! Statements that define: views that are made, replaced and dropped, and tables that are dropped. Nothing else can be
//! changed in SQL.
//!
//! ```text
//! text ─▶ reading.rs  what is asked for ─▶ carrying_out.rs  may it be? does it plan? ─▶ the store
//!                        place.rs  names                          └─▶ temporary.rs  views of a session
//! ```

mod authority;
mod carrying_out;
mod place;
mod reading;
mod temporary;

pub(super) use authority::Authority;
pub(super) use carrying_out::{Task, carry_out, check};
pub use place::table_name;
pub use reading::{definition_tag, is_definition};
pub(super) use temporary::TemporaryViews;

/// What has become of a statement that defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defined {
    /// What PostgreSQL answers, such as `CREATE VIEW`.
    pub tag: &'static str,
    /// What the client should know besides.
    pub notice: Option<String>,
}
