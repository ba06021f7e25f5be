//! The options of TLS: of `serve`, and of the command `tls`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use skillscope_server::Tls;

use crate::output::Usage;

/// The certificate of a server.
#[derive(Debug, Args)]
pub(crate) struct TlsFiles {
    /// Encrypt every protocol, and show this certificate: a PEM file, with the issuers' after it. It is read again when
    /// it changes, and at SIGHUP.
    #[arg(long, value_name = "FILE.pem")]
    tls_cert: Option<PathBuf>,
    /// The key of --tls-cert: a PEM file, not encrypted.
    #[arg(long, value_name = "FILE.pem")]
    tls_key: Option<PathBuf>,
}

impl TlsFiles {
    /// The certificate; `None` where nothing is to be encrypted.
    pub(crate) fn open(&self) -> Result<Option<Tls>> {
        match (&self.tls_cert, &self.tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(Tls::open(certificate.clone(), key.clone())?)),
            (Some(_), None) => Err(Usage::error("--tls-cert needs --tls-key, the file with the certificate's key")),
            (None, Some(_)) => Err(Usage::error("--tls-key needs --tls-cert, the file with the key's certificate")),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum TlsCommand {
    /// Write a certificate that has signed itself, and its key, to try TLS with: cert.pem and key.pem.
    SelfSigned(SelfSignedArguments),
}

#[derive(Debug, Args)]
pub(crate) struct SelfSignedArguments {
    /// A name or an IP address by which clients reach the server. Repeatable.
    #[arg(long, value_name = "NAME", required = true, value_delimiter = ',', num_args = 1..)]
    pub(crate) host: Vec<String>,
    /// The folder to write to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,
}
