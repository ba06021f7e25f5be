//! Which addresses the server may listen on.

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
    /// Other machines could reach it, and nothing asks who they are.
    #[error(
        "{address} can be reached from other machines, and there is no authentication: listen on a loopback address such as \
         127.0.0.1:8080, or allow it with --insecure"
    )]
    Exposed {
        /// The address as it was given.
        address: String,
    },
}

/// The socket addresses of `address` (`host:port`). Unless `insecure`, all of them must be loopback addresses.
///
/// # Errors
/// [`AddressError::Unknown`] and [`AddressError::Exposed`].
pub fn listen_addresses(address: &str, insecure: bool) -> Result<Vec<SocketAddr>, AddressError> {
    let resolved =
        address.to_socket_addrs().map_err(|source| AddressError::Unknown { address: address.to_owned(), source })?;
    let addresses: Vec<SocketAddr> = resolved.collect();
    if !insecure && addresses.iter().any(|address| !address.ip().is_loopback()) {
        return Err(AddressError::Exposed { address: address.to_owned() });
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_listened_on_unless_insecure() {
        for loopback in ["127.0.0.1:0", "127.8.8.8:80", "[::1]:0"] {
            assert!(listen_addresses(loopback, false).is_ok(), "{loopback}");
        }
        for exposed in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:80"] {
            assert!(matches!(listen_addresses(exposed, false), Err(AddressError::Exposed { .. })), "{exposed}");
            assert!(listen_addresses(exposed, true).is_ok(), "{exposed}");
        }
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for bad in ["", "8080", "127.0.0.1", "127.0.0.1:99999"] {
            assert!(matches!(listen_addresses(bad, true), Err(AddressError::Unknown { .. })), "{bad:?}");
        }
    }
}
