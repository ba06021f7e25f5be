//! The command `serve`: opens the store, and serves it by HTTP, PostgreSQL's protocol and Flight SQL until a signal
//! comes. It listens from the beginning, and says that it is not ready until the store has been read.

mod doors;
mod opened;
mod options;
mod reload;
mod retention;
mod stop;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::FutureExt;
use futures::future::OptionFuture;
use rustix::fs::Mode;
use rustix::process::umask;
use skillscope_query::Clock;
use skillscope_server::{Access, ControlSocket, HttpOptions, HttpServer, serve_flight_sql, serve_postgresql};
use skillscope_store::Recovery;
use tokio::runtime::Builder;

use crate::arguments::ServeArguments;
use crate::demo::{self, Demo};
use crate::threads::SQL_STACK_BYTES;
use crate::{allocator, output, systemd};
use doors::{Doors, FLIGHT, HTTP, POSTGRESQL};
use opened::Opened;
use options::Options;
use stop::stop_signal;

/// Serves a data directory until the process is told to stop.
pub(crate) fn run(arguments: ServeArguments) -> Result<ExitCode> {
    if arguments.retain_dry_run {
        return retention::dry_run(&arguments.directory.data_dir, retention::of(&arguments)?);
    }
    // Whatever the server writes is its owner's alone, also what statements spill to disk.
    umask(Mode::RWXG | Mode::RWXO);
    let access =
        if arguments.demo { Access::of_anybody()? } else { Access::of_directory(&arguments.directory.data_dir)? };
    let doors = Doors::of(&arguments, arguments.tls.open()?, access.asks())?;
    let clock = arguments.now.map_or(Clock::System, Clock::Fixed);
    let options = Options::of(&arguments, clock.clone(), doors.limits.http)?;
    let demo = if arguments.demo { Some(Demo::at(clock.clone())?) } else { None };
    let data_dir = demo.as_ref().map_or(arguments.directory.data_dir.as_path(), Demo::directory);
    options.log_memory();
    let Options { store, http, sql } = options;
    let recovery = Recovery::begin(data_dir, store)?;
    let runtime = Builder::new_multi_thread().enable_all().thread_stack_size(SQL_STACK_BYTES).build();
    let runtime = runtime.context("cannot start the server's threads")?;
    allocator::give_back_from_time_to_time();
    runtime.block_on(hear_owner(data_dir, &access))?;
    let of_app = access.clone();
    let quiet_after = arguments.quiet_after.0;
    let opening = move || Opened::open(recovery, clock, sql, of_app, quiet_after);
    let drain_delay = Duration::from_secs(arguments.drain_delay.into());
    let serving = serve(Arc::new(doors), opening, access.clone(), http, drain_delay, demo.as_ref());
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

/// Hears what the owner of the data directory says, from now on.
async fn hear_owner(data_dir: &Path, access: &Access) -> Result<()> {
    match ControlSocket::bind(data_dir) {
        Ok(socket) => drop(tokio::spawn(socket.serve(access.clone()))),
        Err(error) => tracing::warn!(%error, "changes of tokens are seen when the server starts again"),
    }
    // A token may have been added before anybody could hear of it.
    Ok(access.reload()?)
}

/// Listens at once, serves when the data directory has been read, and returns when the server was told to stop.
async fn serve(
    doors: Arc<Doors>,
    opening: impl FnOnce() -> Result<Opened> + Send + 'static,
    access: Access,
    http_options: HttpOptions,
    drain_delay: Duration,
    demo: Option<&Demo>,
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
        doors.keep_announced(&opened.store, &url);
        let more = [&postgresql, &flight].into_iter().flatten();
        let urls = [&url].into_iter().chain(more.map(|(_, url)| url));
        urls.for_each(|url| output::print(url));
        if demo.is_some() {
            print_curl(&url, doors.tls.is_some());
        }
        systemd::ready();
        let postgresql = postgresql
            .map(|(listener, _)| serve_postgresql(listener, app.clone(), doors.limits.postgresql, stop.clone()));
        let flight = flight.map(|(listener, _)| serve_flight_sql(listener, app, doors.limits.flight, stop.clone()));
        let going_on = demo.map(|demo| demo.go_on(&opened.store, stop.clone()));
        tokio::try_join!(
            async { Ok(OptionFuture::from(going_on).await) },
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

fn print_curl(url: &str, is_encrypted: bool) {
    let account = demo::ACCOUNT;
    let query = "timeframe=60&interval=30&skillIds=1,2&v=1";
    let insecure = if is_encrypted { "--insecure " } else { "" };
    output::print(&format!("curl {insecure}'{url}/operations/api/account/{account}/msgskillsegments?{query}'"));
}
