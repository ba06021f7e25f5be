//! What a caller shows to be let in: in the header `Authorization`, or by a signature also in the query.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::access::{AskedUrl, SignedRequest};

/// Clients of Flight SQL in Go leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a caller shows to be let in.
#[derive(Debug)]
pub(super) enum Shown<'h> {
    Nothing,
    /// A token, or what stands for one (RFC 6750).
    Bearer(&'h str),
    /// The name of a token, and the token as the password (RFC 7617).
    Basic {
        name: String,
        secret: String,
    },
    /// The request's own signature (RFC 5849), or what cannot be one.
    Signature(Option<Box<SignedRequest>>),
    /// Something that nobody is let in by.
    Unknown,
}

impl<'h> Shown<'h> {
    /// What the sender of an HTTP request shows.
    pub(super) fn of_http(asked: &AskedUrl<'_>, header: Option<&'h [u8]>) -> Self {
        match SignedRequest::read(asked, header) {
            Some(signed) => Self::Signature(signed.ok().map(Box::new)),
            None => Self::bearer(header),
        }
    }

    /// Only a token by itself: a browser would add a name and a password, once it knows them, to what a page of another
    /// site asks for.
    fn bearer(header: Option<&'h [u8]>) -> Self {
        match Self::bearer_or_basic(header) {
            Self::Basic { .. } => Self::Unknown,
            other => other,
        }
    }

    pub(super) fn bearer_or_basic(header: Option<&'h [u8]>) -> Self {
        let Some(header) = header else { return Self::Nothing };
        let text = std::str::from_utf8(header).ok();
        let Some((scheme, value)) = text.and_then(|text| text.trim().split_once(' ')) else { return Self::Unknown };
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            Self::Bearer(value)
        } else if scheme.eq_ignore_ascii_case("basic") {
            Self::basic(value).unwrap_or(Self::Unknown)
        } else {
            Self::Unknown
        }
    }

    fn basic(value: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64.decode(value).ok()?).ok()?;
        let (name, secret) = text.split_once(':')?;
        Some(Self::Basic { name: name.to_owned(), secret: secret.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_a_scheme_and_a_value() {
        let shown = |header: &'static str| Shown::bearer_or_basic(Some(header.as_bytes()));
        assert!(matches!(Shown::bearer_or_basic(None), Shown::Nothing));
        for bearer in ["Bearer skt_a", "bearer skt_a", "BEARER   skt_a "] {
            assert!(matches!(shown(bearer), Shown::Bearer("skt_a")), "{bearer:?}");
        }
        // The example of RFC 7617, section 2.
        for basic in ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ"] {
            let basic = shown(basic);
            assert!(matches!(basic, Shown::Basic { name, secret } if (&*name, &*secret) == ("Aladdin", "open sesame")));
        }
        for unknown in ["", "Bearer", "skt_a", "Digest a", "Basic %", "Basic YQ==", "Basic /w=="] {
            assert!(matches!(shown(unknown), Shown::Unknown), "{unknown:?}");
        }
        assert!(matches!(Shown::bearer_or_basic(Some(b"Bearer \xff")), Shown::Unknown));
        assert!(matches!(Shown::bearer(Some(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")), Shown::Unknown));
    }
}
