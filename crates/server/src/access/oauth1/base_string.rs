//! What of a request is signed (RFC 5849, section 3.4.1).

use super::AskedUrl;
use super::parameters::{Parameters, encoded};

/// The text that a request's signature is made of.
pub(super) fn base_string(asked: &AskedUrl<'_>, parameters: &Parameters) -> String {
    let method = asked.method.to_ascii_uppercase();
    let (url, parameters) = (asked.base_url(), parameters.normalized());
    let [method, url, parameters] = [&method, &url, &parameters].map(|text| encoded(text.as_bytes()));
    format!("{method}&{url}&{parameters}")
}

impl AskedUrl<'_> {
    /// The URL without its query, as it is signed: its path stays as it was sent.
    pub(crate) fn base_url(&self) -> String {
        let (scheme, host) = (self.scheme.to_ascii_lowercase(), self.host.to_ascii_lowercase());
        let own_port = match scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => "",
        };
        let host = host.strip_suffix(own_port).unwrap_or(&host);
        let path = if self.path.is_empty() { "/" } else { self.path };
        format!("{scheme}://{host}{path}")
    }
}
