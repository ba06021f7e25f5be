//! Times in zones, compared with PostgreSQL's own answers to the same statements.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::binary::{Server, serve, skipped, stderr};
use crate::foreign;
use crate::sample;

/// Where Debian has the programs of PostgreSQL's server.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// A PostgreSQL of its own, in a temporary folder, over a Unix socket.
struct RealPostgresql {
    folder: TempDir,
}

impl RealPostgresql {
    /// `None`, visibly, where there is none.
    fn start(test: &str) -> Option<Self> {
        if !Path::new(PROGRAMS).join("initdb").exists() {
            skipped(test, &format!("{PROGRAMS} is not here: Debian's package postgresql-15 brings it"));
            return None;
        }
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        if is_root() {
            // It refuses to be run by root.
            let owner = Command::new("chown").args(["-R", "postgres"]).arg(folder.path()).status();
            if !owner.is_ok_and(|status| status.success()) {
                skipped(test, "PostgreSQL does not run as root, and there is no user postgres");
                return None;
            }
        }
        let it = Self { folder };
        let data = data.to_str().unwrap();
        it.succeed("initdb", &["-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "--locale=C.UTF-8"]);
        let options = format!("-k {} -c listen_addresses= -c fsync=off -c timezone=UTC", it.socket().display());
        let log = it.folder.path().join("log");
        it.succeed("pg_ctl", &["-D", data, "-w", "-l", log.to_str().unwrap(), "-o", &options, "start"]);
        Some(it)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn program(&self, name: &str) -> Command {
        let program = Path::new(PROGRAMS).join(name);
        if !is_root() {
            return foreign::command(program);
        }
        let mut command = foreign::command("runuser");
        command.args(["-u", "postgres", "--"]).arg(program).current_dir(self.folder.path());
        command
    }

    fn succeed(&self, name: &str, arguments: &[&str]) {
        let status = self.program(name).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "{name} {arguments:?}");
    }

    fn ask(&self, statement: &str) -> String {
        asked(foreign::command("psql").args(["-h", self.socket().to_str().unwrap(), "-U", "postgres"]), statement)
    }
}

impl Drop for RealPostgresql {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        let _ = self.program("pg_ctl").args(["-D", data.to_str().unwrap(), "-m", "immediate", "stop"]).output();
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

fn asked(psql: &mut Command, statement: &str) -> String {
    let output = psql.args(["-X", "-At", "-v", "ON_ERROR_STOP=1", "-c", statement]).output().unwrap();
    assert!(output.status.success(), "{statement}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Europe/London",
    "UTC",
];

/// Times around every change of the clocks in these zones, and some others, as texts.
fn times() -> String {
    let days = [
        "2018-03-11",
        "2018-03-25",
        "2018-04-01",
        "2018-10-07",
        "2018-10-28",
        "2018-11-04",
        "2018-02-18",
        "2011-12-30",
    ];
    let hours =
        (0..24).flat_map(|hour| [format!("{hour:02}:00:00"), format!("{hour:02}:29:59.5"), format!("{hour:02}:45:00")]);
    let hours: Vec<String> = hours.collect();
    let times = days.iter().flat_map(|day| hours.iter().map(move |hour| format!("('{day} {hour}')")));
    times
        .chain(["('1969-12-31 23:59:59')".to_owned(), "('2040-02-29 12:00:00')".to_owned()])
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn times_in_zones_are_those_of_postgresql() {
    let test = "times_in_zones_are_those_of_postgresql";
    if !foreign::is_here(test, "psql", "postgresql-client") {
        return;
    }
    let Some(real) = RealPostgresql::start(test) else { return };
    let folder = TempDir::new().unwrap();
    sample::import_into(folder.path());
    let options = ["--data-dir", folder.path().to_str().unwrap(), "--pg-listen", "127.0.0.1:0"];
    let mut server = Server::spawn(serve().args(options));
    let port = server.line().strip_prefix("postgresql://127.0.0.1:").unwrap().to_owned();
    let ours = |statement: &str| {
        let mut psql = foreign::command("psql");
        asked(psql.args(["-h", "127.0.0.1", "-U", "analyst", "-p", &port, "-d", "account-1"]), statement)
    };
    let (times, units) = (times(), ["minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century"]);
    let mut statements = Vec::new();
    for zone in ZONES {
        let utc = "(t || '+00')::timestamptz";
        let mut columns = vec![format!("{utc} at time zone '{zone}'"), format!("t::timestamp at time zone '{zone}'")];
        columns.extend(units.iter().map(|unit| format!("date_trunc('{unit}', {utc}, '{zone}')")));
        columns.push(format!(
            "date_bin('1 day', {utc} at time zone '{zone}', timestamp '2001-01-01') at time zone '{zone}'"
        ));
        columns.push(format!("({utc} at time zone '{zone}' + interval '1 day') at time zone '{zone}'"));
        columns.push(format!("{utc} + interval '1 month 1 day 1 hour'"));
        let columns = columns.iter().map(|column| format!("({column})::text")).collect::<Vec<_>>().join(", ");
        statements.push(format!("select {columns} from (values {times}) as x(t) order by t"));
    }
    for series in [
        "generate_series(1, 5)",
        "generate_series(5, 1, -2)",
        "generate_series(1, 0)",
        "generate_series(timestamp '2018-03-24', timestamp '2018-03-27', interval '1 day')",
        "generate_series('2018-01-31'::timestamp, '2018-06-01', '1 month')",
        "generate_series(timestamptz '2018-03-25 00:00:00+00', timestamptz '2018-03-25 06:00:00+00', interval '90 minutes')",
        "generate_series((select min(y) from (values (3), (4)) as v(y)), 6)",
        "generate_series((select timestamp '2018-01-01'), timestamp '2018-01-02', interval '6 hours')",
    ] {
        statements.push(format!("select g::text from {series} as g order by 1"));
        statements.push(format!("select count(*), min(generate_series)::text from {series}"));
        statements.push(format!("select x.v::text from {series} as x(v) order by 1"));
    }
    statements.push("select generate_series(1, 3)".to_owned());
    statements.push(
        "select generate_series(timestamp '2018-01-01', timestamp '2018-01-03', interval '1 day')::date::text as day"
            .to_owned(),
    );
    for statement in statements {
        assert_eq!(ours(&statement), real.ask(&statement), "{statement}");
    }
}
