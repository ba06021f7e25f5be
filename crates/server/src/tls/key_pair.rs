//! A certificate and its key, as they stand in two files of PEM.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::TlsError;
use super::files::{Files, read};
use super::validity::Validity;

/// How PEM says that a key is encrypted: as PKCS #8 does, and as OpenSSL did before.
const ENCRYPTED: [&str; 2] = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED"];

/// A certificate with its key.
#[derive(Debug)]
pub(super) struct KeyPair {
    pub(super) certified: Arc<CertifiedKey>,
    /// When it is valid, if the certificate tells.
    pub(super) validity: Option<Validity>,
}

impl KeyPair {
    /// Reads both files. The certificate comes first in its file, and those of its issuers follow.
    pub(super) fn read(files: &Files, provider: &CryptoProvider) -> Result<Self, TlsError> {
        let chain = chain(&files.certificate)?;
        let key = key(&files.key)?;
        let unknown = |error: Error| TlsError::UnknownKey { path: files.key.clone(), reason: error.to_string() };
        let key = provider.key_provider.load_private_key(key).map_err(unknown)?;
        let validity = chain.first().and_then(|certificate| Validity::of(certificate));
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(Error::InconsistentKeys(_)) => {
                return Err(TlsError::Mismatch { certificate: files.certificate.clone(), key: files.key.clone() });
            }
            Err(error) => {
                return Err(TlsError::BadCertificate { path: files.certificate.clone(), reason: error.to_string() });
            }
        }
        Ok(Self { certified: Arc::new(certified), validity })
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let chain = chain.map_err(damaged(path))?;
    if chain.is_empty() {
        let found = sections(path, &bytes)?;
        return Err(TlsError::NoCertificate { path: path.to_owned(), found });
    }
    Ok(chain)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let bytes = read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    if ENCRYPTED.iter().any(|sign| text.contains(sign)) {
        return Err(TlsError::Encrypted { path: path.to_owned() });
    }
    match PrivateKeyDer::pem_slice_iter(&bytes).next() {
        Some(key) => key.map_err(damaged(path)),
        None => Err(TlsError::NoKey { path: path.to_owned(), found: sections(path, &bytes)? }),
    }
}

fn damaged(path: &Path) -> impl Fn(pem::Error) -> TlsError {
    let path: PathBuf = path.to_owned();
    move |error| TlsError::Damaged { path: path.clone(), reason: error.to_string() }
}

/// What a file of PEM has, by its own words.
fn sections(path: &Path, bytes: &[u8]) -> Result<String, TlsError> {
    let text = String::from_utf8_lossy(bytes);
    let names = text.lines().filter_map(|line| line.strip_prefix("-----BEGIN ")?.trim_end().strip_suffix("-----"));
    let names: Vec<&str> = names.filter(|name| name.len() < 64).collect();
    if names.is_empty() {
        return Err(TlsError::NotPem { path: path.to_owned() });
    }
    Ok(names.join(", "))
}
