//! The options of `serve`.

use std::time::Duration;

use clap::Args;
use skillscope_server::HttpOptions;
use skillscope_store::StoreOptions;

use super::archive_access::ArchiveAccess;
use super::connections::ConnectionArguments;
use super::dead_letters::DeadLetters;
use super::event_wait::EventWait;
use super::instant::instant;
use super::quiet_after::QuietAfter;
use super::reachability::ReachabilityArguments;
use super::sql_limits::SqlLimitArguments;
use super::store_address::DataDirectory;
use super::tls::TlsFiles;

#[derive(Debug, Args)]
#[command(mut_arg("data_dir", |option| option.help("The data directory; it is made if there is none")))]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    /// The address to listen on for HTTP; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Fix the clock at this instant (RFC 3339, or milliseconds since the epoch), to look at past days as if live.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub(crate) now: Option<i64>,
    /// Serve a small sample account `demo` from a temporary directory, and print a curl line that works. Its conversations
    /// go on while the server runs, except with --now.
    #[arg(long)]
    pub(crate) demo: bool,
    #[command(flatten)]
    pub(crate) tls: TlsFiles,
    /// Allow an address that other machines can reach without tokens or without encryption.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Let pages of this origin read answers in a browser, such as https://wall.example; * lets every page. Repeatable.
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',')]
    pub(crate) cors_origin: Vec<String>,
    #[command(flatten)]
    pub(crate) reachability: ReachabilityArguments,
    /// The hours before now whose segments are kept in memory; older ones are read from the archive.
    #[arg(long, value_name = "HOURS", default_value_t = StoreOptions::HOT_HOURS)]
    pub(crate) hot_hours: u32,
    /// Memory for segments, in bytes; beyond it, the oldest are read from the archive [default: 36 % of the
    /// machine's, or of what the process may have of it]
    #[arg(long, value_name = "BYTES")]
    pub(crate) hot_bytes: Option<u64>,
    /// How long an hour that is over waits for late segments before it is written to the archive.
    #[arg(long, value_name = "SECONDS", default_value_t = StoreOptions::SEAL_GRACE_MS as u32 / 1000)]
    pub(crate) seal_grace: u32,
    /// Remove segments that ended longer ago than this, such as 400d or 36h; ACCOUNT=AGE for one account, where AGE may
    /// be forever. Repeatable. Without it everything is kept.
    #[arg(long, value_name = "[ACCOUNT=]AGE", value_delimiter = ',')]
    pub(crate) retain: Vec<String>,
    /// Tell what --retain would remove now, by account, and exit. Nothing is removed, and nothing is served.
    #[arg(long)]
    pub(crate) retain_dry_run: bool,
    #[command(flatten)]
    pub(crate) archive_access: ArchiveAccess,
    #[command(flatten)]
    pub(crate) event_wait: EventWait,
    #[command(flatten)]
    pub(crate) dead_letters: DeadLetters,
    /// The largest request body, in bytes [default: 64 MiB, or 2.5 % of the machine's memory]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_body_bytes: Option<usize>,
    /// Memory for all request bodies together, in bytes: at least four of the largest. One account has half of it at
    /// most [default: 512 MiB or 10 % of the machine's, or four of the largest]
    #[arg(long, value_name = "BYTES")]
    pub(crate) body_memory: Option<usize>,
    /// Memory for all large reports together, in bytes. One account has half of it at most [default: 10 % of the
    /// machine's]
    #[arg(long, value_name = "BYTES")]
    pub(crate) report_memory: Option<usize>,
    /// The address to listen on for the PostgreSQL protocol, such as 127.0.0.1:5433; off without it.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) pg_listen: Option<String>,
    /// The address to listen on for Arrow Flight SQL, such as 127.0.0.1:5434; off without it.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) flight_listen: Option<String>,
    /// How long the server goes on taking requests after it was told to end, while /readyz already answers 503: time for
    /// a load balancer to turn away from it. Then no more are taken, and those under way have ten seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub(crate) drain_delay: u32,
    /// A request, a report or a statement that takes so many milliseconds or longer is logged, the latter two with their
    /// plan; 0 for none.
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    slow_request: u32,
    /// Tell of accounts of which nothing has come for so long: in the log, among the metrics and at /readyz. A number
    /// and a unit (s, m, h, d); off for none.
    #[arg(long, value_name = "TIME", default_value_t = QuietAfter::DEFAULT)]
    pub(crate) quiet_after: QuietAfter,
    /// Send traces of requests over HTTP to this collector of OpenTelemetry, by OTLP over gRPC.
    #[arg(long, value_name = "URL")]
    pub(crate) otlp_endpoint: Option<String>,
    #[command(flatten)]
    pub(crate) connections: ConnectionArguments,
    #[command(flatten)]
    pub(crate) sql_limits: SqlLimitArguments,
    /// The most rows in one answer of POST /v1/sql.
    #[arg(long, value_name = "ROWS", default_value_t = HttpOptions::MAX_SQL_ROWS)]
    pub(crate) sql_rows: u64,
}

impl ServeArguments {
    /// How long something takes that is logged as slow.
    pub(crate) fn slow_request(&self) -> Option<Duration> {
        (self.slow_request > 0).then(|| Duration::from_millis(self.slow_request.into()))
    }
}
