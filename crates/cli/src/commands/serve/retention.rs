//! `serve --retain`: whether it makes sense, and what it would remove.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use skillscope_store::{Clock, Expiring, Retention, Store, StoreOptions};

use crate::arguments::ServeArguments;
use crate::nearest::nearest;
use crate::output::{self, Usage};
use crate::remote::RemoteServer;

/// The retention that the options say.
pub(super) fn of(arguments: &ServeArguments) -> Result<Retention> {
    if arguments.now.is_some() && !arguments.retain.is_empty() {
        return Err(Usage::error(
            "--retain and --now do not go together: --retain removes segments by the machine's clock, so that the past at \
             which --now looks would go; leave one of them out",
        ));
    }
    if arguments.retain_dry_run && arguments.retain.is_empty() {
        return Err(Usage::error("--retain-dry-run tells what --retain would remove, and needs it"));
    }
    Retention::parse(&arguments.retain).map_err(Usage::error)
}

/// Warns of accounts that have an age, and that nobody has heard of: a mistyped name keeps or removes nothing.
pub(super) fn warn_of_unknown_accounts(store: &Store) {
    let snapshot = store.snapshot();
    for account in store.unknown_accounts_of_retention() {
        match nearest(account.as_str(), snapshot.accounts().map(|known| known.as_str())) {
            Some(meant) => tracing::warn!(%account, meant, "--retain names an account of which there is nothing"),
            None => tracing::warn!(%account, "--retain names an account of which there is nothing"),
        }
    }
}

/// Prints what a data directory would lose now. Where a server has it open, that is found out in a copy of this moment.
pub(super) fn dry_run(data_dir: &Path, retention: Retention) -> Result<ExitCode> {
    let options = || StoreOptions { retention: retention.clone(), hot_hours: 0, ..StoreOptions::default() };
    match Store::open_to_read(data_dir, options()) {
        Ok(store) => tell(&store),
        Err(error) => {
            let copy = RemoteServer::that_has_open(data_dir, error)?.linked_copy(data_dir)?;
            tell(&Store::open_to_read(&copy.path(), options())?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(store: &Store) {
    warn_of_unknown_accounts(store);
    let mut sum = Expiring::default();
    for (account, expiring) in store.expiring(Clock::System.now()) {
        output::print(&format!("{account}: {}", in_words(&expiring)));
        sum.files = sum.files.saturating_add(expiring.files);
        sum.bytes = sum.bytes.saturating_add(expiring.bytes);
        sum.rows = sum.rows.saturating_add(expiring.rows);
    }
    output::print(&format!("all that would go now: {}; nothing was removed", in_words(&sum)));
}

fn in_words(expiring: &Expiring) -> String {
    let Expiring { files, bytes, rows } = expiring;
    format!("{files} files, {rows} segments, {bytes} bytes")
}
