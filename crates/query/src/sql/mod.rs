//! Analysts' SQL.
//!
//! ```text
//! session.rs  whose statement it is ─▶ statement.rs  checked and planned, over catalog.rs ─▶ workers.rs  run apart
//!     │                                                                                          │
//!     └──▶ registry.rs  listed, and ended on request                     rows.rs  the answer ◀────┘
//! ```
//!
//! A statement runs on threads of its own, in a memory of its own, within limits of time and number (`limits.rs`). What it
//! sees is one snapshot of the store, of one account or of all: the catalog is made for it, so that nothing of another
//! account has a name in it.

mod catalog;
mod interruption;
mod kill_query;
mod limits;
mod memory;
mod named_parts;
mod percentile;
mod plain_keys;
mod registry;
mod rows;
mod service;
mod session;
mod skill_report;
mod statement;
mod system;
mod utc_trunc;
mod views;
mod workers;

pub use limits::SqlLimits;
pub use rows::SqlRows;
pub(crate) use service::SqlService;
pub use session::{SqlDescription, SqlSession};
pub(crate) use utc_trunc::UtcTrunc;
pub use workers::SqlTask;
