//! One line of the list of archive files.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use skillscope_segment::AccountId;

use super::verified::Verified;
use crate::calendar::{HOUR_MS, day_of};
use crate::error::Result;
use crate::rows::run::Cut;

/// One line of the list of archive files. Times are milliseconds since the epoch, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    /// No other file has or had this number.
    pub(crate) number: u64,
    pub(crate) account: String,
    /// The first and the last hour of `end_time` in the file, both of the same day.
    pub(crate) first_hour: i64,
    pub(crate) last_hour: i64,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// XXH3 of the file's bytes.
    pub(crate) checksum: u64,
    pub(crate) end_times: (i64, i64),
    pub(crate) skills: (i64, i64),
    /// When it was written, by the store's clock.
    pub(crate) written: i64,
    /// The checksums of its blocks, which have a table of their own; `None` for a file of an older program that was not
    /// read since.
    #[serde(skip)]
    pub(crate) verified: Option<Verified>,
    /// When it was found to have expired: a retired file that is to be kept for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expired: Option<i64>,
    /// Whether it has the column that tells when its rows arrived, which files of older programs lack.
    #[serde(default)]
    pub(crate) has_arrival_time: bool,
}

impl FileRecord {
    /// Where the file stands, below the data directory: `archive/account=A/date=YYYY-MM-DD/HH-N.parquet`, or
    /// `HH-HH-N.parquet` where it has several hours of the day.
    pub(crate) fn path(&self) -> PathBuf {
        let (first, last) = (time(self.first_hour), time(self.last_hour));
        let hours = if self.first_hour == self.last_hour {
            first.format("%H").to_string()
        } else {
            format!("{}-{}", first.format("%H"), last.format("%H"))
        };
        Path::new("archive")
            .join(format!("account={}", self.account))
            .join(first.format("date=%Y-%m-%d").to_string())
            .join(format!("{hours}-{:08}.parquet", self.number))
    }

    /// The first millisecond of the UTC day.
    pub(crate) fn day(&self) -> i64 {
        day_of(self.first_hour)
    }

    /// The first millisecond after all of the file's hours.
    pub(crate) fn end(&self) -> i64 {
        self.last_hour.saturating_add(HOUR_MS)
    }

    pub(crate) fn covers(&self, hour: i64) -> bool {
        (self.first_hour..=self.last_hour).contains(&hour)
    }

    pub(crate) fn hours(&self) -> impl Iterator<Item = i64> + use<> {
        (self.first_hour..=self.last_hour).step_by(HOUR_MS as usize)
    }

    pub(crate) fn account(&self) -> Result<AccountId> {
        Ok(AccountId::parse(&self.account)?)
    }

    pub(crate) fn end_times(&self) -> RangeInclusive<i64> {
        self.end_times.0..=self.end_times.1
    }

    pub(crate) fn skills(&self) -> RangeInclusive<i64> {
        self.skills.0..=self.skills.1
    }
}

fn time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

impl FileRecord {
    /// The record of a file without rows, for the account and hour of `cut`.
    pub(crate) fn empty(number: u64, cut: &Cut) -> Self {
        Self {
            number,
            account: cut.account.to_string(),
            first_hour: cut.hour,
            last_hour: cut.hour,
            rows: 0,
            bytes: 0,
            checksum: 0,
            end_times: (i64::MAX, i64::MIN),
            skills: (i64::MAX, i64::MIN),
            written: 0,
            verified: None,
            expired: None,
            has_arrival_time: true,
        }
    }

    /// Counts rows that the file has too.
    pub(crate) fn add(&mut self, cut: &Cut) {
        let (end_times, skills) = (cut.run.end_times.clone().into_inner(), cut.run.skills.clone().into_inner());
        let (rows, first_hour, last_hour) = (cut.run.rows() as u64, cut.hour, cut.hour);
        self.absorb(&Self { rows, first_hour, last_hour, end_times, skills, ..self.clone() });
    }

    /// The record of a file of the rows of some files of one account and day; `None` where there are none.
    pub(crate) fn of_merged<'f>(files: impl IntoIterator<Item = &'f Self>) -> Option<Self> {
        let mut files = files.into_iter();
        let mut merged = files.next()?.clone();
        files.for_each(|file| merged.absorb(file));
        merged.has_arrival_time = true;
        Some(merged)
    }

    /// Counts the rows of another file of the same account and day.
    fn absorb(&mut self, other: &Self) {
        self.rows += other.rows;
        self.first_hour = self.first_hour.min(other.first_hour);
        self.last_hour = self.last_hour.max(other.last_hour);
        self.end_times = (self.end_times.0.min(other.end_times.0), self.end_times.1.max(other.end_times.1));
        self.skills = (self.skills.0.min(other.skills.0), self.skills.1.max(other.skills.1));
    }
}
