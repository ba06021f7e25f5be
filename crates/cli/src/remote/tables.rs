//! Sending a small table to a server.

use anyhow::{Context, Result};
use skillscope_segment::{AccountId, TableFormat};
use skillscope_store::RelationName;

use super::server::{ARROW_STREAM, RemoteServer};

impl RemoteServer {
    /// Replaces a table of an account, or the one that all accounts see, with a file of a format.
    pub(crate) fn put_table(
        &self,
        account: Option<&AccountId>,
        name: &RelationName,
        format: TableFormat,
        bytes: &[u8],
    ) -> Result<()> {
        let account = account.map_or("*", AccountId::as_str);
        let path = format!("/v1/accounts/{account}/tables/{}", escaped(name.as_str()));
        let content_type = match format {
            TableFormat::Csv => "text/csv",
            TableFormat::Parquet => "application/vnd.apache.parquet",
            TableFormat::Arrow => ARROW_STREAM,
        };
        let response = self.post(&path, content_type, bytes)?;
        let refused = || format!("{} takes no table", self.url());
        self.accepted(response).with_context(refused).map(drop)
    }
}

/// A name as a part of a URL's path.
fn escaped(name: &str) -> String {
    let mut path = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' => path.push(char::from(byte)),
            other => path.push_str(&format!("%{other:02X}")),
        }
    }
    path
}
