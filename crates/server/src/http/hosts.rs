//! The names by which the server is known.
//!
//! Where clients are not asked who they are, a web page of any site could reach the server by a name of its own, which it
//! lets point here once it has been loaded: for the browser the server is then of the page's own origin. Such a request
//! names the page's host. A page can give itself any name, but no address, and not `localhost`.

use std::net::IpAddr;

use axum::http::uri::Authority;

use super::connection::Ends;

/// Names under which the server is reached, beside its own addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<String>);

/// The error for text that is no name of a host.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not the name of a host: it is a name or an address alone, such as wall.example")]
pub struct InvalidHost(String);

impl AllowedHosts {
    /// Reads names, and addresses. A port may follow, and makes no difference.
    ///
    /// # Errors
    /// [`InvalidHost`] for the first text that is none.
    pub fn parse(hosts: &[String]) -> Result<Self, InvalidHost> {
        let parse = |text: &String| {
            let text = text.trim();
            // An address of IPv6 may stand without its brackets here.
            let bare = text.parse::<IpAddr>().ok().map(|address| address.to_canonical().to_string());
            let host = bare.or_else(|| {
                let host = text.parse::<Authority>().ok().filter(|host| !host.as_str().contains('@'))?;
                Some(name(host.host())).filter(|name| !name.is_empty() && !name.contains('*'))
            });
            host.ok_or_else(|| InvalidHost(text.to_owned()))
        };
        hosts.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the server is known by this host, at whatever port, over a connection with these `ends`.
    pub(super) fn is_own(&self, host: &Authority, ends: &Ends) -> bool {
        let name = name(host.host());
        let is_local = |address: IpAddr| ends.is_exposed || address.is_loopback() || address.is_unspecified();
        name == "localhost" || name.parse().is_ok_and(is_local) || self.0.contains(&name)
    }
}

/// A host in the one way of writing it: in small letters, without the dot that may end a name, and an address without
/// brackets.
fn name(host: &str) -> String {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_own(allowed: &[&str], is_exposed: bool, host: &str) -> bool {
        let allowed: Vec<String> = allowed.iter().map(|host| (*host).to_owned()).collect();
        let ends = Ends { is_exposed, ..Ends::default() };
        AllowedHosts::parse(&allowed).unwrap().is_own(&host.parse().unwrap(), &ends)
    }

    #[test]
    fn loopback_has_its_names_and_no_others() {
        for own in [
            "localhost",
            "LocalHost:8080",
            "localhost.",
            "127.0.0.1",
            "127.0.0.1:1",
            "127.8.8.8",
            "[::1]:8080",
            "[::1]",
            "0.0.0.0:8080",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_own(&[], false, own), "{own}");
        }
        for other in [
            "evil.example",
            "localhost.evil.example",
            "evil.localhost",
            "127.0.0.1.evil.example",
            "192.0.2.1",
            "[2001:db8::1]:80",
            "localhost..",
            "127.1",
        ] {
            assert!(!is_own(&[], false, other), "{other}");
        }
    }

    #[test]
    fn a_listener_that_others_reach_is_known_by_any_address_and_by_names_that_are_allowed() {
        for own in ["192.0.2.1:8080", "[2001:db8::1]", "127.0.0.1", "localhost"] {
            assert!(is_own(&[], true, own), "{own}");
        }
        assert!(!is_own(&[], true, "wall.example"));
        for allowed in ["wall.example", "WALL.example.", "wall.example:8080", " wall.example"] {
            for host in ["wall.example", "Wall.Example.:9", "wall.example:443"] {
                assert!(is_own(&[allowed], false, host), "{allowed} {host}");
            }
            assert!(!is_own(&[allowed], true, "evil.wall.example"));
        }
        assert!(is_own(&["2001:db8::1"], false, "[2001:DB8:0::1]:80"));
        assert!(is_own(&["[2001:db8::1]:80"], false, "[2001:db8::1]"));
    }

    #[test]
    fn a_host_is_a_name() {
        for bad in ["", "*", "*.example", "http://wall.example", "wall.example/", "a b", "user@wall.example"] {
            assert!(AllowedHosts::parse(&[bad.to_owned()]).is_err(), "{bad:?}");
        }
    }
}
