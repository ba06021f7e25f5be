//! The command `check`: looks for problems in a data directory.

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::CheckArguments;
use crate::escaped::Escaped;
use crate::output;
use crate::remote::RemoteServer;

/// Verifies a data directory, and prints each problem. If a server has it open, its files are verified, and what that
/// server tells of its journal.
pub(crate) fn run(arguments: CheckArguments) -> Result<ExitCode> {
    let data_dir = &arguments.directory.data_dir;
    let checked = match skillscope_store::check(data_dir) {
        Ok(checked) => checked,
        Err(error) => RemoteServer::that_has_open(data_dir, error)?.linked_copy(data_dir)?.check()?,
    };
    for problem in &checked.problems {
        // A problem may quote an id from outside.
        output::print(&Escaped(problem).to_string());
    }
    if checked.quarantined > 0 {
        output::print(&format!("quarantine/ holds {} files that do not count", checked.quarantined));
    }
    let problems = match checked.problems.len() {
        0 => "nothing is wrong".to_owned(),
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    let (files, archived) = (checked.files, checked.archived_rows);
    let (journal, conversations) = (checked.journal_rows, checked.conversations);
    output::print(&format!(
        "{files} files with {archived} segments, {journal} segments and {conversations} conversations in the journal: {problems}"
    ));
    Ok(if checked.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
