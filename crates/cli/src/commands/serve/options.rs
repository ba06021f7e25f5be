//! The options of the store, of HTTP and of SQL, as the command line has them.

use anyhow::Result;
use skillscope_query::{Clock, SqlLimits};
use skillscope_server::{ConnectionLimits, CorsOrigins, HttpOptions};
use skillscope_store::{StoreOptions, memory_bytes};

use super::retention;
use crate::arguments::ServeArguments;
use crate::output::Usage;

/// The options of a server, part by part.
pub(super) struct Options {
    pub(super) store: StoreOptions,
    pub(super) http: HttpOptions,
    pub(super) sql: SqlLimits,
}

impl Options {
    /// Those that the arguments say, with as many connections of HTTP as there is room for.
    pub(super) fn of(arguments: &ServeArguments, clock: Clock, connections: ConnectionLimits) -> Result<Self> {
        let http = HttpOptions { connections, ..http_options(arguments)? };
        let sql = SqlLimits { slow: arguments.slow_request(), ..arguments.sql_limits.limits() };
        Ok(Self { store: store_options(arguments, clock)?, http, sql })
    }

    /// Tells in the log how much memory may be taken for what, since most of it follows from the machine's.
    pub(super) fn log_memory(&self) {
        const MIB: u64 = 1 << 20;
        tracing::info!(
            memory_mib = memory_bytes() / MIB,
            hot_mib = self.store.hot_bytes / MIB,
            totals_mib = self.store.totals_bytes / MIB,
            sql_mib = self.sql.memory_bytes as u64 / MIB,
            report_mib = self.http.report_memory as u64 / MIB,
            body_mib = self.http.body_memory as u64 / MIB,
            "memory that may be taken"
        );
    }
}

/// The options of HTTP.
fn http_options(arguments: &ServeArguments) -> Result<HttpOptions> {
    let of_connections = arguments.connections.http();
    let max_body_bytes = arguments.max_body_bytes.unwrap_or(of_connections.max_body_bytes);
    let least = max_body_bytes.saturating_mul(HttpOptions::BODIES);
    let body_memory = arguments.body_memory.unwrap_or(of_connections.body_memory.max(least));
    if body_memory < least {
        let rule = format!(
            "--body-memory {body_memory} is too little: with --max-body-bytes {max_body_bytes} it is at least {least}"
        );
        return Err(Usage::error(rule));
    }
    let cors_origins = CorsOrigins::parse(&arguments.cors_origin).map_err(Usage::error)?;
    let max_sql_rows = arguments.sql_rows;
    let report_memory = arguments.report_memory.unwrap_or(of_connections.report_memory);
    let slow_request = arguments.slow_request();
    let options = HttpOptions {
        report_memory,
        max_body_bytes,
        body_memory,
        max_sql_rows,
        cors_origins,
        slow_request,
        ..of_connections
    };
    arguments.reachability.set(options, &arguments.listen)
}

/// The options of the store. A fixed clock decides which hours are in memory. Sealing and expiry always use the clock
/// of the machine.
fn store_options(arguments: &ServeArguments, clock: Clock) -> Result<StoreOptions> {
    let mut defaults = StoreOptions::default();
    arguments.dead_letters.set(&mut defaults);
    Ok(StoreOptions {
        hot_clock: clock,
        hot_hours: arguments.hot_hours,
        hot_bytes: arguments.hot_bytes.unwrap_or(defaults.hot_bytes),
        seal_grace_ms: i64::from(arguments.seal_grace) * 1000,
        event_wait_ms: arguments.event_wait.milliseconds(),
        retention: retention::of(arguments)?,
        archive_group_readable: Some(arguments.archive_access.archive_group_readable),
        ..defaults
    })
}
