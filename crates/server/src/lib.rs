//! The doors of skillscope: HTTP routes for reports, ingestion and SQL, health checks, and the OpenAPI document that
//! describes them; SQL over the PostgreSQL protocol and over Arrow Flight SQL.
//!
//! Handlers are thin: they take a request apart, ask the store or the query engine, and write the answer. Every error
//! is a [`Problem`] document.

mod address;
mod app;
mod flight;
mod http;
mod postgresql;
mod row_format;
#[cfg(test)]
mod tests;

pub use address::{AddressError, listen_addresses};
pub use app::{App, AppOptions};
pub use flight::serve_flight_sql;
pub use http::{CorsOrigins, InvalidOrigin, Problem, router, serve};
pub use postgresql::serve_postgresql;
pub use row_format::{RowFormat, RowWriter};
