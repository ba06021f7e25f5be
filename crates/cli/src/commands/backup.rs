use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use skillscope_store::{Error, Store, StoreOptions, unpack_backup};
use ureq::Agent;

use super::remote::server_url;
use crate::arguments::BackupArguments;
use crate::output;

/// Copies a data directory, also one that a server has open: that one is asked for it then.
pub(crate) fn run(arguments: BackupArguments) -> Result<ExitCode> {
    let to = arguments.to.as_path();
    match &arguments.url {
        Some(url) => from_server(&server_url(url)?, Agent::config_builder(), to)?,
        None => from_directory(&arguments.data_dir, to)?,
    }
    output::print(&format!("the backup is in {}", to.display()));
    Ok(ExitCode::SUCCESS)
}

fn from_directory(data_dir: &Path, to: &Path) -> Result<()> {
    if !data_dir.is_dir() {
        return Err(Error::NoDataDirectory { path: data_dir.to_owned() }.into());
    }
    // Nothing is asked of the rows here: they need not be in memory.
    let options = StoreOptions { hot_hours: 0, ..StoreOptions::default() };
    let store = match Store::open_with(data_dir, options) {
        Err(Error::InUse { url: Some(url), .. }) => {
            // It is on this machine: there is no proxy in between.
            return from_server(&url, Agent::config_builder().proxy(None), to);
        }
        opened => opened?,
    };
    let backup = store.backup()?;
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    std::thread::scope(|scope| {
        let written = scope.spawn(move || backup.write_to(writer));
        let unpacked = unpack_backup(reader, to);
        match written.join() {
            // A folder that cannot be written to breaks the pipe, too: that error says more.
            Ok(written) => unpacked.and(written).map_err(anyhow::Error::from),
            Err(_) => bail!("the backup stopped"),
        }
    })
}

fn from_server(url: &str, agent: ureq::config::ConfigBuilder<ureq::typestate::AgentScope>, to: &Path) -> Result<()> {
    let agent: Agent = agent.http_status_as_error(false).build().into();
    let mut response = agent.get(format!("{url}/v1/backup")).call().with_context(|| format!("cannot reach {url}"))?;
    if !response.status().is_success() {
        let status = response.status();
        let answer = response.body_mut().read_to_string().unwrap_or_default();
        bail!("the server at {url} made no backup ({status}): {answer}");
    }
    let body: &mut dyn Read = &mut response.body_mut().as_reader();
    Ok(unpack_backup(body, to)?)
}
