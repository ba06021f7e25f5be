//! The command `token`: tokens of a data directory, also while a server has it open.

use std::process::ExitCode;

use anyhow::{Context, Result};
use chrono::{DateTime, SecondsFormat};
use skillscope_query::Clock;
use skillscope_segment::AccountId;
use skillscope_server::{ListedToken, NewToken, Permission, TokenAdministration};

use crate::arguments::{AddTokenArguments, DataDirectory, TokenCommand};
use crate::escaped::Escaped;
use crate::output;

pub(crate) fn run(command: TokenCommand) -> Result<ExitCode> {
    match command {
        TokenCommand::Add(arguments) => add(arguments)?,
        TokenCommand::List(directory) => list(&directory)?,
        TokenCommand::Revoke(arguments) => tokens(&arguments.directory)?.revoke(&arguments.name)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn tokens(directory: &DataDirectory) -> Result<TokenAdministration> {
    Ok(TokenAdministration::of(&directory.data_dir)?)
}

fn add(arguments: AddTokenArguments) -> Result<()> {
    let AddTokenArguments { directory, name, account, scopes, expires, oauth1 } = arguments;
    let expires = expires.map(|after| Clock::System.now().checked_add(after).context("it expires too late"));
    let wanted = NewToken { name, account, permissions: scopes, expires: expires.transpose()? };
    let tokens = tokens(&directory)?;
    if oauth1 {
        let secrets = tokens.add_oauth1(wanted)?;
        output::print(&format!("consumer_key={}", secrets.consumer_key));
        output::print(&format!("consumer_secret={}", secrets.consumer_secret));
        output::print(&format!("token={}", secrets.token));
        output::print(&format!("token_secret={}", secrets.token_secret));
    } else {
        output::print(tokens.add(wanted)?.reveal());
    }
    Ok(())
}

/// Prints the tokens in columns.
fn list(directory: &DataDirectory) -> Result<()> {
    let header = ["NAME", "ACCOUNT", "SCOPES", "KIND", "EXPIRES", "LAST USE"].map(str::to_owned);
    let listed = tokens(directory)?.list()?;
    let rows: Vec<[String; 6]> = std::iter::once(header).chain(listed.iter().map(row)).collect();
    let mut widths = [0; 6];
    for row in &rows {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = cell.chars().count().max(*width));
    }
    for row in rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        output::print(cells.join("  ").trim_end());
    }
    Ok(())
}

fn row(token: &ListedToken) -> [String; 6] {
    let scopes: Vec<&str> = token.permissions.iter().copied().map(Permission::as_str).collect();
    let is_over = token.expires.is_some_and(|expires| expires <= Clock::System.now());
    let expires = token.expires.map_or_else(|| "never".to_owned(), time);
    [
        Escaped(&token.name).to_string(),
        token.account.account().map_or("*", AccountId::as_str).to_owned(),
        scopes.join(","),
        if token.is_oauth1 { "oauth1" } else { "bearer" }.to_owned(),
        if is_over { format!("{expires} (over)") } else { expires },
        token.last_use.map_or_else(|| "never".to_owned(), time),
    ]
}

/// A time as people read it, to the second.
fn time(ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
