//! Texts beside times: `end_time > '2018-01-18 08:00'`.

mod beside_text;
mod reading;
mod rule;

pub(super) use beside_text::beside_text;
pub(super) use rule::TextTimes;
pub use rule::time_of;
