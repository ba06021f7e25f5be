//! Anything at all as commands, tickets, handles and values of Flight SQL: no panic, and no end of the process.
#![no_main]

mod server;
mod small_store;

use libfuzzer_sys::fuzz_target;
use skillscope_server::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::flight(server::app(), bytes));
