//! Anything at all as what a client of PostgreSQL sends: no panic, no end of the process, and the connection comes to an
//! end.
#![no_main]

mod server;

use libfuzzer_sys::fuzz_target;
use skillscope_server::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::postgresql(server::app(), bytes));
