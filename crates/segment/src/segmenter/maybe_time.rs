//! A time that may be missing, in no more room than a time takes.

use serde::{Deserialize, Serialize};

/// A time or a length of time in milliseconds, or none. It is stored as an optional number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<i64>", into = "Option<i64>")]
pub(super) struct MaybeTime(i64);

impl MaybeTime {
    /// No time is this early: all are from 1970 to 2199.
    pub(super) const NONE: Self = Self(i64::MIN);

    pub(super) fn get(self) -> Option<i64> {
        Some(self.0).filter(|time| *time != i64::MIN)
    }

    /// Keeps a time, unless there is one.
    pub(super) fn set_first(&mut self, time: i64) {
        if self.get().is_none() {
            *self = time.into();
        }
    }

    pub(super) fn take(&mut self) -> Option<i64> {
        std::mem::replace(self, Self::NONE).get()
    }

    pub(super) fn is_none(self) -> bool {
        self.get().is_none()
    }
}

impl From<i64> for MaybeTime {
    fn from(time: i64) -> Self {
        Self(time)
    }
}

impl From<Option<i64>> for MaybeTime {
    fn from(time: Option<i64>) -> Self {
        time.map_or(Self::NONE, Self)
    }
}

impl From<MaybeTime> for Option<i64> {
    fn from(time: MaybeTime) -> Self {
        time.get()
    }
}
