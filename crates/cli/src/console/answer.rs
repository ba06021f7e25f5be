//! Running one statement: its rows, its progress, its time, and its end by Ctrl-C.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use skillscope_query::definition_tag;
use tokio::time::{MissedTickBehavior, interval};

use super::settings::Settings;
use super::sink::Sink;
use super::source::{Rows, Source};
use crate::output;

/// A statement that takes longer than this shows its progress.
const PATIENCE: Duration = Duration::from_millis(800);

/// How often the progress is updated.
const PERIOD: Duration = Duration::from_millis(400);

/// Runs a statement and writes its rows. Ctrl-C ends the statement, but not the console.
pub(super) async fn answer(source: &Source, settings: &Settings, text: &str) -> Result<()> {
    let started = Instant::now();
    let progress = Progress::new(started);
    let mut rows = 0;
    let done = tokio::select! {
        biased;
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Into::into).and_then(|()| bail!("the statement was ended")),
        done = write(source, settings, text, &progress, &mut rows) => done,
        // This branch never completes.
        () = progress.watch(source, text) => Ok(()),
    };
    progress.clear();
    done?;
    if settings.has_timing {
        output::print(&format!("time: {:.3} ms", started.elapsed().as_secs_f64() * 1000.0));
    }
    Ok(())
}

async fn write(source: &Source, settings: &Settings, text: &str, progress: &Progress, count: &mut usize) -> Result<()> {
    let mut rows: Rows = source.run(text).await?;
    if rows.schema().fields().is_empty()
        && let Some(tag) = definition_tag(text)
    {
        // It has been carried out: there are no rows.
        rows.notice().into_iter().for_each(|notice| output::complain(&format!("NOTICE: {notice}")));
        output::print(tag);
        return Ok(());
    }
    let mut sink = Sink::open(settings, &rows.schema())?;
    while let Some(batch) = rows.next().await? {
        *count += batch.num_rows();
        progress.received(*count);
        if let Err(error) = sink.write(&batch) {
            return forgive_closed_pipe(error);
        }
    }
    progress.clear();
    sink.finish().or_else(forgive_closed_pipe)
}

/// It is no error if the reader of the rows has gone away.
fn forgive_closed_pipe(error: anyhow::Error) -> Result<()> {
    match error.downcast_ref::<io::Error>() {
        Some(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    }
}

/// The progress line below a statement that takes long.
struct Progress {
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    fn new(started: Instant) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise}  {msg}  (Ctrl-C ends it)") {
            bar.set_style(style);
        }
        Self { bar, started }
    }

    fn received(&self, rows: usize) {
        self.bar.set_length(rows as u64);
    }

    /// Shows how many rows the statement has read, from the list of running statements, until it is dropped.
    async fn watch(&self, source: &Source, text: &str) {
        if !io::stderr().is_terminal() {
            return std::future::pending().await;
        }
        tokio::time::sleep(PATIENCE).await;
        self.bar.set_elapsed(self.started.elapsed());
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let read = rows_read(source, text).await.unwrap_or(0);
            let received = self.bar.length().unwrap_or(0);
            self.bar.set_message(format!("{read} rows read, {received} received"));
            self.bar.tick();
        }
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

async fn rows_read(source: &Source, text: &str) -> Option<u64> {
    let quoted = text.replace('\'', "''");
    let question = format!("select max(rows_read) from system.queries where query = '{quoted}'");
    let batches = source.all(&question).await.ok()?;
    let column = batches.first()?.columns().first()?.as_primitive_opt::<UInt64Type>()?;
    column.iter().next().flatten()
}
