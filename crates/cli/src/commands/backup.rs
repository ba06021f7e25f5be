//! The command `backup`: a copy of a data directory, made here or by the server that has it open.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use skillscope_store::{Error, Store, StoreOptions, unpack_backup};

use crate::arguments::BackupArguments;
use crate::output;
use crate::remote::RemoteServer;

/// Copies a data directory. If a server has it open, that server makes the copy.
pub(crate) fn run(arguments: BackupArguments) -> Result<ExitCode> {
    let to = arguments.to.as_path();
    match &arguments.store.url {
        Some(url) => from_server(&RemoteServer::at(url, &arguments.store.client)?, to)?,
        None => from_directory(&arguments.store.directory.data_dir, to)?,
    }
    output::print(&format!("the backup is in {}", to.display()));
    Ok(ExitCode::SUCCESS)
}

fn from_directory(data_dir: &Path, to: &Path) -> Result<()> {
    if !data_dir.is_dir() {
        return Err(Error::NoDataDirectory { path: data_dir.to_owned() }.into());
    }
    // The copy is made from files, so no rows need to be in memory.
    let options = StoreOptions { hot_hours: 0, archive_group_readable: None, ..StoreOptions::default() };
    let store = match Store::open_with(data_dir, options) {
        Err(error) => return from_server(&RemoteServer::that_has_open(data_dir, error)?, to),
        Ok(store) => store,
    };
    let backup = store.backup()?;
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    std::thread::scope(|scope| {
        let written = scope.spawn(move || backup.write_to(writer));
        let unpacked = unpack_backup(reader, to);
        match written.join() {
            // If the folder cannot be written to, both fail: unpacking, and writing into the broken pipe. The error of
            // unpacking says more.
            Ok(written) => unpacked.and(written).map_err(anyhow::Error::from),
            Err(_) => bail!("the backup stopped"),
        }
    })
}

fn from_server(server: &RemoteServer, to: &Path) -> Result<()> {
    Ok(unpack_backup(server.backup()?, to)?)
}
