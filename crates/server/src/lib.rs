//! How clients reach skillscope: over HTTP for reports, ingestion and SQL, and with the PostgreSQL protocol or Arrow
//! Flight SQL for SQL alone.
//!
//! Each protocol has a folder, and one function that serves it. All of them share an [`App`], which holds the store and
//! the query engine, and learn in `caller.rs` who asks and for which account. This crate computes nothing: it takes
//! requests apart, asks the store or the engine, and writes the answers.

mod access;
mod address;
mod app;
mod caller;
mod connections;
mod console;
mod ending;
mod flight;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod hex;
mod http;
mod limiter;
mod lines_per_minute;
mod listener;
mod memory_budget;
mod metrics;
mod once_per_minute;
mod postgresql;
mod quiet_accounts;
mod row_format;
mod statistics;
mod stopping;
#[cfg(test)]
mod tests;
mod threads;
mod tls;

pub use access::{
    Access, AccessError, ControlSocket, ListedToken, NewToken, Oauth1Secrets, Permission, Secret, TokenAdministration,
    UnknownPermission, owner_secret,
};
pub use address::{AddressError, Guards, Lack, listen_addresses};
pub use app::App;
pub use connections::ConnectionLimits;
pub use flight::serve_flight_sql;
pub use http::{
    AllowedHosts, CorsOrigins, HttpOptions, HttpRoutes, HttpServer, InvalidHost, InvalidNetwork, InvalidOrigin,
    TrustedProxies, serve_http,
};
pub use limiter::CallerLimits;
pub use listener::Listener;
pub use postgresql::serve_postgresql;
pub use row_format::{RowFormat, RowWriter};
pub use tls::{Fingerprint, Tls, TlsError};
