//! The doors, asked in the process through the same routes that the server serves.

mod anything;
mod door;
mod durability;
mod events;
mod ingestion;
mod openapi;
mod report;
mod sql;
mod sql_formats;
mod web;
