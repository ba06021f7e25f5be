//! Where each protocol listens, within which limits, and how its URL is written.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::{Context, Result};
use skillscope_server::{ConnectionLimits, Guards, Listener, Tls, listen_addresses};
use skillscope_store::Store;

use crate::arguments::{ConnectionArguments, ServeArguments};
use crate::descriptors;
use crate::output::Usage;
use crate::remote::CERTIFICATE;

/// The addresses that each protocol may listen on. The first free one is taken.
pub(super) struct Doors {
    pub(super) http: Vec<SocketAddr>,
    pub(super) postgresql: Option<Vec<SocketAddr>>,
    pub(super) flight: Option<Vec<SocketAddr>>,
    pub(super) limits: DoorLimits,
    pub(super) tls: Option<Tls>,
}

/// The limits of each protocol.
pub(super) struct DoorLimits {
    pub(super) http: ConnectionLimits,
    pub(super) postgresql: ConnectionLimits,
    pub(super) flight: ConnectionLimits,
}

impl DoorLimits {
    fn of(arguments: &ConnectionArguments) -> Self {
        Self {
            http: arguments.limits(arguments.http_connections),
            postgresql: arguments.limits(arguments.pg_connections),
            flight: arguments.limits(arguments.flight_connections),
        }
    }
}

impl Doors {
    /// Those of the arguments, if what guards them is enough for where they can be reached from.
    pub(super) fn of(arguments: &ServeArguments, tls: Option<Tls>, asks_for_tokens: bool) -> Result<Self> {
        let guards = Guards {
            tokens: asks_for_tokens,
            tls: tls.is_some(),
            trusted_proxy: !arguments.reachability.trusted_proxy.is_empty(),
            insecure: arguments.insecure,
        };
        let resolve = |listen: &str| listen_addresses(listen, guards).map_err(Usage::error);
        let mut doors = Self {
            http: resolve(&arguments.listen)?,
            postgresql: arguments.pg_listen.as_deref().map(resolve).transpose()?,
            flight: arguments.flight_listen.as_deref().map(resolve).transpose()?,
            limits: DoorLimits::of(&arguments.connections),
            tls,
        };
        doors.fit_into(descriptors::raise());
        Ok(doors)
    }

    /// Takes fewer connections where there is not room for so many, so that there is room for files.
    fn fit_into(&mut self, room: usize) {
        // A connection of PostgreSQL has two descriptors.
        let postgresql = if self.postgresql.is_some() { 2 * self.limits.postgresql.most } else { 0 };
        let flight = if self.flight.is_some() { self.limits.flight.most } else { 0 };
        let of_http = room.saturating_sub(postgresql).saturating_sub(flight).max(room / 4).max(1);
        if of_http < self.limits.http.most {
            tracing::warn!(
                asked = self.limits.http.most,
                most = of_http,
                "there are fewer connections of HTTP than --http-connections allows: the limit of open files (ulimit -Hn) leaves no room for more"
            );
            self.limits.http.most = of_http;
        }
    }

    /// Listens on the first of `addresses` that is free. Returns the URL too.
    pub(super) fn listen(&self, addresses: &[SocketAddr], scheme: Scheme) -> Result<(Listener, String)> {
        let wanted = || addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ");
        let listener = TcpListener::bind(addresses).with_context(|| format!("cannot listen on {}", wanted()))?;
        let address = listener.local_addr().context("cannot tell the server's address")?;
        let (before, after) = if self.tls.is_some() { scheme.encrypted } else { (scheme.plain, "") };
        Ok((Listener::new(listener, self.tls.clone()), format!("{before}://{address}{after}")))
    }

    /// Tells other processes where the server listens, and tells it again when its certificate changes.
    pub(super) fn keep_announced(self: &Arc<Self>, store: &Arc<Store>, url: &str) {
        self.announce(store, url);
        if let Some(tls) = &self.tls {
            let (weak, url) = ((Arc::downgrade(self), Arc::downgrade(store)), url.to_owned());
            tls.when_changed(move || {
                if let (Some(doors), Some(store)) = (weak.0.upgrade(), weak.1.upgrade()) {
                    doors.announce(&store, &url);
                }
            });
        }
    }

    /// Tells other processes of this machine where the server listens, and which certificate it shows.
    fn announce(&self, store: &Store, url: &str) {
        let fingerprint = self.tls.as_ref().map(|tls| format!("{CERTIFICATE}{}", tls.fingerprint()));
        if let Err(error) = store.announce(&format!("{url}{}", fingerprint.unwrap_or_default())) {
            // Only commands that look for the server miss it. Everything else works.
            tracing::warn!(%error, "other processes cannot be told where the server listens");
        }
    }
}

/// How the URL of a protocol is written: what it begins with, in plain text, and over TLS what it begins and ends with.
pub(super) struct Scheme {
    plain: &'static str,
    encrypted: (&'static str, &'static str),
}

pub(super) const HTTP: Scheme = Scheme { plain: "http", encrypted: ("https", "") };
pub(super) const POSTGRESQL: Scheme = Scheme { plain: "postgresql", encrypted: ("postgresql", "?sslmode=require") };
pub(super) const FLIGHT: Scheme = Scheme { plain: "grpc", encrypted: ("grpc+tls", "") };
