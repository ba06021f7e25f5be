//! End-to-end tests: the binary `skillscope` as a user runs it, with real files, sockets and signals.

mod bank_calls;
mod binary;
mod configuration;
mod generate;
mod import;
mod sample;
mod serve;
