//! The ends of a connection.

use std::net::{IpAddr, Ipv4Addr};

/// What a request can be told of the connection over which it came. It is among the extensions of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    /// The address of the machine at the other end, which may be a proxy.
    pub(crate) peer: IpAddr,
    /// Whether it is encrypted here.
    pub(crate) is_encrypted: bool,
    /// Whether it came to a listener that other machines can reach.
    pub(crate) is_exposed: bool,
}

/// Of a request that is asked within the process.
impl Default for Ends {
    fn default() -> Self {
        Self { peer: IpAddr::V4(Ipv4Addr::LOCALHOST), is_encrypted: false, is_exposed: false }
    }
}
