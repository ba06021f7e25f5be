//! Anything at all as commands, tickets, handles and values of Flight SQL: no panic that nobody catches, and no end of
//! the process.
#![no_main]

mod caught_panics;
mod server;
mod small_store;

use caught_panics::let_panics_be_caught;
use libfuzzer_sys::fuzz_target;
use skillscope_server::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    let_panics_be_caught();
    fuzzing::flight(server::app(), bytes);
});
