//! A reproducible workload: the conversations of a contact centre over some hours. Each conversation can be written as
//! its events, as a record of a message history, and as its closed segments.
//!
//! The same options make the same conversations on any machine. Arrivals follow the curve of a working day, a few
//! skills take most of the conversations, and every outcome, user type and transfer occurs. The benchmarks and the demo
//! use it.

mod continuation;
mod conversation;
mod curve;
mod draw;
mod event_stream;
mod events;
mod history;
mod stay;
#[cfg(test)]
mod tests;
mod workload;

pub use continuation::Continuation;
pub use conversation::Conversation;
pub use history::HistoryWriter;
pub use workload::{Workload, WorkloadOptions};
