//! The certificate that the server shows, and its renewal.

use std::fmt::{self, Debug, Formatter};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use parking_lot::{Mutex, RwLock};
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};

use super::files::{FileState, Files};
use super::key_pair::KeyPair;
use super::validity::Validity;
use super::{Fingerprint, TlsError};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(2);

/// What clients may speak.
const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// The certificate of a server, for all its protocols. Cheap to clone.
#[derive(Clone)]
pub struct Tls(Arc<Certificate>);

struct Certificate {
    files: Files,
    provider: Arc<CryptoProvider>,
    /// What handshakes that begin now show.
    shown: RwLock<Arc<CertifiedKey>>,
    seen: Mutex<Seen>,
    when_changed: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// What is known of the files.
#[derive(Debug, Default)]
struct Seen {
    state: [Option<FileState>; 2],
    /// Why they could not be taken when they were last read.
    failure: Option<String>,
    validity: Option<Validity>,
    /// The day on which the log has had a warning of that.
    warned: Option<NaiveDate>,
}

impl Tls {
    /// The certificate in the PEM file `certificate`, followed by those of its issuers, with its key in the PEM file
    /// `key`.
    ///
    /// # Errors
    /// Where a file cannot be read, is not what it should be, or the key is that of another certificate.
    pub fn open(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let (files, provider) = (Files { certificate, key }, Arc::new(ring::default_provider()));
        let state = files.state();
        let pair = KeyPair::read(&files, &provider)?;
        if files.is_key_open() {
            tracing::warn!(file = %files.key.display(), "everybody on this machine may read the key of the certificate");
        }
        let seen = Seen { state, validity: pair.validity, ..Seen::default() };
        let shown = RwLock::new(pair.certified);
        let this = Certificate { files, provider, shown, seen: Mutex::new(seen), when_changed: OnceLock::new() };
        this.warn_of_end(&mut this.seen.lock());
        Ok(Self(Arc::new(this)))
    }

    /// The SHA-256 of the certificate that is shown now, by which a client that knows it recognises it.
    pub fn fingerprint(&self) -> Fingerprint {
        let shown = self.0.shown.read();
        Fingerprint::of(shown.cert.first().map(AsRef::as_ref).unwrap_or_default())
    }

    /// When the certificate ends that is shown now; `None` where it does not say so as certificates do.
    pub(crate) fn ends(&self) -> Option<DateTime<Utc>> {
        let shown = Arc::clone(&self.0.shown.read());
        Some(Validity::of(shown.cert.first()?)?.until)
    }

    /// Calls `then` whenever another certificate has been taken. Only the first caller is heard.
    pub fn when_changed(&self, then: impl Fn() + Send + Sync + 'static) {
        let _ = self.0.when_changed.set(Box::new(then));
    }

    /// The file with the certificate.
    pub fn file(&self) -> &Path {
        &self.0.files.certificate
    }

    /// Reads the files again, whether or not they seem to have changed. Connections go on, and those that begin from
    /// now on are shown what was read.
    ///
    /// # Errors
    /// Those of [`Tls::open`]. Then the certificate of before stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.0.read(&mut self.0.seen.lock())
    }

    /// Takes a new certificate soon after its files have changed, for as long as it is polled. A pair that does not fit,
    /// as while one file has been replaced and the other has not, is logged and not taken.
    pub async fn watch(self) {
        loop {
            tokio::time::sleep(PERIOD).await;
            let certificate = Arc::clone(&self.0);
            // The files may be on a disk that does not answer.
            let _ = tokio::task::spawn_blocking(move || certificate.look()).await;
        }
    }

    /// How connections of a protocol, which is named as in ALPN, are encrypted.
    pub(super) fn config(&self, protocol: &[u8]) -> Result<ServerConfig, rustls::Error> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.0.provider));
        let resolver = Arc::clone(&self.0);
        let mut config = builder.with_protocol_versions(&VERSIONS)?.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![protocol.to_owned()];
        Ok(config)
    }

    #[cfg(test)]
    pub(super) fn look(&self) {
        self.0.look();
    }
}

impl Debug for Tls {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Nothing of the key.
impl Debug for Certificate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("files", &self.files).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.shown.read()))
    }
}

impl Certificate {
    /// Reads the files if they have changed since they were last read, or could not be taken then.
    fn look(&self) {
        let mut seen = self.seen.lock();
        let state = self.files.state();
        let has_changed = state != seen.state;
        if has_changed || seen.failure.is_some() {
            let before = seen.failure.take();
            match self.read(&mut seen) {
                Ok(()) => {}
                Err(error) => {
                    let failure = error.to_string();
                    if has_changed || before.as_ref() != Some(&failure) {
                        tracing::warn!(%error, "the certificate has changed and is not taken; the one of before stays");
                    }
                    (seen.state, seen.failure) = (state, Some(failure));
                }
            }
        }
        self.warn_of_end(&mut seen);
    }

    fn read(&self, seen: &mut Seen) -> Result<(), TlsError> {
        // What changes while the files are read is seen the next time.
        let state = self.files.state();
        let pair = KeyPair::read(&self.files, &self.provider)?;
        *seen = Seen { state, failure: None, validity: pair.validity, warned: None };
        let before = std::mem::replace(&mut *self.shown.write(), pair.certified);
        if before.cert != self.shown.read().cert {
            let until = pair.validity.map(|validity| validity.until.to_string()).unwrap_or_default();
            tracing::info!(file = %self.files.certificate.display(), until, "connections are shown another certificate now");
            if let Some(then) = self.when_changed.get() {
                then();
            }
        }
        Ok(())
    }

    /// Warns of a certificate that clients do not take, or soon will not, once a day.
    fn warn_of_end(&self, seen: &mut Seen) {
        let today = Utc::now().date_naive();
        if seen.warned == Some(today) {
            return;
        }
        if let Some(warning) = seen.validity.and_then(Validity::warning) {
            seen.warned = Some(today);
            tracing::warn!("the certificate in {} {warning}", self.files.certificate.display());
        }
    }
}
