//! The limits of HTTP, and who may read answers.

use std::time::Duration;

use skillscope_store::{memory_bytes, memory_share};

use super::cors::CorsOrigins;
use super::forwarded::TrustedProxies;
use super::hosts::AllowedHosts;
use crate::{CallerLimits, ConnectionLimits};

/// How the server answers over HTTP.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// How many connections there may be, and how long an answer may go unread.
    pub connections: ConnectionLimits,
    /// How long the first line and the headers of a request may take.
    pub header_timeout: Duration,
    /// How long a connection may wait for its next request.
    pub idle_timeout: Duration,
    /// How long the next byte of a request's body may take.
    pub body_timeout: Duration,
    /// The largest request body, in bytes, as sent and after decompression.
    pub max_body_bytes: usize,
    /// The memory of all request bodies together, in bytes. One account has half of it at most.
    pub body_memory: usize,
    /// How long a body waits for memory that others have.
    pub body_patience: Duration,
    /// The memory of all large reports together, in bytes. One account has half of it at most.
    pub report_memory: usize,
    /// The most rows in one answer to a statement.
    pub max_sql_rows: u64,
    /// What one token may ask for.
    pub of_a_token: CallerLimits,
    /// The origins whose pages may read answers, and change something.
    pub cors_origins: CorsOrigins,
    /// The proxies whose word about their clients is believed.
    pub trusted_proxies: TrustedProxies,
    /// The names under which the server is reached, beside its own addresses.
    pub allowed_hosts: AllowedHosts,
    /// A request whose answer begins after as long, or longer, is logged; `None` for none.
    pub slow_request: Option<Duration>,
}

impl HttpOptions {
    /// The default of `header_timeout`, in seconds.
    pub const HEADER_SECONDS: u32 = 10;

    /// The default of `idle_timeout`, in seconds. Clients that ask once a minute keep their connection.
    pub const IDLE_SECONDS: u32 = 120;

    /// The default of `body_timeout`, in seconds.
    pub const BODY_SECONDS: u32 = 30;

    /// The default of `max_body_bytes`, where there is memory for [enough of them](Self::BODIES).
    pub const MAX_BODY_BYTES: usize = 64 << 20;

    /// The memory for bodies is at least as many of the largest: one account has half of it, and a body is in memory
    /// twice while it is decompressed.
    pub const BODIES: usize = 4;

    /// The most that is the default of `body_memory`, unless `max_body_bytes` needs more.
    pub const BODY_MEMORY: usize = 512 << 20;

    /// The default of `body_memory` where it is less than [that](Self::BODY_MEMORY), in hundredths of [the
    /// memory](memory_bytes).
    pub const BODY_PERCENT: u64 = 10;

    /// The default of `report_memory`, in hundredths of [the memory](memory_bytes).
    pub const REPORT_PERCENT: u64 = 10;

    /// The default of `max_sql_rows`.
    pub const MAX_SQL_ROWS: u64 = 1_000_000;
}

impl HttpOptions {
    /// The defaults of `max_body_bytes` and `body_memory` where there is so much memory for everything.
    pub(crate) fn of_bodies(memory: u64) -> (usize, usize) {
        let body_memory = bytes(memory / 100 * Self::BODY_PERCENT).min(Self::BODY_MEMORY);
        (Self::MAX_BODY_BYTES.min(body_memory / Self::BODIES), body_memory)
    }
}

fn bytes(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

impl Default for HttpOptions {
    fn default() -> Self {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let (max_body_bytes, body_memory) = Self::of_bodies(memory_bytes());
        Self {
            connections: ConnectionLimits::of(ConnectionLimits::HTTP),
            header_timeout: seconds(Self::HEADER_SECONDS),
            idle_timeout: seconds(Self::IDLE_SECONDS),
            body_timeout: seconds(Self::BODY_SECONDS),
            max_body_bytes,
            body_memory,
            body_patience: seconds(5),
            report_memory: bytes(memory_share(Self::REPORT_PERCENT)),
            max_sql_rows: Self::MAX_SQL_ROWS,
            of_a_token: CallerLimits::default(),
            cors_origins: CorsOrigins::default(),
            trusted_proxies: TrustedProxies::default(),
            allowed_hosts: AllowedHosts::default(),
            slow_request: None,
        }
    }
}
