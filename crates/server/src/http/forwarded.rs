//! How a client saw the server: by itself, or from behind a proxy that tells.
//!
//! Anybody can send the headers `X-Forwarded-…`. They are read only where the other end of the connection is a proxy that
//! somebody has said to trust.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::header::HOST;
use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderMap, HeaderName, Uri};
use ipnet::{IpNet, Ipv4Net};

use super::connection::Ends;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// More proxies than this do not stand behind one another. Where a header names more, it is not believed.
const MOST_HOPS: usize = 32;

/// The proxies whose word about their clients is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// The error for text that is no network.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is neither an address nor a network: give one such as 10.0.0.0/8, fd00::/8 or 192.0.2.7")]
pub struct InvalidNetwork(String);

impl TrustedProxies {
    /// Reads networks as CIDR. An address alone is a network of one.
    ///
    /// # Errors
    /// [`InvalidNetwork`] for the first text that is none.
    pub fn parse(networks: &[String]) -> Result<Self, InvalidNetwork> {
        let parse = |text: &String| network(text.trim()).ok_or_else(|| InvalidNetwork(text.clone()));
        networks.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// A network. One of IPv4 that is written within IPv6 is one of IPv4, as the addresses of connections are.
fn network(text: &str) -> Option<IpNet> {
    const MAPPED_BITS: u8 = 96;
    let network = match text.parse::<IpAddr>() {
        Ok(address) => return Some(IpNet::from(address.to_canonical())),
        Err(_) => IpNet::from_str(text).ok()?,
    };
    match (network.addr().to_canonical(), network.prefix_len()) {
        (IpAddr::V4(address), bits) if network.addr().is_ipv6() && bits >= MAPPED_BITS => {
            Ipv4Net::new(address, bits.saturating_sub(MAPPED_BITS)).ok().map(IpNet::V4)
        }
        _ => Some(network),
    }
}

/// How the client of a request saw the server. It is among the extensions of every request that is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenAs {
    /// The client's own address, as far as it is known.
    pub(crate) client: IpAddr,
    pub(crate) scheme: Scheme,
    /// The host and, where it is not the scheme's own, the port; `None` where the client names none.
    pub(crate) host: Option<Authority>,
    /// Whether a proxy that is trusted has named the host.
    pub(crate) is_vouched_for: bool,
}

impl SeenAs {
    /// How the sender of a request over a connection with these `ends` saw the server.
    pub(super) fn of(ends: &Ends, proxies: &TrustedProxies, uri: &Uri, headers: &HeaderMap) -> Self {
        let peer = ends.peer.to_canonical();
        let scheme = if ends.is_encrypted { Scheme::HTTPS } else { Scheme::HTTP };
        let direct = Self { client: peer, scheme, host: asked_host(uri, headers), is_vouched_for: false };
        if proxies.is_empty() || !proxies.trusts(peer) {
            return direct;
        }
        let (client, hop) = client(peer, proxies, headers);
        let told = told(headers, &FORWARDED_HOST, hop).and_then(authority);
        let is_vouched_for = told.is_some();
        Self {
            client,
            scheme: told_scheme(headers, hop).unwrap_or(direct.scheme),
            host: told.or(direct.host),
            is_vouched_for,
        }
    }
}

/// The host in the request's own words. That of an absolute URL counts before the header.
fn asked_host(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    if let Some(host) = uri.authority() {
        return Some(host.clone()).filter(|host| !host.as_str().contains('@'));
    }
    authority(headers.get(HOST)?.to_str().ok()?)
}

/// A host, perhaps with its port, and nothing else.
fn authority(text: &str) -> Option<Authority> {
    text.parse::<Authority>().ok().filter(|host| !host.as_str().contains('@') && !host.host().is_empty())
}

/// The right-most address that is no trusted proxy's, and how many proxies told of others after it. Whatever stands
/// further left may have been written by the client itself. Where something there is no address, the peer is the client.
fn client(peer: IpAddr, proxies: &TrustedProxies, headers: &HeaderMap) -> (IpAddr, usize) {
    let (mut client, mut hops) = (peer, 0);
    for text in from_the_right(headers, &FOR) {
        let address = text.filter(|_| hops < MOST_HOPS).and_then(address);
        let Some(address) = address else { return (peer, 0) };
        client = address;
        if !proxies.trusts(address) {
            return (client, hops);
        }
        hops = hops.saturating_add(1);
    }
    (client, hops.saturating_sub(1))
}

/// An address, as proxies write it: with and without a port, and one of IPv6 with and without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = match bare {
        Some(bare) => bare.parse::<IpAddr>().ok().filter(IpAddr::is_ipv6),
        None => text.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip())),
    };
    address.map(|address| address.to_canonical())
}

