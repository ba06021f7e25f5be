//! A reproducible workload: the conversations of a contact centre over some hours, as the events that they consist of,
//! as an export of message history, and as the closed segments that they leave behind.
//!
//! The same options give the same conversations, on any machine. Arrivals follow a day's curve, a few skills take most
//! of the conversations, and every outcome, user type and transfer occurs. Every benchmark and the demo run on it.

mod conversation;
mod curve;
mod draw;
mod event_stream;
mod happening;
mod history;
mod stay;
mod workload;

pub use conversation::Conversation;
pub use history::HistoryWriter;
pub use workload::{Workload, WorkloadOptions};
