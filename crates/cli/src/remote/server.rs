//! The address of a server, and the requests to it.

use std::fmt::Display;
use std::io::Read;
use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use ureq::config::Config;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use ureq::http::{Request, Response, StatusCode, Uri, request};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, TcpConnector};
use ureq::{Agent, AsSendBody, Body, Proxy};

use super::bearer::Bearer;
use super::problem::Problem;
use super::tls_connector::TlsConnector;
use super::trust::Trust;
use super::unreachable::advice;
use crate::arguments::ClientArguments;
use crate::output::{self, Usage};

/// The media type of rows on the wire.
pub(super) const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// How the URL of a server on this machine tells the fingerprint of its certificate.
pub(crate) const CERTIFICATE: &str = "#sha256=";

/// A running server. A request blocks until its answer begins, and leaves its connection to the next one.
#[derive(Clone)]
pub(crate) struct RemoteServer {
    url: String,
    bearer: Option<Bearer>,
    connector: TlsConnector,
    agent: Agent,
}

impl RemoteServer {
    /// The server at a URL that a person gave. Unless it is on this machine, it is reached through the proxy that the
    /// environment names, if any.
    ///
    /// # Errors
    /// [`Usage`] if this is not the URL of a server, or there is nothing to trust, or no token, where one is named.
    pub(crate) fn at(url: &str, client: &ClientArguments) -> Result<Self> {
        let is_here = is_on_this_machine(url);
        let proxy = if is_here { None } else { Proxy::try_from_env() };
        let bearer = client.bearer()?;
        let trust = client.ca_cert.as_deref().map_or(Ok(Trust::System), Trust::in_file)?;
        let server = Self::new(url, proxy, bearer, trust)?;
        if server.bearer.is_some() && !is_here && !is_encrypted(url) {
            output::complain(&format!("{url} is not encrypted: whoever is between can read the token, and use it"));
        }
        Ok(server)
    }

    /// The server on this machine that has a data directory open, at the URL that it has told, with the `secret` by which
    /// it knows the directory's owner. A proxy could not reach it.
    pub(super) fn on_this_machine(url: &str, secret: &str) -> Result<Self> {
        let (url, fingerprint) = url.split_once(CERTIFICATE).unwrap_or((url, ""));
        let trust = fingerprint.parse().map_or(Trust::System, Trust::Own);
        Self::new(url, None, Some(Bearer::new(secret)?), trust)
    }

    fn new(url: &str, proxy: Option<Proxy>, bearer: Option<Bearer>, trust: Trust) -> Result<Self> {
        if url.split_once("://").is_some_and(|(_, rest)| rest.split('/').next().unwrap_or_default().contains('@')) {
            return Err(Usage::error("a URL has no user and no password here; --token says who asks"));
        }
        let wrong = |reason: &dyn Display| Usage::error(format!("{url} is not the URL of a server: {reason}"));
        let uri = url.parse::<Uri>().map_err(|error| wrong(&error))?;
        let config = match uri.scheme_str() {
            Some("http") => None,
            Some("https") => Some(trust.configuration()?),
            _ => return Err(wrong(&"it begins with http:// or https://")),
        };
        // A redirect would turn a POST into a GET, and lead a token elsewhere.
        let of_agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(proxy).build();
        let connector = TlsConnector(config);
        let agent = agent(of_agent, connector.clone());
        Ok(Self { url: url.trim_end_matches('/').to_owned(), bearer, connector, agent })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Asks for a copy of the server's data directory. The copy is sent while it is read.
    pub(crate) fn backup(&self) -> Result<impl Read + use<>> {
        self.backup_at("/v1/backup")
    }

    /// The same without the files of the archive.
    pub(super) fn backup_without_archive(&self) -> Result<impl Read + use<>> {
        self.backup_at("/v1/backup?archive=false")
    }

    fn backup_at(&self, path: &str) -> Result<impl Read + use<>> {
        let response = self.send(&self.agent, Request::post(self.path(path)), b"".as_slice())?;
        let response = self.accepted(response).with_context(|| format!("the server at {} made no backup", self.url))?;
        Ok(response.into_body().into_reader())
    }

    /// An agent that shares no connection with other requests, so that all of its connections can be closed at once.
    pub(super) fn separate_agent(&self) -> Agent {
        agent(self.agent.config().clone(), self.connector.clone())
    }

    /// The URL of a path on this server.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Posts a body over the connections that requests share.
    pub(super) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Result<Response<Body>> {
        let request = Request::post(self.path(path)).header(CONTENT_TYPE, content_type);
        self.send(&self.agent, request, body)
    }

    /// Sends a request, and waits until its answer begins. Every request goes through here.
    pub(super) fn send(
        &self,
        agent: &Agent,
        request: request::Builder,
        body: impl AsSendBody,
    ) -> Result<Response<Body>> {
        let request = match &self.bearer {
            Some(bearer) => request.header(AUTHORIZATION, bearer.header()),
            None => request,
        };
        let response = agent.run(request.body(body)?).map_err(|error| match advice(&error) {
            Some(advice) => anyhow::Error::from(error).context(advice),
            None => error.into(),
        });
        response.with_context(|| format!("cannot reach {}", self.url))
    }

    /// Passes on the answer to a request that the server has carried out.
    ///
    /// # Errors
    /// The server's reason why it has not.
    pub(super) fn accepted(&self, response: Response<Body>) -> Result<Response<Body>> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let place = response.headers().get(LOCATION).and_then(|place| place.to_str().ok()).map(str::to_owned);
        if let Some(place) = place.filter(|_| status.is_redirection()) {
            bail!("{} sends its clients to {place}; give that as the URL", self.url);
        }
        let answer = self.read(response)?;
        let is_unknown = status == StatusCode::UNAUTHORIZED;
        match Problem::parse(&answer) {
            Some(problem) if is_unknown && self.bearer.is_none() => Err(anyhow::Error::from(problem)
                .context("the server wants a token: give one with --token-file, --token or SKILLSCOPE_TOKEN")),
            Some(problem) if is_unknown => {
                Err(anyhow::Error::from(problem).context("the server does not take the token"))
            }
            Some(problem) => Err(problem.into()),
            None => {
                let text = String::from_utf8_lossy(&answer);
                bail!("{} answers {status}: {}", self.url, text.lines().next().unwrap_or("nothing"))
            }
        }
    }

    /// Reads all of a short answer.
    pub(super) fn read(&self, mut response: Response<Body>) -> Result<Vec<u8>> {
        let read = response.body_mut().read_to_vec();
        read.with_context(|| format!("cannot read the answer of {}", self.url))
    }
}

/// Requests over connections of their own.
fn agent(config: Config, connector: TlsConnector) -> Agent {
    let connector = ().chain(ConnectProxyConnector::default()).chain(TcpConnector::default()).chain(connector);
    Agent::with_parts(config, connector, DefaultResolver::default())
}

fn is_encrypted(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| uri.scheme_str() == Some("https"))
}

/// Whether a URL names this machine by a loopback address. A proxy would look for the server on its own machine.
fn is_on_this_machine(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_addresses_are_this_machine() {
        for here in ["http://127.0.0.1:8080", "http://localhost:8080/prefix", "http://[::1]:80", "http://127.1.2.3"] {
            assert!(is_on_this_machine(here), "{here}");
        }
        for elsewhere in ["http://10.0.0.1:8080", "http://localhost.example", "http://[2001:db8::1]", "no url"] {
            assert!(!is_on_this_machine(elsewhere), "{elsewhere}");
        }
    }
}
