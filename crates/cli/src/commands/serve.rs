//! The command `serve`: opens the store, and serves it by HTTP, PostgreSQL's protocol and Flight SQL until a signal
//! comes. It listens from the beginning, and says that it is not ready until the store has been read.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::FutureExt;
use futures::future::OptionFuture;
use rustix::fs::Mode;
use rustix::process::umask;
use skillscope_query::{Clock, Engine, SqlLimits};
use skillscope_server::{
    Access, App, ConnectionLimits, ControlSocket, CorsOrigins, Guards, HttpOptions, HttpRoutes, HttpServer, Listener,
    Tls, listen_addresses, serve_flight_sql, serve_postgresql,
};
use skillscope_store::{Maintenance, Recovery, Store, StoreOptions, memory_bytes};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use super::reload;
use super::retention;
use crate::allocator;
use crate::arguments::{ConnectionArguments, ServeArguments};
use crate::demo;
use crate::descriptors;
use crate::output::{self, Usage};
use crate::remote::CERTIFICATE;
use crate::systemd;
use crate::threads::SQL_STACK_BYTES;

/// Serves a data directory until the process is told to stop.
pub(crate) fn run(arguments: ServeArguments) -> Result<ExitCode> {
    if arguments.retain_dry_run {
        return retention::dry_run(&arguments.directory.data_dir, retention::of(&arguments)?);
    }
    // Whatever the server writes is its owner's alone, also what statements spill to disk.
    umask(Mode::RWXG | Mode::RWXO);
    let tls = arguments.tls.open()?;
    let access =
        if arguments.demo { Access::of_anybody()? } else { Access::of_directory(&arguments.directory.data_dir)? };
    let guards = Guards {
        tokens: access.asks(),
        tls: tls.is_some(),
        trusted_proxy: !arguments.reachability.trusted_proxy.is_empty(),
        insecure: arguments.insecure,
    };
    let resolve = |listen: &str| listen_addresses(listen, guards).map_err(Usage::error);
    let mut doors = Doors {
        http: resolve(&arguments.listen)?,
        postgresql: arguments.pg_listen.as_deref().map(resolve).transpose()?,
        flight: arguments.flight_listen.as_deref().map(resolve).transpose()?,
        limits: DoorLimits::of(&arguments.connections),
        tls,
    };
    doors.fit_into(descriptors::raise());
    let http_options = HttpOptions { connections: doors.limits.http, ..http_options(&arguments)? };
    let clock = arguments.now.map_or(Clock::System, Clock::Fixed);
    let store_options = store_options(&arguments, clock.clone())?;
    let sample = if arguments.demo { Some(demo::directory(clock.now())?) } else { None };
    let data_dir = sample.as_ref().map_or(arguments.directory.data_dir.as_path(), |sample| sample.path());
    log_memory(&store_options, &arguments, &http_options);
    let recovery = Recovery::begin(data_dir, store_options)?;
    let runtime = Builder::new_multi_thread().enable_all().thread_stack_size(SQL_STACK_BYTES).build();
    let runtime = runtime.context("cannot start the server's threads")?;
    allocator::give_back_from_time_to_time();
    let sql_limits = SqlLimits { slow: arguments.slow_request(), ..arguments.sql_limits.limits() };
    runtime.block_on(hear_owner(data_dir, &access))?;
    let of_app = access.clone();
    let opening = move || Opened::open(recovery, clock, sql_limits, of_app);
    let drain_delay = Duration::from_secs(arguments.drain_delay.into());
    let serving = serve(Arc::new(doors), opening, access.clone(), http_options, drain_delay, sample.is_some());
    let served = runtime.block_on(serving);
    // Maintenance ends its round.
    let served = served.map(drop);
    if let Err(error) = access.write_uses() {
        tracing::warn!(%error, "it is not written down when tokens were used");
    }
    // Requests had their time to finish; those that still run are abandoned.
    runtime.shutdown_background();
    served.map(|()| ExitCode::SUCCESS)
}

/// What is there once the data directory has been read.
struct Opened {
    store: Arc<Store>,
    app: App,
    _maintenance: Maintenance,
}

impl Opened {
    fn open(recovery: Recovery, clock: Clock, sql_limits: SqlLimits, access: Access) -> Result<Self> {
        let store = Arc::new(recovery.finish()?);
        retention::warn_of_unknown_accounts(&store);
        let engine = Engine::new(Arc::clone(&store), clock, sql_limits)?;
        let maintenance = Maintenance::start(Arc::clone(&store)).context("cannot start the thread of maintenance")?;
        let app = App::new(Arc::clone(&store), engine, access).context("cannot start the server's threads")?;
        Ok(Self { store, app, _maintenance: maintenance })
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let folder = self.store.dead_letter_folder();
        for (reason, count) in self.store.dead_letters() {
            tracing::warn!(%reason, count, folder = %folder.display(), "events had no effect and were kept");
        }
    }
}