fn told_scheme(headers: &HeaderMap, hop: usize) -> Option<Scheme> {
    let told = told(headers, &PROTO, hop)?;
    [Scheme::HTTP, Scheme::HTTPS].into_iter().find(|scheme| told.eq_ignore_ascii_case(scheme.as_str()))
}

/// What the proxy `hop` proxies away from here told of its client. A proxy that puts its word in place of those before
/// it leaves fewer.
fn told<'h>(headers: &'h HeaderMap, name: &HeaderName, hop: usize) -> Option<&'h str> {
    let mut furthest = None;
    for text in from_the_right(headers, name).take(hop.saturating_add(1)) {
        furthest = text;
    }
    furthest.filter(|text| !text.is_empty())
}

/// The parts of a header that is a list, which may stand in several lines; `None` for those of a line that is no text.
fn from_the_right<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = Option<&'h str>> {
    headers.get_all(name).iter().rev().flat_map(|line| {
        let text = line.to_str().ok();
        let parts = text.into_iter().flat_map(|text| text.rsplit(',')).map(|part| Some(part.trim()));
        parts.chain(text.is_none().then_some(None))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, axum::http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    fn proxies(networks: &[&str]) -> TrustedProxies {
        let networks: Vec<String> = networks.iter().map(|network| (*network).to_owned()).collect();
        TrustedProxies::parse(&networks).unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn seen(peer: &str, trusted: &[&str], lines: &[(&'static str, &str)]) -> SeenAs {
        let ends = Ends { peer: ip(peer), ..Ends::default() };
        SeenAs::of(&ends, &proxies(trusted), &Uri::from_static("/"), &headers(lines))
    }

    fn client_of(forwarded: &[&str]) -> IpAddr {
        let lines: Vec<(&'static str, &str)> = forwarded.iter().map(|line| ("x-forwarded-for", *line)).collect();
        seen("10.0.0.1", &["10.0.0.0/8", "fd00::/8"], &lines).client
    }

    #[test]
    fn a_network_is_cidr_or_an_address() {
        for (text, member, stranger) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            (" 192.0.2.7 ", "::ffff:192.0.2.7", "192.0.2.8"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::1", "::1", "127.0.0.1"),
            ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.1"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
        ] {
            let proxies = proxies(&[text]);
            assert!(proxies.trusts(ip(member)), "{text} {member}");
            assert!(!proxies.trusts(ip(stranger)), "{text} {stranger}");
        }
        for bad in ["", "proxy.example", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "[::1]", "10.0.0.1:80", "*"] {
            assert!(TrustedProxies::parse(&[bad.to_owned()]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn headers_of_anybody_else_are_not_read() {
        let lines = [
            ("host", "own.example"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
        ];
        for trusted in [&[][..], &["10.0.0.2"], &["203.0.113.9"]] {
            let seen = seen("10.0.0.1", trusted, &lines);
            assert_eq!(seen.client, ip("10.0.0.1"));
            assert_eq!((seen.scheme, seen.is_vouched_for), (Scheme::HTTP, false));
            assert_eq!(seen.host.unwrap(), "own.example");
        }
        let believed = seen("::ffff:10.0.0.1", &["10.0.0.1"], &lines);
        assert_eq!(believed.client, ip("203.0.113.9"));
        assert_eq!((believed.scheme, believed.is_vouched_for), (Scheme::HTTPS, true));
        assert_eq!(believed.host.unwrap(), "evil.example");
    }

    #[test]
    fn the_client_is_the_right_most_address_that_is_no_proxys() {
        for (lines, client) in [
            (&["203.0.113.9"][..], "203.0.113.9"),
            (&["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            (&["198.51.100.1,203.0.113.9 ,\t10.0.0.7"], "203.0.113.9"),
            (&["198.51.100.1", "203.0.113.9", "10.0.0.7, fd00::1"], "203.0.113.9"),
            // Somebody within, behind all of the proxies.
            (&["10.0.0.9, 10.0.0.7"], "10.0.0.9"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(client_of(lines), ip(client), "{lines:?}");
        }
    }

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        for (text, client) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            assert_eq!(client_of(&[text]), ip(client), "{text}");
        }
    }

    #[test]
    fn behind_what_is_no_address_the_peer_is_the_client() {
        let many = vec!["10.0.0.7"; MOST_HOPS + 1].join(",");
        for text in [
            "",
            " ",
            "unknown",
            "_hidden",
            "203.0.113.9;",
            "203.0.113",
            "[203.0.113.9]",
            "1.2.3.4, garbage",
            "1.2.3.4,",
            "garbage, 10.0.0.7",
            "ä",
            &many,
        ] {
            assert_eq!(client_of(&[text]), ip("10.0.0.1"), "{text:?}");
        }
        // What the client wrote itself, left of its address, is nobody's concern.
        assert_eq!(client_of(&["garbage, 203.0.113.9"]), ip("203.0.113.9"));
        let many = vec!["garbage"; 10_000].join(",") + ", 203.0.113.9";
        assert_eq!(client_of(&[&many]), ip("203.0.113.9"));
    }

    #[test]
    fn scheme_and_host_are_those_that_the_clients_own_proxy_told() {
        let trusted = ["10.0.0.0/8"];
        let of = |lines: &[(&'static str, &str)]| {
            let seen = seen("10.0.0.1", &trusted, lines);
            (seen.scheme.as_str().to_owned(), seen.host.map(|host| host.to_string()))
        };
        let host = |text: &str| Some(text.to_owned());
        // Two proxies, both of which add.
        let far = [
            ("x-forwarded-for", "203.0.113.9, 10.0.0.7"),
            ("x-forwarded-proto", "https, http"),
            ("x-forwarded-host", "wall.example, inner:8080"),
        ];
        assert_eq!(of(&far), ("https".to_owned(), host("wall.example")));
        // One proxy, which adds to what the client made up.
        let spoofed = [
            ("x-forwarded-for", "1.1.1.1, 203.0.113.9"),
            ("x-forwarded-proto", "http, HTTPS"),
            ("x-forwarded-host", "evil.example, wall.example:444"),
        ];
        assert_eq!(of(&spoofed), ("https".to_owned(), host("wall.example:444")));
        // Two proxies, of which the nearer one passes on what the other told.
        let passed_on = [
            ("x-forwarded-for", "203.0.113.9, 10.0.0.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "wall.example"),
        ];
        assert_eq!(of(&passed_on), ("https".to_owned(), host("wall.example")));
        for garbage in ["", "a b", "user@wall.example", "http://wall.example", "wall.example/x", ":80"] {
            let lines = [("host", "own.example:1"), ("x-forwarded-host", garbage), ("x-forwarded-proto", "gopher")];
            assert_eq!(of(&lines), ("http".to_owned(), host("own.example:1")), "{garbage:?}");
        }
    }

    #[test]
    fn the_host_of_an_absolute_url_counts_before_the_header() {
        let of = |uri: &'static str, lines: &[(&'static str, &str)]| {
            let ends = Ends { is_encrypted: true, ..Ends::default() };
            let seen = SeenAs::of(&ends, &proxies(&[]), &Uri::from_static(uri), &headers(lines));
            assert_eq!(seen.scheme, Scheme::HTTPS);
            seen.host.map(|host| host.to_string())
        };
        assert_eq!(of("http://a.example:1/x", &[("host", "b.example")]).as_deref(), Some("a.example:1"));
        assert_eq!(of("/x", &[("host", "[::1]:80")]).as_deref(), Some("[::1]:80"));
        assert_eq!(of("http://u@a.example/x", &[("host", "b.example")]), None);
        assert_eq!(of("/x", &[]), None);
        assert_eq!(of("/x", &[("host", "")]), None);
    }
}
