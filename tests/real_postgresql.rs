//! PostgreSQL 15 itself, of Debian, in a folder of a test's own.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::binary::{skipped, stderr};
use crate::foreign;

/// Where Debian has its programs.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// Whom it runs as where the tests run as root, as whom it does not run.
const NOBODY: u32 = 65_534;

/// A server that ends with this value. It is reached by a socket in its folder alone.
pub(crate) struct RealPostgresql {
    folder: TempDir,
}

impl RealPostgresql {
    /// `None`, visibly, where it cannot be had.
    pub(crate) fn start(test: &str) -> Option<Self> {
        let is_there = || Path::new(PROGRAMS).join("initdb").exists();
        let is_had = is_there() || (foreign::install("postgresql-15") && is_there());
        if !is_had {
            skipped(test, "PostgreSQL 15 is not here, and Debian's package postgresql-15 cannot be installed");
            return None;
        }
        let folder = TempDir::new().unwrap();
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let server = Self { folder };
        let data = server.data();
        server.must("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]);
        let socket = server.folder.path().display();
        let options = format!("-c listen_addresses= -c fsync=off -c timezone=UTC -k {socket}");
        let log = server.folder.path().join("log");
        server.must("pg_ctl", &["-D", &data, "-o", &options, "-l", log.to_str().unwrap(), "-w", "start"]);
        Some(server)
    }

    /// Runs statements, and gives what they print.
    #[track_caller]
    pub(crate) fn run(&self, statements: &str) -> String {
        let output = self.psql(statements, "1");
        assert!(output.status.success(), "{statements}: {}", stderr(&output));
        printed(&output)
    }

    /// The same where some are meant to fail.
    pub(crate) fn run_despite_errors(&self, statements: &str) -> String {
        printed(&self.psql(statements, "0"))
    }

    fn psql(&self, statements: &str, stops: &str) -> Output {
        let file = self.folder.path().join("statements.sql");
        fs::write(&file, statements).unwrap();
        let mut psql = foreign::command("psql");
        psql.args(["-X", "-q", "-At", "-U", "postgres", "-d", "postgres", "-h"]).arg(self.folder.path());
        psql.args(["-v", &format!("ON_ERROR_STOP={stops}"), "-f"]).arg(file);
        psql.output().unwrap()
    }

    fn data(&self) -> String {
        self.folder.path().join("data").to_str().unwrap().to_owned()
    }

    fn command(&self, program: &str) -> Command {
        let program: PathBuf = Path::new(PROGRAMS).join(program);
        let mut command = if is_root() {
            let mut command = foreign::command("setpriv");
            let nobody = NOBODY.to_string();
            command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]).arg(program);
            command
        } else {
            foreign::command(program)
        };
        command.current_dir(self.folder.path());
        command
    }

    #[track_caller]
    fn must(&self, program: &str, arguments: &[&str]) {
        // Its server keeps what it is given to write to, so that nothing is read of it.
        let status = self.command(program).args(arguments).stdout(std::process::Stdio::null()).status().unwrap();
        assert!(status.success(), "{program} {arguments:?}");
    }
}

impl Drop for RealPostgresql {
    fn drop(&mut self) {
        let _ = self.command("pg_ctl").args(["-D", &self.data(), "-m", "immediate", "stop"]).output();
    }
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