/// Tells in the log how much memory may be taken for what, since most of it follows from the machine's.
fn log_memory(store: &StoreOptions, arguments: &ServeArguments, http: &HttpOptions) {
    const MIB: u64 = 1 << 20;
    tracing::info!(
        memory_mib = memory_bytes() / MIB,
        hot_mib = store.hot_bytes / MIB,
        totals_mib = store.totals_bytes / MIB,
        sql_mib = arguments.sql_limits.limits().memory_bytes as u64 / MIB,
        report_mib = http.report_memory as u64 / MIB,
        body_mib = http.body_memory as u64 / MIB,
        "memory that may be taken"
    );
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

/// Hears what the owner of the data directory says, from now on.
async fn hear_owner(data_dir: &Path, access: &Access) -> Result<()> {
    match ControlSocket::bind(data_dir) {
        Ok(socket) => drop(tokio::spawn(socket.serve(access.clone()))),
        Err(error) => tracing::warn!(%error, "changes of tokens are seen when the server starts again"),
    }
    // A token may have been added before anybody could hear of it.
    Ok(access.reload()?)
}

/// The addresses that each protocol may listen on. The first free one is taken.
struct Doors {
    http: Vec<SocketAddr>,
    postgresql: Option<Vec<SocketAddr>>,
    flight: Option<Vec<SocketAddr>>,
    limits: DoorLimits,
    tls: Option<Tls>,
}

/// The limits of each protocol.
struct DoorLimits {
    http: ConnectionLimits,
    postgresql: ConnectionLimits,
    flight: ConnectionLimits,
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
    fn listen(&self, addresses: &[SocketAddr], scheme: Scheme) -> Result<(Listener, String)> {
        let wanted = || addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ");
        let listener = TcpListener::bind(addresses).with_context(|| format!("cannot listen on {}", wanted()))?;
        let address = listener.local_addr().context("cannot tell the server's address")?;
        let (before, after) = if self.tls.is_some() { scheme.encrypted } else { (scheme.plain, "") };
        Ok((Listener::new(listener, self.tls.clone()), format!("{before}://{address}{after}")))
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
struct Scheme {
    plain: &'static str,
    encrypted: (&'static str, &'static str),
}

const HTTP: Scheme = Scheme { plain: "http", encrypted: ("https", "") };
const POSTGRESQL: Scheme = Scheme { plain: "postgresql", encrypted: ("postgresql", "?sslmode=require") };
const FLIGHT: Scheme = Scheme { plain: "grpc", encrypted: ("grpc+tls", "") };

/// Listens at once, serves when the data directory has been read, and returns when the server was told to stop.
async fn serve(
    doors: Arc<Doors>,
    opening: impl FnOnce() -> Result<Opened> + Send + 'static,
    access: Access,
    http_options: HttpOptions,
    drain_delay: Duration,
    is_demo: bool,
) -> Result<Option<Opened>> {
    let (listener, url) = doors.listen(&doors.http, HTTP)?;
    let postgresql = doors.postgresql.as_deref().map(|addresses| doors.listen(addresses, POSTGRESQL)).transpose()?;
    let flight = doors.flight.as_deref().map(|addresses| doors.listen(addresses, FLIGHT)).transpose()?;
    let http = HttpServer::open(listener, http_options).context("cannot serve HTTP")?;
    let routes = http.routes();
    // Signals are handled before the URL is printed, so that the reader of the URL can already stop the server.
    let stop = stop_signal(drain_delay, routes.clone())?.shared();
    reload::when_told(doors.tls.clone(), access)?;
    if let Some(tls) = &doors.tls {
        tokio::spawn(tls.clone().watch());
    }
    systemd::recovering();
    let when_ready = async {
        let opening = tokio::task::spawn_blocking(opening);
        let opened = tokio::select! {
            opened = opening => opened.context("the data directory was not read")??,
            () = stop.clone() => return Ok(None),
        };
        let app = opened.app.clone();
        routes.go_live(app.clone());
        keep_announced(&doors, &opened.store, &url);
        let more = [&postgresql, &flight].into_iter().flatten();
        let urls = [&url].into_iter().chain(more.map(|(_, url)| url));
        urls.for_each(|url| output::print(url));
        if is_demo {
            print_curl(&url, doors.tls.is_some());
        }
        systemd::ready();
        let postgresql = postgresql
            .map(|(listener, _)| serve_postgresql(listener, app.clone(), doors.limits.postgresql, stop.clone()));
        let flight = flight.map(|(listener, _)| serve_flight_sql(listener, app, doors.limits.flight, stop.clone()));
        tokio::try_join!(
            async { OptionFuture::from(postgresql).await.transpose().context("the server for PostgreSQL failed") },
            async { OptionFuture::from(flight).await.transpose().context("the server for Flight SQL failed") },
        )?;
        Ok(Some(opened))
    };
    let http = async {
        http.serve(stop.clone()).await;
        Ok(())
    };
    // Told to stop, each of them first lets its answers finish for a while. Where one fails, the others end with it.
    tokio::try_join!(when_ready, http).map(|(opened, ())| opened)
}

/// Tells other processes where the server listens, and tells it again when its certificate changes.
fn keep_announced(doors: &Arc<Doors>, store: &Arc<Store>, url: &str) {
    doors.announce(store, url);
    if let Some(tls) = &doors.tls {
        let (weak, url) = ((Arc::downgrade(doors), Arc::downgrade(store)), url.to_owned());
        tls.when_changed(move || {
            if let (Some(doors), Some(store)) = (weak.0.upgrade(), weak.1.upgrade()) {
                doors.announce(&store, &url);
            }
        });
    }
}

fn print_curl(url: &str, is_encrypted: bool) {
    let account = demo::ACCOUNT;
    let query = "timeframe=60&interval=30&skillIds=1,2&v=1";
    let insecure = if is_encrypted { "--insecure " } else { "" };
    output::print(&format!("curl {insecure}'{url}/operations/api/account/{account}/msgskillsegments?{query}'"));
}

/// Completes `delay` after SIGINT or SIGTERM. Meanwhile what is `serving` says that it is not ready.
fn stop_signal(delay: Duration, serving: HttpRoutes) -> Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("shutting down; a second signal ends the process at once");
        systemd::stopping(delay);
        serving.stop();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            std::process::exit(1);
        });
        tokio::time::sleep(delay).await;
    })
}
