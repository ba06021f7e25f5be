//! Connections over a stream in memory, byte by byte.

mod client;
mod hostile;
mod left_behind;
mod portals;
mod socket;
mod start;
mod stop;
