//! The options of `replay`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use skillscope_replay::Location;
use skillscope_segment::AccountId;

use super::client::ClientArguments;
use super::instant::instant;

#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// The segments to report on: a data directory, also one that a server has open, or a folder or s3://bucket/prefix
    /// with Parquet files of segments.
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX", value_parser = Location::from_str)]
    pub(crate) archive: Location,
    /// Report on this account alone, also where it has no segments.
    #[arg(long, value_name = "ID", value_parser = AccountId::parse)]
    pub(crate) account: Option<AccountId>,
    /// The first instant to report at (RFC 3339, or milliseconds since the epoch).
    #[arg(long, value_name = "INSTANT", value_parser = instant, required_unless_present = "into")]
    pub(crate) from: Option<i64>,
    /// The last instant to report at [default: the first]
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub(crate) to: Option<i64>,
    /// The time from one report to the next, such as 5m, 1h, 30s, 500ms or 1d.
    #[arg(long, value_name = "TIME", default_value = "5m")]
    pub(crate) every: TimeStep,
    /// The length of the time that each report covers, in minutes: 1 to 1440.
    #[arg(long, value_name = "MINUTES", required_unless_present = "into")]
    pub(crate) timeframe: Option<String>,
    /// Split each report into intervals of this many minutes: at least 5, and a divisor of the timeframe.
    #[arg(long, value_name = "MINUTES")]
    pub(crate) interval: Option<String>,
    /// The skills to report on, such as 4,153 [default: all that have segments]
    #[arg(long, value_name = "IDS", allow_hyphen_values = true)]
    pub(crate) skill_ids: Option<String>,
    /// The user types to count: human, bot or all.
    #[arg(long, value_name = "TYPE")]
    pub(crate) user_type: Option<String>,
    /// Count in each report what had arrived by its instant, as the server answered then, and not what has come late
    /// since. Segments that do not tell when they arrived always count.
    #[arg(long, conflicts_with = "into")]
    pub(crate) as_known: bool,
    /// The file to write: a line of JSON for each report, or a row for each set of metrics. It appears when it is
    /// complete.
    #[arg(long, value_name = "FILE.ndjson|FILE.parquet", required_unless_present = "into")]
    pub(crate) out: Option<PathBuf>,
    /// Leave out files that cannot be read, and rows that no report can count, and list them at the end.
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Send the plans to the Ballista cluster with this scheduler, which must see the archive under the same name.
    #[arg(long, value_name = "df://HOST:PORT", conflicts_with = "into")]
    pub(crate) ballista: Option<String>,
    /// Write no reports, but send segments to the server at this URL as if they were closing now: those that ended from
    /// --from to --to, or all.
    #[arg(long, value_name = "URL", conflicts_with_all = ["out", "timeframe", "interval", "skill_ids", "user_type"])]
    pub(crate) into: Option<String>,
    #[command(flatten)]
    pub(crate) client: ClientArguments,
    /// The speed at which --into sends segments: 60 sends those of an hour in a minute.
    #[arg(long, value_name = "TIMES", default_value_t = Speed(1.0))]
    pub(crate) speed: Speed,
}

/// A speed, as a multiple of that of real time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Speed(pub(crate) f64);

impl FromStr for Speed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let times = text.parse().ok().filter(|times: &f64| *times > 0.0 && times.is_finite());
        times.map(Self).ok_or("it is a number above 0")
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The time from one report to the next, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeStep(pub(crate) i64);

impl FromStr for TimeStep {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RULE: &str = "it is a whole number and a unit: ms, s, m, h or d";
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or(RULE)?;
        let (number, unit) = text.split_at(digits);
        let unit = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(RULE),
        };
        let ms = number.parse::<i64>().ok().and_then(|number| number.checked_mul(unit));
        ms.filter(|ms| *ms > 0).map(Self).ok_or(RULE)
    }
}
