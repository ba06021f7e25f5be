//! Anything at all as what a client of PostgreSQL sends: no panic, and no end of the process.
#![no_main]

mod server;
mod small_store;

use libfuzzer_sys::fuzz_target;
use skillscope_server::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::postgresql(server::app(), bytes));
