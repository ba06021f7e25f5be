//! Connections over a stream in memory, byte by byte.

mod client;
mod copying;
mod cursors;
mod hostile;
mod introspection;
mod left_behind;
mod parameters;
mod portals;
mod settings;
mod several;
mod socket;
mod start;
mod stop;
mod tls;
mod tokens;
mod transactions;
