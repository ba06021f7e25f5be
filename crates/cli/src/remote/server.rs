//! The address of a server, and the requests to it.

use std::io::Read;
use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use ureq::http::header::CONTENT_TYPE;
use ureq::http::{Request, Response, Uri, request};
use ureq::{Agent, AsSendBody, Body, Proxy};

use super::problem::Problem;
use crate::output::Usage;

/// The media type of rows on the wire.
pub(super) const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// A running server. A request blocks until its answer begins, and leaves its connection to the next one.
#[derive(Clone)]
pub(crate) struct RemoteServer {
    url: String,
    agent: Agent,
}

impl RemoteServer {
    /// The server at a URL that a person gave. Unless it is on this machine, it is reached through the proxy that the
    /// environment names, if any.
    ///
    /// # Errors
    /// [`Usage`] if this is not the URL of a server.
    pub(crate) fn at(url: &str) -> Result<Self> {
        let proxy = if is_on_this_machine(url) { None } else { Proxy::try_from_env() };
        Self::new(url, proxy)
    }

    /// The server on this machine that has a data directory open. A proxy could not reach it.
    pub(crate) fn on_this_machine(url: &str) -> Result<Self> {
        Self::new(url, None)
    }

    fn new(url: &str, proxy: Option<Proxy>) -> Result<Self> {
        if !url.starts_with("http://") {
            return Err(Usage::error(format!("{url} is not the URL of a server: it begins with http://")));
        }
        if let Err(error) = url.parse::<Uri>() {
            return Err(Usage::error(format!("{url} is not the URL of a server: {error}")));
        }
        let agent = Agent::config_builder().http_status_as_error(false).proxy(proxy).build().into();
        Ok(Self { url: url.trim_end_matches('/').to_owned(), agent })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Asks for a copy of the server's data directory. The copy is sent while it is read.
    pub(crate) fn backup(&self) -> Result<impl Read + use<>> {
        let response = self.send(&self.agent, Request::post(self.path("/v1/backup")), b"".as_slice())?;
        let response = self.accepted(response).with_context(|| format!("the server at {} made no backup", self.url))?;
        Ok(response.into_body().into_reader())
    }

    /// An agent that shares no connection with other requests, so that all of its connections can be closed at once.
    pub(super) fn separate_agent(&self) -> Agent {
        self.agent.config().new_agent()
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
        let response = agent.run(request.body(body)?);
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
        let answer = self.read(response)?;
        match Problem::parse(&answer) {
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
