//! The doors of skillscope: HTTP routes for reports, ingestion and SQL, health checks, and the OpenAPI document that
//! describes them; SQL over the PostgreSQL protocol and over Arrow Flight SQL.
//!
//! Handlers are thin: they take a request apart, ask the store or the query engine, and write the answer. Every error
//! is a [`Problem`] document.

mod address;
mod app;
mod backup;
mod body;
mod cors;
mod events;
mod flight;
mod health;
mod host_lookup;
mod ingestion;
mod openapi;
mod path;
mod postgresql;
mod problem;
mod report;
mod row_format;
mod serve;
mod sql;
#[cfg(test)]
mod tests;

pub use address::{AddressError, listen_addresses};
pub use app::{App, AppOptions, router};
pub use cors::{CorsOrigins, InvalidOrigin};
pub use flight::serve_flight_sql;
pub use postgresql::serve_postgresql;
pub use problem::Problem;
pub use row_format::{RowFormat, RowWriter};
pub use serve::serve;
