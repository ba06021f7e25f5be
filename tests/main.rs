//! End-to-end tests: the binary `skillscope` as a user runs it, with real files, sockets and signals.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod access;
mod archive;
mod ballista;
mod bank_calls;
mod binary;
mod bound_values;
mod clients;
mod compare;
mod configuration;
mod console;
mod crash;
mod cutting_over;
mod dice;
mod documents;
mod events;
mod existing_clients;
mod field_statements;
mod flight;
mod following;
mod foreign;
mod formats;
mod generate;
mod generated_client;
mod held;
mod history;
mod import;
mod introspection;
mod isolation;
mod links;
mod node;
mod now;
mod packaging;
mod paging;
mod process;
mod python;
mod questions;
mod real_postgresql;
mod remote;
mod replay;
mod sample;
mod schemathesis;
mod serve;
mod soak;
mod streaming;
mod tables;
mod time_series;
mod tls;
mod tokens;
mod tools;
mod web_console;
