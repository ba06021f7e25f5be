//! Analysts' SQL.
//!
//! ```text
//! session.rs  whose statement it is ─▶ statement.rs  checked and planned, over catalog/ ─▶ run/workers.rs  run apart
//!     │                                                                                          │
//!     └──▶ run/running_queries.rs  listed, and ended on request       run/rows.rs  the answer ◀────┘
//! ```
//!
//! A statement runs on threads of its own, in a memory of its own, within limits of time and number (`limits.rs`). What it
//! sees is one snapshot of the store, of one account or of all: the catalog is made for it, so that nothing of another
//! account has a name in it.

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
