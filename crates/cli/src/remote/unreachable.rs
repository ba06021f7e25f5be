//! Why a server cannot be reached, in words that say what to do.

use rustls::CertificateError::{
    ApplicationVerificationFailure, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
    NotValidYetContext,
};
use rustls::Error as TlsError;
use ureq::Error;

/// What there is to say beside the error itself, where encryption is to blame.
pub(super) fn advice(error: &Error) -> Option<&'static str> {
    Some(match tls_error(error)? {
        TlsError::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "the server's certificate has other names than the URL; write one of them in the URL"
        }
        TlsError::InvalidCertificate(Expired | ExpiredContext { .. }) => {
            "the server's certificate has expired, and has to be renewed there"
        }
        TlsError::InvalidCertificate(NotValidYet | NotValidYetContext { .. }) => {
            "the server's certificate is not valid yet; look whether the clock of this machine is right"
        }
        TlsError::InvalidCertificate(ApplicationVerificationFailure) => {
            "another certificate is shown there than the server of this data directory has"
        }
        TlsError::InvalidCertificate(_) => {
            "nobody whom this system trusts has issued the server's certificate; name the issuer's, or the server's own \
             where it has signed itself, with --ca-cert FILE"
        }
        TlsError::InvalidMessage(_) => "no TLS is spoken there; the URL may have to begin with http://",
        _ => "TLS failed",
    })
}

fn tls_error(error: &Error) -> Option<&TlsError> {
    match error {
        Error::Rustls(error) => Some(error),
        Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}
