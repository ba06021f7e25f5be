//! The option `--event-wait`, for every command that follows conversations.

use clap::Args;
use skillscope_store::StoreOptions;

const DEFAULT_SECONDS: u32 = StoreOptions::EVENT_WAIT_MS as u32 / 1000;

/// How long conversations wait for events that are missing.
#[derive(Debug, Args)]
pub(crate) struct EventWait {
    /// How long a conversation event waits for earlier events of its conversation, in event time.
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_SECONDS)]
    event_wait: u32,
}

impl EventWait {
    pub(crate) fn milliseconds(&self) -> i64 {
        i64::from(self.event_wait) * 1000
    }
}
