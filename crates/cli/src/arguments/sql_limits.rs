//! The options that limit SQL, for `serve` and `sql`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use skillscope_query::SqlLimits;

/// The limits of SQL. Reports have threads and memory of their own.
#[derive(Debug, Args)]
pub(crate) struct SqlLimitArguments {
    /// Memory that all SQL statements together may use, in bytes; beyond it they spill to disk [default: 14 % of
    /// the machine's]
    #[arg(long, value_name = "BYTES")]
    sql_memory: Option<usize>,
    /// Disk space that SQL statements may spill to, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = SqlLimits::SPILL_BYTES)]
    sql_spill: u64,
    /// The folder that SQL statements spill to [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    sql_spill_dir: Option<PathBuf>,
    /// How long a SQL statement may take.
    #[arg(long, value_name = "SECONDS", default_value_t = SqlLimits::SECONDS, value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    sql_time_limit: u64,
    /// How many SQL statements run at a time; one more waits a few seconds for its turn.
    #[arg(long, value_name = "NUMBER", default_value_t = SqlLimits::RUNNING as u64, value_parser = clap::value_parser!(u64).range(1..=1024))]
    sql_queries: u64,
    /// How long the rows of a SQL statement wait for a client that takes none, before the statement is ended [default:
    /// 60; in the console, and always over PostgreSQL, as long as a statement may take]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    sql_stall_limit: Option<u64>,
}

impl SqlLimitArguments {
    pub(crate) fn limits(&self) -> SqlLimits {
        let defaults = SqlLimits::default();
        SqlLimits {
            memory_bytes: self.sql_memory.unwrap_or(defaults.memory_bytes),
            spill_folder: self.sql_spill_dir.clone(),
            spill_bytes: self.sql_spill,
            time: Duration::from_secs(self.sql_time_limit),
            running: usize::try_from(self.sql_queries).unwrap_or(usize::MAX),
            stall: self.sql_stall_limit.map_or(defaults.stall, Duration::from_secs),
            ..defaults
        }
    }

    /// The limits of a console, where nobody waits for another: somebody may read page by page.
    pub(crate) fn limits_of_console(&self) -> SqlLimits {
        let limits = self.limits();
        SqlLimits { stall: self.sql_stall_limit.map_or(limits.time, Duration::from_secs), ..limits }
    }
}
