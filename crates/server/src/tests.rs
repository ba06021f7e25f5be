//! HTTP, asked within the process through the routes that the server serves.

mod access;
mod anything;
mod connections;
mod door;
mod durability;
mod events;
mod feeds;
mod guard;
mod history;
mod ingestion;
mod login;
mod malformed;
mod memory;
mod metrics;
mod names;
mod now;
mod openapi;
mod report;
mod seeds;
mod sql;
mod sql_formats;
mod sql_url;
mod streams;
mod tables;
mod tls;
mod web;
