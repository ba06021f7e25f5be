//! A running server, as its client sees it. All HTTP of the command line is here.
//!
//! ```text
//! ingestion.rs  segments and events of an import ──┐
//! tables.rs     a small table of names ────────────┤
//! rows.rs       the rows that answer a statement ──┼─▶ server.rs  URL, requests ─▶ problem.rs  why one was refused
//! commands      a backup ──────────────────────────┤
//! holder.rs     the server that has a directory ───┘
//! ```
//!
//! Below the requests, `tls_connector.rs` encrypts, and `trust.rs` knows whose certificates are trusted.

mod bearer;
mod holder;
mod ingestion;
mod problem;
mod rows;
mod server;
mod tables;
mod tls_connector;
mod trust;
mod unreachable;

pub(crate) use bearer::Bearer;
pub(crate) use rows::RemoteRows;
pub(crate) use server::{CERTIFICATE, RemoteServer};
