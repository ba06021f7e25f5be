//! Some rows, in a store and as files, with what the endpoint answers over them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use skillscope_query::{Clock, Engine, ReportRequest, Scope, SqlLimits};
use skillscope_segment::AccountId;
use skillscope_store::{Store, StoreOptions};
use skillscope_workload::{Workload, WorkloadOptions};
use tempfile::TempDir;

use crate::{Archive, Instants, Location, Question, Replay, Result, Summary};

pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// 2018-01-18T08:51:55.679Z, after which no row of [`rows`] ended.
pub(super) const END: i64 = 1_516_265_515_679;

/// What is asked, in the endpoint's words.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) account: Option<&'static str>,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) every: i64,
    pub(super) parameters: Vec<(&'static str, String)>,
    /// What was known then.
    pub(super) as_known: bool,
}

impl Asked {
    /// The last hour of one account, every twenty minutes of a day and an odd time, so that slices are not round.
    pub(super) fn plain() -> Self {
        let (from, to) = (END - DAY + 7, END);
        let parameters = vec![("timeframe", "60".to_owned())];
        Self { account: Some("account-1"), from, to, every: 20 * MINUTE, parameters, as_known: false }
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.parameters.push((name, value.to_owned()));
        self
    }

    pub(super) fn question(&self) -> Question {
        let instants = Instants::new(self.from, self.to, self.every).unwrap();
        let scope = self.account.map_or(Scope::All, |account| Scope::Account(AccountId::parse(account).unwrap()));
        let question = Question::new(scope, instants, &self.parameters).unwrap();
        if self.as_known { question.as_known() } else { question }
    }

    /// What the endpoint would have answered over these rows, as lines.
    pub(super) async fn answers(&self, rows: &RecordBatch) -> String {
        let directory = TempDir::new().unwrap();
        let engine = endpoint(directory.path(), rows);
        let mut lines = String::new();
        for now in self.instants() {
            lines.push_str(&self.answer(&engine, now).await);
        }
        lines
    }

    pub(super) fn instants(&self) -> impl Iterator<Item = i64> + use<> {
        let (to, every) = (self.to, self.every);
        std::iter::successors(Some(self.from), move |now| Some(now + every)).take_while(move |now| *now <= to)
    }

    /// What the endpoint answers at an instant, as lines.
    pub(super) async fn answer(&self, engine: &Engine, now: i64) -> String {
        let accounts = match self.account {
            Some(account) => vec![account],
            None => vec!["account-1", "account-2"],
        };
        let parameters: Vec<(&str, &str)> =
            self.parameters.iter().map(|(name, value)| (*name, value.as_str())).chain([("v", "1")]).collect();
        let mut lines = Vec::new();
        for account in accounts {
            let request = ReportRequest::from_parameters(account, now, &parameters).unwrap();
            let request = if self.as_known { request.as_known() } else { request };
            lines.extend(format!(r#"{{"account":"{account}","now":{now},"report":"#).into_bytes());
            engine.report(&request).await.unwrap().write_json(&mut lines);
            lines.extend(b"}\n");
        }
        String::from_utf8(lines).unwrap()
    }

    /// The same replayed, as lines.
    pub(super) async fn replayed(&self, archive: &Path) -> Result<String> {
        let folder = TempDir::new().unwrap();
        let out = folder.path().join("reports.ndjson");
        self.replay(archive, &out, false).await?;
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["reports.ndjson"], "nothing else is left");
        Ok(fs::read_to_string(out).unwrap())
    }

    pub(super) async fn replay(&self, archive: &Path, out: &Path, keep_going: bool) -> Result<Summary> {
        let archive = Archive::open(Location::Folder(archive.to_owned()), keep_going).await?;
        let replay = Replay::new(self.question(), archive, crate::PlanRunner::local()?, out)?;
        // So few that there are many stretches.
        replay.in_stretches_of(40.0).run(|_| ()).await
    }
}

/// An engine over a store of these rows.
fn endpoint(directory: &Path, rows: &RecordBatch) -> Engine {
    let store = store(directory, rows);
    Engine::new(Arc::new(store), Clock::Fixed(END), SqlLimits::default()).unwrap()
}

/// A store of these rows in memory, and in the archive as soon as that is asked for.
pub(super) fn store(directory: &Path, rows: &RecordBatch) -> Store {
    let (clock, hot_clock) = (Clock::Fixed(END), Clock::Fixed(END));
    let options = StoreOptions { clock, hot_clock, ..StoreOptions::default() };
    let store = Store::open_with(directory, options).unwrap();
    assert_eq!(store.append(rows).unwrap().accepted, rows.num_rows());
    store
}

/// Closed segments of two accounts over two days.
pub(super) fn rows(count: u64, seed: u64) -> RecordBatch {
    let accounts = ["account-1", "account-2"].map(|account| AccountId::parse(account).unwrap()).to_vec();
    let options = WorkloadOptions { rows: count, skills: 5, accounts, hours: 48, end: END, seed };
    let batches: Vec<_> = Workload::new(options).batches(10_000).map(|batch| batch.unwrap()).collect();
    concat_batches(&skillscope_segment::schema(), &batches).unwrap()
}

/// The rows in another order.
pub(super) fn shuffled(rows: &RecordBatch) -> RecordBatch {
    // 7919 is prime, and no number of rows here is a multiple of it.
    let count = rows.num_rows();
    let places: UInt32Array = (0..count).map(|row| u32::try_from(row * 7919 % count).unwrap()).collect();
    take_record_batch(rows, &places).unwrap()
}

/// Writes rows as one file with row groups of so many rows.
pub(super) fn write(path: &Path, rows: &RecordBatch, group: usize) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), rows.schema(), Some(properties)).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    path.to_owned()
}
