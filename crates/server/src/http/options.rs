//! The limits of HTTP, and who may read answers.

use std::time::Duration;

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
}

impl HttpOptions {
    /// The default of `header_timeout`, in seconds.
    pub const HEADER_SECONDS: u32 = 10;

    /// The default of `idle_timeout`, in seconds. Clients that ask once a minute keep their connection.
    pub const IDLE_SECONDS: u32 = 120;

    /// The default of `body_timeout`, in seconds.
    pub const BODY_SECONDS: u32 = 30;

    /// The default of `max_body_bytes`.
    pub const MAX_BODY_BYTES: usize = 64 << 20;

    /// The memory for bodies is at least as many of the largest: one account has half of it, and a body is in memory
    /// twice while it is decompressed.
    pub const BODIES: usize = 4;

    /// The default of `body_memory`; more where `max_body_bytes` needs more.
    pub const BODY_MEMORY: usize = 512 << 20;

    /// The default of `max_sql_rows`.
    pub const MAX_SQL_ROWS: u64 = 1_000_000;
}

impl Default for HttpOptions {
    fn default() -> Self {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Self {
            connections: ConnectionLimits::of(ConnectionLimits::HTTP),
            header_timeout: seconds(Self::HEADER_SECONDS),
            idle_timeout: seconds(Self::IDLE_SECONDS),
            body_timeout: seconds(Self::BODY_SECONDS),
            max_body_bytes: Self::MAX_BODY_BYTES,
            body_memory: Self::BODY_MEMORY,
            body_patience: seconds(5),
            report_memory: usize::try_from(skillscope_store::memory_bytes() / 4).unwrap_or(usize::MAX),
            max_sql_rows: Self::MAX_SQL_ROWS,
            of_a_token: CallerLimits::default(),
            cors_origins: CorsOrigins::default(),
            trusted_proxies: TrustedProxies::default(),
            allowed_hosts: AllowedHosts::default(),
        }
    }
}
