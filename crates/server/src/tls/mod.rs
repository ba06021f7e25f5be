//! TLS: one certificate for all protocols, which is read again when its files change, and what is spoken over it.
//!
//! ```text
//! two files ─▶ key_pair.rs ─▶ certificate.rs ─▶ a configuration for each protocol ─▶ handshakes.rs ─▶ wire.rs
//!              validity.rs    (polled, SIGHUP)
//! ```

mod certificate;
mod error;
mod files;
mod fingerprint;
mod handshakes;
mod key_pair;
#[cfg(test)]
mod tests;
mod validity;
mod wire;

pub use certificate::Tls;
pub use error::TlsError;
pub use fingerprint::Fingerprint;
pub(crate) use handshakes::{Handshakes, RECORD};
#[cfg(test)]
pub(crate) use tests::TestCertificate;
pub(crate) use wire::Wire;
