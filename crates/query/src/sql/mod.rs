//! Analysts' SQL.
//!
//! ```text
//! session.rs  whose statement it is ─▶ statement.rs  checked and planned, over catalog/ ─▶ run/workers.rs  run apart
//!     │                                                                                          │
//!     └──▶ run/running_queries.rs  listed, and ended on request       run/rows.rs  the answer ◀────┘
//! ```
//!
//! A statement runs on threads for SQL alone, in a memory of its own, within limits of time and number (`limits.rs`).
//! It sees one snapshot of the store. The catalog is made for each statement from the scope of its session, so that
//! nothing of another account has a name in it.

mod catalog;
mod functions;
mod limits;
mod named_parts;
mod plain_keys;
mod run;
mod service;
mod session;
mod statement;

pub use limits::SqlLimits;
pub use run::{SqlRows, SqlTask};
pub(crate) use service::SqlService;
pub use session::{SqlDescription, SqlSession};
