//! Which certificates of servers are trusted.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DEFAULT_VERSIONS, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use skillscope_server::Fingerprint;

use crate::output::Usage;

/// Which certificates are trusted.
#[derive(Debug)]
pub(super) enum Trust {
    /// Those whose issuers the system trusts.
    System,
    /// These, and those that were issued by them.
    Known(Vec<CertificateDer<'static>>),
    /// The one that a server on this machine has told of, whatever its name.
    Own(Fingerprint),
}

impl Trust {
    /// The certificates in a file.
    ///
    /// # Errors
    /// [`Usage`] where there are none.
    pub(super) fn in_file(path: &Path) -> Result<Self> {
        let wrong = |reason: String| Usage::error(format!("--ca-cert {}: {reason}", path.display()));
        let text = std::fs::read(path).map_err(|error| wrong(format!("cannot read it: {error}")))?;
        let certificates = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.map_err(|error| wrong(format!("it is damaged: {error}")))?;
        if certificates.is_empty() {
            return Err(wrong("it has no certificate; PEM begins with -----BEGIN CERTIFICATE-----".to_owned()));
        }
        Ok(Self::Known(certificates))
    }

    /// How TLS is spoken to a server with such a certificate.
    pub(super) fn configuration(self) -> Result<Arc<ClientConfig>> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(self, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(DEFAULT_VERSIONS)?;
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        let mut configuration = builder.with_no_client_auth();
        configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(configuration))
    }
}

/// Verifies certificates by their issuers, or by what is known of them.
#[derive(Debug)]
struct Verifier {
    by_issuer: Option<Arc<WebPkiServerVerifier>>,
    known: Vec<CertificateDer<'static>>,
    own: Option<Fingerprint>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(trust: Trust, provider: &Arc<CryptoProvider>) -> Result<Self> {
        let provider = Arc::clone(provider);
        let by_issuer = |roots: RootCertStore| {
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()
        };
        let mut roots = RootCertStore::empty();
        Ok(match trust {
            Trust::Own(own) => Self { by_issuer: None, known: Vec::new(), own: Some(own), provider },
            Trust::Known(known) => {
                let (usable, _) = roots.add_parsable_certificates(known.iter().cloned());
                if usable == 0 {
                    bail!("the certificates of --ca-cert are none");
                }
                Self { by_issuer: Some(by_issuer(roots)?), known, own: None, provider }
            }
            Trust::System => {
                let found = rustls_native_certs::load_native_certs();
                let (usable, _) = roots.add_parsable_certificates(found.certs);
                if usable == 0 {
                    let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
                    bail!("this system has no certificates of issuers that it trusts{why}; name some with --ca-cert");
                }
                let by_issuer = by_issuer(roots).context("the system's certificates cannot be used")?;
                Self { by_issuer: Some(by_issuer), known: Vec::new(), own: None, provider }
            }
        })
    }
}

/// Whether a certificate may be all right by itself.
fn is_about_issuers(error: &CertificateError) -> bool {
    use CertificateError::{
        BadEncoding, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        Revoked,
    };
    !matches!(
        error,
        BadEncoding
            | Expired
            | ExpiredContext { .. }
            | NotValidForName
            | NotValidForNameContext { .. }
            | NotValidYet
            | NotValidYetContext { .. }
            | Revoked
    )
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(by_issuer) = &self.by_issuer else {
            return match self.own {
                Some(own) if own == Fingerprint::of(certificate) => Ok(ServerCertVerified::assertion()),
                _ => Err(CertificateError::ApplicationVerificationFailure.into()),
            };
        };
        match by_issuer.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // One that is known itself needs no issuer, and many that people make for a trial say that they are one.
            // Whether its time is over has been looked at before.
            Err(Error::InvalidCertificate(error))
                if is_about_issuers(&error) && self.known.iter().any(|known| known == certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
