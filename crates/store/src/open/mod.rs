//! The conversations that are open, by account and skill: what of them can be told without looking at each.
//!
//! ```text
//!   OpenConversations ── account ── skill ── conversations, 64 a chunk
//!                                     │
//!                                     ├───── counts: assigned to a human, to a bot, …
//!                                     └───── since when those wait that wait, in order
//! ```
//!
//! Everything is shared until it changes. Whoever takes the whole takes one pointer and keeps that moment. The writer
//! changes what nobody holds in place, and what somebody holds in a copy of the chunk in question.

mod chunk;
mod conversations;
mod counts;
mod places;
mod skill;
mod wait_times;
mod waits;

pub use conversations::{OpenAccount, OpenConversations};
pub use counts::OpenCounts;
pub(crate) use places::{OpenChange, Places};
pub use skill::OpenSkill;
pub use wait_times::WaitTimes;
