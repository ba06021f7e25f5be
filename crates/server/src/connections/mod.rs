//! The connections of a door: how many there may be, and what becomes of one too many.
//!
//! Every door accepts its connections here, whatever protocol they speak. A connection has a slot until its [`Slot`] is
//! dropped. Beyond the limits it is told so in the words of the protocol, and closed.

mod counts;
mod door;
mod encryption;
mod farewell;
mod patient_socket;
mod refusal;
mod slots;

pub(crate) use counts::{DoorCounts, DoorNumbers};
pub(crate) use door::{Connection, Door};
pub(crate) use encryption::Encryption;
pub(crate) use patient_socket::PatientSocket;
pub(crate) use refusal::Refusal;
pub use slots::ConnectionLimits;
