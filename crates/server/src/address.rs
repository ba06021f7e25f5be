//! Which addresses the server may listen on.

use std::fmt::{self, Display, Formatter};
use std::net::{SocketAddr, ToSocketAddrs};

/// Why the server does not listen on an address.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It is not an address, or its host is not known.
    #[error("cannot listen on {address}: {source}; give host and port, such as 127.0.0.1:8080")]
    Unknown {
        /// The address as it was given.
        address: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// Other machines could reach it, and it is not guarded well enough for that.
    #[error(
        "{address} can be reached from other machines, and {lack}. Or listen on a loopback address such as 127.0.0.1:8080, \
         or allow it as it is with --insecure"
    )]
    Exposed {
        /// The address as it was given.
        address: String,
        /// What there is not.
        lack: Lack,
    },
}

/// What guards a server whose addresses other machines can reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guards {
    /// Clients are asked for a token.
    pub tokens: bool,
    /// Connections are encrypted here.
    pub tls: bool,
    /// Connections come from a proxy, which encrypts.
    pub trusted_proxy: bool,
    /// Somebody has said that nothing of this is wanted.
    pub insecure: bool,
}

/// What an address that other machines can reach lacks. Displayed as a sentence that says what to type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lack {
    tokens: bool,
    encryption: bool,
}

impl Guards {
    /// What an address lacks; `None` where the server may listen on it.
    fn lack(self, is_loopback: bool) -> Option<Lack> {
        if is_loopback || self.insecure {
            return None;
        }
        let lack = Lack { tokens: !self.tokens, encryption: !self.tls && !self.trusted_proxy };
        (lack.tokens || lack.encryption).then_some(lack)
    }
}

impl Display for Lack {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const TOKENS: &str = "nobody is asked who they are: make a first token (skillscope token add --name NAME --account ID \
                              --scopes report)";
        const ENCRYPTION: &str = "nothing is encrypted: give --tls-cert FILE.pem and --tls-key FILE.pem (skillscope tls \
                                  self-signed --host NAME writes a pair to try with), or --trusted-proxy CIDR where a proxy \
                                  encrypts";
        match (self.tokens, self.encryption) {
            (true, true) => write!(f, "{TOKENS}; and {ENCRYPTION}"),
            (true, false) => f.write_str(TOKENS),
            (false, _) => f.write_str(ENCRYPTION),
        }
    }
}

/// The socket addresses of `address` (`host:port`). Those that other machines can reach must be guarded.
///
/// # Errors
/// [`AddressError::Unknown`] and [`AddressError::Exposed`].
pub fn listen_addresses(address: &str, guards: Guards) -> Result<Vec<SocketAddr>, AddressError> {
    let resolved =
        address.to_socket_addrs().map_err(|source| AddressError::Unknown { address: address.to_owned(), source })?;
    let addresses: Vec<SocketAddr> = resolved.collect();
    let is_loopback = addresses.iter().all(|address| address.ip().to_canonical().is_loopback());
    match guards.lack(is_loopback) {
        Some(lack) => Err(AddressError::Exposed { address: address.to_owned(), lack }),
        None => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Guards = Guards { tokens: false, tls: false, trusted_proxy: false, insecure: false };

    #[test]
    fn only_loopback_is_listened_on_unless_guarded() {
        let safe = Guards { tokens: true, tls: true, ..NONE };
        for loopback in ["127.0.0.1:0", "127.8.8.8:80", "[::1]:0", "[::ffff:127.0.0.1]:0"] {
            assert!(listen_addresses(loopback, NONE).is_ok(), "{loopback}");
        }
        for exposed in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:80", "[::ffff:192.0.2.1]:80"] {
            assert!(matches!(listen_addresses(exposed, NONE), Err(AddressError::Exposed { .. })), "{exposed}");
            assert!(listen_addresses(exposed, safe).is_ok(), "{exposed}");
        }
    }

    #[test]
    fn tokens_are_needed_and_encryption_here_or_before() {
        for bits in 0..16 {
            let [tokens, tls, trusted_proxy, insecure] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
            let guards = Guards { tokens, tls, trusted_proxy, insecure };
            let is_allowed = insecure || (tokens && (tls || trusted_proxy));
            assert_eq!(guards.lack(false).is_none(), is_allowed, "{guards:?}");
            assert_eq!(guards.lack(true), None);
        }
    }

    #[test]
    fn what_is_missing_is_told_and_nothing_else() {
        let told = |guards| listen_addresses("0.0.0.0:8080", guards).unwrap_err().to_string();
        for (guards, tokens, encryption) in [
            (NONE, true, true),
            (Guards { tokens: true, ..NONE }, false, true),
            (Guards { tls: true, ..NONE }, true, false),
            (Guards { trusted_proxy: true, ..NONE }, true, false),
        ] {
            let text = told(guards);
            assert_eq!(text.contains("skillscope token add"), tokens, "{text}");
            assert_eq!(text.contains("--tls-cert") && text.contains("--trusted-proxy"), encryption, "{text}");
            assert!(text.contains("--insecure"), "{text}");
        }
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for bad in ["", "8080", "127.0.0.1", "127.0.0.1:99999"] {
            let insecure = Guards { insecure: true, ..NONE };
            assert!(matches!(listen_addresses(bad, insecure), Err(AddressError::Unknown { .. })), "{bad:?}");
        }
    }
}
