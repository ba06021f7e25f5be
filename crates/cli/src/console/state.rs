//! The state of a console.

use anyhow::Result;
use tokio::runtime::Handle;

use super::answer::answer;
use super::settings::Settings;
use super::source::Source;

/// What a console remembers from one statement to the next.
pub(super) struct State {
    pub(super) source: Source,
    pub(super) settings: Settings,
    pub(super) runtime: Handle,
}

impl State {
    /// Runs a statement and writes its rows.
    pub(super) fn run(&mut self, text: &str) -> Result<()> {
        self.runtime.block_on(answer(&self.source, &self.settings, text))
    }
}
