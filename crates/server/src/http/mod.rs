//! Reports, ingestion, SQL and operation over HTTP, and the OpenAPI document that describes them.

mod admission;
mod backup;
mod connection;
mod cors;
mod counting;
mod events;
mod guard;
mod health;
mod host_lookup;
mod ingestion;
mod metrics;
mod negotiation;
mod openapi;
mod options;
mod path_variables;
mod problem;
mod report;
mod request_body;
mod router;
mod segments;
mod server;
mod sql;
mod state;

pub use cors::{CorsOrigins, InvalidOrigin};
pub use options::HttpOptions;
pub(crate) use router::router;
pub use server::serve_http;
