//! Reports, ingestion, SQL and operation over HTTP, and the OpenAPI document that describes them.

mod admission;
mod answer_body;
mod backup;
mod connection;
mod console;
mod cors;
mod counting;
mod events;
mod feed_headers;
mod followed_now;
mod followed_report;
mod forwarded;
mod guard;
mod health;
mod history;
mod host_lookup;
mod hosts;
mod ingestion;
mod live_answer;
mod login;
mod me;
mod metrics;
mod names;
mod negotiation;
mod now;
mod openapi;
mod options;
mod past_report;
mod path_variables;
mod problem;
mod query_parameters;
mod queue_health;
mod rejected_uploads;
mod report;
mod request_body;
mod router;
mod segments;
mod server;
mod sql;
mod starting;
mod state;
mod streams;
mod tables;
mod token_limits;
mod traced;
mod trailing_slash;

#[cfg(test)]
pub(crate) use connection::Ends;
pub use cors::{CorsOrigins, InvalidOrigin};
pub use forwarded::{InvalidNetwork, TrustedProxies};
pub use hosts::{AllowedHosts, InvalidHost};
pub use options::HttpOptions;
#[cfg(test)]
pub(crate) use router::Routes;
pub(crate) use router::router;
pub use server::{HttpRoutes, HttpServer, serve_http};
