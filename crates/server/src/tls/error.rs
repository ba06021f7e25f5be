//! Why a certificate is not used.

use std::io;
use std::path::PathBuf;

/// Why a certificate and its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file is longer than certificates are.
    #[error("{path} is longer than {most} bytes: it is no certificate and no key")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// As long as a file may be.
        most: u64,
    },
    /// A file is of another form than PEM.
    #[error("{path} is not PEM: it has no line that begins with -----BEGIN")]
    NotPem {
        /// The file.
        path: PathBuf,
    },
    /// A file of PEM has a fault.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of PEM has something else in it.
    #[error("there is no certificate in {path}: it has {found} instead of CERTIFICATE")]
    NoCertificate {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: String,
    },
    /// A file of PEM has something else in it.
    #[error("there is no private key in {path}: it has {found} instead of PRIVATE KEY")]
    NoKey {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: String,
    },
    /// The key needs a password.
    #[error(
        "the key in {path} is encrypted, and the server asks nobody for its password: write it without one, with \
         openssl pkey -in {path} -out key.pem"
    )]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// The key is of a kind that is not known.
    #[error(
        "the key in {path} cannot be used ({reason}): RSA of 2048 to 4096 bits, ECDSA over P-256 or P-384, and Ed25519 can"
    )]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The first certificate is none.
    #[error("the first certificate in {path} cannot be used: {reason}")]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The key is that of another certificate.
    #[error("the key in {key} does not belong to the first certificate in {certificate}")]
    Mismatch {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        key: PathBuf,
    },
}
