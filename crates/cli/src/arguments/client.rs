//! The options of commands that ask a server: whom they trust, and who they are.

use std::fmt::{self, Debug, Formatter};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::output::Usage;
use crate::remote::Bearer;

#[derive(Debug, Args)]
pub(crate) struct ClientArguments {
    /// Trust the certificates in this PEM file, and those that they have issued, in place of the system's; for https://.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// The token to show to the server. Others on this machine may see it in the list of processes; --token-file and the
    /// environment keep it from them.
    #[arg(long, value_name = "TOKEN", hide_default_value = true, conflicts_with = "token_file")]
    token: Option<Secret>,
    /// The file with the token to show to the server.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A text that nothing prints.
#[derive(Clone)]
struct Secret(String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Debug for Secret {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }
}

impl ClientArguments {
    /// The token, if one was given.
    pub(crate) fn bearer(&self) -> Result<Option<Bearer>> {
        let text = match (&self.token, &self.token_file) {
            (Some(Secret(text)), _) => text.clone(),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|error| Usage::error(format!("cannot read --token-file {}: {error}", path.display())))?,
            (None, None) => return Ok(None),
        };
        Bearer::new(text.trim()).map(Some)
    }
}
