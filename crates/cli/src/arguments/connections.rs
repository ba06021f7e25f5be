//! The options of `serve` that limit connections.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;
use clap::builder::{RangedI64ValueParser, RangedU64ValueParser};
use skillscope_server::{CallerLimits, ConnectionLimits, HttpOptions};

#[derive(Debug, Args)]
pub(crate) struct ConnectionArguments {
    /// The most connections of HTTP at a time.
    #[arg(long, value_name = "NUMBER", default_value_t = ConnectionLimits::HTTP, value_parser = number())]
    pub(crate) http_connections: usize,
    /// The most connections of the PostgreSQL protocol at a time.
    #[arg(long, value_name = "NUMBER", default_value_t = ConnectionLimits::SQL, value_parser = number())]
    pub(crate) pg_connections: usize,
    /// The most connections of Arrow Flight SQL at a time.
    #[arg(long, value_name = "NUMBER", default_value_t = ConnectionLimits::SQL, value_parser = number())]
    pub(crate) flight_connections: usize,
    /// The most connections of each protocol from one address; without it, one address may have all of them.
    #[arg(long, value_name = "NUMBER", value_parser = number())]
    connections_per_peer: Option<usize>,
    /// The most requests of one token at a time, over HTTP; one more is answered with 429.
    #[arg(long, value_name = "NUMBER", default_value_t = CallerLimits::CONCURRENCY, value_parser = number())]
    token_concurrency: usize,
    /// The most requests of one token a second, over HTTP; a second's may come at once. Without it there is no such limit.
    #[arg(long, value_name = "NUMBER")]
    token_rate: Option<NonZeroU32>,
    /// How long the first line and the headers of an HTTP request may take.
    #[arg(long, value_name = "SECONDS", default_value_t = HttpOptions::HEADER_SECONDS, value_parser = seconds())]
    header_timeout: u32,
    /// How long an HTTP connection may wait for its next request.
    #[arg(long, value_name = "SECONDS", default_value_t = HttpOptions::IDLE_SECONDS, value_parser = seconds())]
    idle_timeout: u32,
    /// How long the body of an HTTP request may go without another byte.
    #[arg(long, value_name = "SECONDS", default_value_t = HttpOptions::BODY_SECONDS, value_parser = seconds())]
    body_timeout: u32,
    /// How long an answer may wait for its reader to take another byte, over any protocol.
    #[arg(long, value_name = "SECONDS", default_value_t = ConnectionLimits::ANSWER_SECONDS, value_parser = seconds())]
    answer_timeout: u32,
}

/// As many connections as an option may allow.
fn number() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1_000_000)
}

/// From a second to a day.
fn seconds() -> RangedI64ValueParser<u32> {
    RangedI64ValueParser::new().range(1..=86_400)
}

impl ConnectionArguments {
    /// The limits of a protocol that may have `most` connections.
    pub(crate) fn limits(&self, most: usize) -> ConnectionLimits {
        let unread_answer = Duration::from_secs(self.answer_timeout.into());
        ConnectionLimits { most, of_a_peer: self.connections_per_peer, unread_answer }
    }

    /// The options of HTTP, with defaults for what is not about connections.
    pub(crate) fn http(&self) -> HttpOptions {
        HttpOptions {
            connections: self.limits(self.http_connections),
            header_timeout: Duration::from_secs(self.header_timeout.into()),
            idle_timeout: Duration::from_secs(self.idle_timeout.into()),
            of_a_token: CallerLimits { concurrency: self.token_concurrency, rate: self.token_rate },
            body_timeout: Duration::from_secs(self.body_timeout.into()),
            ..HttpOptions::default()
        }
    }
}
