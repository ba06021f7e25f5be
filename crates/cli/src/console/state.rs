//! The state of a console.

use std::path::PathBuf;

use anyhow::{Result, bail};
use skillscope_segment::AccountId;
use tokio::runtime::Handle;

use super::answer::answer;
use super::lexer::{Kind, Lexer, is_blank};
use super::script::Begun;
use super::settings::Settings;
use super::source::Source;
use super::variables::Variables;
use crate::arguments::SqlArguments;

/// What a console remembers from one statement to the next.
pub(super) struct State {
    pub(super) source: Source,
    pub(super) settings: Settings,
    pub(super) runtime: Handle,
    pub(super) arguments: SqlArguments,
    pub(super) variables: Variables,
    /// The statement that has begun.
    pub(super) begun: Begun,
    /// The last statement that was run, as it was written.
    pub(super) last: String,
    /// The files that are being read, within one another, and the folder of the innermost.
    pub(super) open_files: usize,
    pub(super) folder: PathBuf,
    /// Whether a person types.
    pub(super) is_interactive: bool,
}

impl State {
    pub(super) fn new(source: Source, settings: Settings, runtime: Handle, arguments: SqlArguments) -> Self {
        Self {
            source,
            settings,
            runtime,
            arguments,
            variables: Variables::default(),
            begun: Begun::default(),
            last: String::new(),
            open_files: 0,
            folder: PathBuf::new(),
            is_interactive: false,
        }
    }

    /// Runs what a person or a file has written, with its variables replaced, unless it is blank. A value may have
    /// several statements in it.
    pub(super) fn run_statement(&mut self, text: &str) -> Result<()> {
        if is_blank(text) {
            return Ok(());
        }
        text.trim().clone_into(&mut self.last);
        let text = self.variables.interpolated(text);
        statements(&text).iter().try_for_each(|statement| self.run(statement))
    }

    /// The statement that has begun, or else the last one.
    pub(super) fn begun_or_last(&self) -> &str {
        if is_blank(&self.begun.text) { &self.last } else { &self.begun.text }
    }

    /// The same; from then on none has begun.
    pub(super) fn take_begun_or_last(&mut self) -> String {
        let text = self.begun_or_last().to_owned();
        self.begun = Begun::default();
        text
    }

    /// Shows the rows of this account from now on, or of all where it is `*` or has no name.
    pub(super) fn see(&mut self, account: &str) -> Result<()> {
        let account = match account {
            "" | "*" => None,
            name => match AccountId::parse(name) {
                Ok(account) => Some(account),
                Err(rule) => bail!("{name} is no account: {rule}"),
            },
        };
        self.runtime.block_on(self.source.see(account.as_ref()))
    }

    /// Runs a statement as it is, and writes its rows.
    pub(super) fn run(&mut self, text: &str) -> Result<()> {
        self.runtime.block_on(answer(&self.source, &self.settings, text))
    }
}

/// The statements between semicolons, without those that are blank.
fn statements(text: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    for (kind, part) in Lexer::default().take(text) {
        match (kind, statements.last_mut()) {
            (Kind::End, _) => statements.push(String::new()),
            (_, Some(statement)) => statement.push_str(part),
            (_, None) => {}
        }
    }
    statements.retain(|statement| !is_blank(statement));
    statements.iter().map(|statement| statement.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_stand_between_semicolons() {
        for (text, expected) in [
            ("select 1", &["select 1"][..]),
            (" select 1 ; ; -- nothing\n; select ';' ", &["select 1", "select ';'"]),
            (" /* ; */ ", &[]),
        ] {
            assert_eq!(statements(text), expected, "{text}");
        }
    }
}
