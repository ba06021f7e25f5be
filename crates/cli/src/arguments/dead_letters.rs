//! The options of the files of events without effect, for every command that follows conversations.

use clap::Args;
use skillscope_store::StoreOptions;

/// How much is kept of events without effect, and for how long.
#[derive(Debug, Args)]
pub(crate) struct DeadLetters {
    /// The most bytes of all files of conversation events without effect; what comes beyond is only counted.
    #[arg(long, value_name = "BYTES", default_value_t = StoreOptions::DEAD_LETTER_BYTES)]
    dead_letter_bytes: u64,
    /// Remove files of conversation events without effect after so many days.
    #[arg(long, value_name = "DAYS", default_value_t = StoreOptions::DEAD_LETTER_DAYS)]
    dead_letter_days: u32,
}

impl DeadLetters {
    /// The same options of a store with these.
    pub(crate) fn set(&self, options: &mut StoreOptions) {
        options.dead_letter_bytes = self.dead_letter_bytes;
        options.dead_letter_days = self.dead_letter_days;
    }
}
