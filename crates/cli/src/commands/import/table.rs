//! Loading a small table into a data directory or a running server.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use skillscope_segment::{Input, MAX_TABLE_BYTES, SmallTable, TableFormat};
use skillscope_store::{IfThere, Relation, Store};

use crate::arguments::ImportTableArguments;
use crate::output::{self, Usage};
use crate::remote::RemoteServer;

/// Keeps the table, and prints how many rows and columns it has.
pub(super) fn run(arguments: &ImportTableArguments) -> Result<ExitCode> {
    let (file, name) = (arguments.file.display(), &arguments.name);
    let cannot = || format!("cannot import {file}");
    let format = format(arguments)?;
    let bytes = bytes(&arguments.file).with_context(cannot)?;
    // The file is read here in any case, so that what is wrong with it is told before anything else is asked.
    let table = SmallTable::read(format, Input::Bytes(bytes.clone().into())).with_context(cannot)?;
    let (rows, columns) = (table.rows().num_rows(), table.rows().num_columns());
    match server(arguments)? {
        Reached::Server(server) => {
            server.put_table(arguments.account.as_ref(), name, format, &bytes).with_context(cannot)?;
        }
        Reached::Directory(store) => {
            let relation = Relation::table(arguments.account.clone(), name.clone(), table);
            store.put_relation(relation, IfThere::Replace).with_context(cannot)?;
        }
    }
    let number = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    output::print(&format!("{name}: {}, {}", number(rows, "row"), number(columns, "column")));
    Ok(ExitCode::SUCCESS)
}

enum Reached {
    Directory(Box<Store>),
    Server(RemoteServer),
}

fn server(arguments: &ImportTableArguments) -> Result<Reached> {
    let address = &arguments.store;
    if let Some(url) = &address.url {
        return Ok(Reached::Server(RemoteServer::at(url, &address.client)?));
    }
    let data_dir = &address.directory.data_dir;
    Ok(match Store::open(data_dir) {
        Ok(store) => Reached::Directory(Box::new(store)),
        Err(error) => Reached::Server(RemoteServer::that_has_open(data_dir, error)?),
    })
}

/// The format of the file: the one that is given, or that its name tells.
fn format(arguments: &ImportTableArguments) -> Result<TableFormat> {
    let told = arguments.format.map(TableFormat::from).or_else(|| TableFormat::from_path(&arguments.file));
    let name = arguments.file.display();
    told.ok_or_else(|| Usage::error(format!("the name {name} tells no format: say --format csv, arrow or parquet")))
}

/// The bytes of the file, as far as a table may have some.
fn bytes(file: &Path) -> Result<Vec<u8>> {
    let input: Box<dyn Read> =
        if file == Path::new("-") { Box::new(std::io::stdin()) } else { Box::new(File::open(file)?) };
    let mut bytes = Vec::new();
    input.take(MAX_TABLE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
