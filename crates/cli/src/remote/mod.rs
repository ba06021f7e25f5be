//! A running server, as its client sees it. All HTTP of the command line is here.
//!
//! ```text
//! ingestion.rs  segments and events of an import ──┐
//! rows.rs       the rows that answer a statement ──┼─▶ server.rs  URL, requests ─▶ problem.rs  why one was refused
//! commands      a backup ──────────────────────────┘
//! ```

mod ingestion;
mod problem;
mod rows;
mod server;

pub(crate) use rows::RemoteRows;
pub(crate) use server::RemoteServer;
