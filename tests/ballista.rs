//! A stock Ballista cluster, with a scheduler and executors of their own processes.
//!
//! `BALLISTA_PROGRAMS` names a folder with `ballista-scheduler`, `ballista-executor`, and a `skillscope` that was built
//! with the feature `ballista`; `.ci/ballista` makes one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Output;

use tempfile::TempDir;

use crate::binary::{skipped, stderr, succeed};
use crate::foreign;
use crate::process::{Running, free_port, listens, until};

/// A scheduler with executors; ended when it is dropped.
struct Cluster {
    processes: Vec<Running>,
    url: String,
    binaries: PathBuf,
}

impl Cluster {
    /// `None`, visibly, where there can be none.
    fn start(test: &str, executors: usize, folder: &Path) -> Option<Self> {
        let Some(binaries) = std::env::var_os("BALLISTA_PROGRAMS").map(PathBuf::from) else {
            skipped(test, "BALLISTA_PROGRAMS names no folder with Ballista's programs; .ci/ballista makes one");
            return None;
        };
        let scheduler_port = free_port();
        let mut cluster = Self { processes: Vec::new(), url: format!("df://127.0.0.1:{scheduler_port}"), binaries };
        let common = ["--bind-host", "127.0.0.1", "--external-host", "127.0.0.1"];
        let log = folder.join("scheduler.log");
        cluster.spawn("ballista-scheduler", &log, common.into_iter().chain(["-p", &scheduler_port]));
        until("the scheduler listens", || listens(&scheduler_port));
        for number in 0..executors {
            let (log, work) = (folder.join(format!("executor-{number}.log")), folder.join(format!("work-{number}")));
            fs::create_dir(&work).unwrap();
            let ports = [free_port(), free_port(), free_port()];
            let own = [
                "--scheduler-host",
                "127.0.0.1",
                "--scheduler-port",
                &scheduler_port,
                "-p",
                &ports[0],
                "--bind-grpc-port",
                &ports[1],
                "--bind-health-port",
                &ports[2],
                "-c",
                "1",
                "--work-dir",
                work.to_str().unwrap(),
            ];
            cluster.spawn("ballista-executor", &log, common.into_iter().chain(own));
            until("the executor listens", || listens(&ports[0]));
        }
        Some(cluster)
    }

    fn spawn<'a>(&mut self, program: &str, log: &Path, arguments: impl Iterator<Item = &'a str>) {
        let log = File::create(log).unwrap();
        let mut command = foreign::command(self.binaries.join(program));
        command.args(arguments).stdout(log.try_clone().unwrap()).stderr(log);
        self.processes.push(Running(command.spawn().unwrap()));
    }

    /// Runs a command of the binary that knows Ballista.
    fn run(&self, options: &str) -> Output {
        let mut command = foreign::command(self.binaries.join("skillscope"));
        command.args(options.split_whitespace()).args(["--ballista", &self.url]).output().unwrap()
    }
}

#[test]
fn a_cluster_gives_the_same_bytes_over_files_and_over_a_data_directory() {
    let folder = TempDir::new().unwrap();
    let name = "a_cluster_gives_the_same_bytes_over_files_and_over_a_data_directory";
    let Some(cluster) = Cluster::start(name, 2, folder.path()) else { return };
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    for (number, end) in ["2018-01-16T00:00:00Z", "2018-01-17T00:00:00Z"].into_iter().enumerate() {
        let out = files.join(format!("{number}.parquet")).display().to_string();
        let generate = format!("generate segments --rows 5000 --accounts 2 --hours 24 --end {end} --out {out}");
        succeed(generate.split_whitespace());
    }
    // Some rows of the data directory are in no file: the last of what was generated ended just now.
    let directory = folder.path().join("data").display().to_string();
    let hours = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let recent = folder.path().join("recent.parquet").display().to_string();
    let generate =
        format!("generate segments --rows 3000 --accounts 2 --hours 30 --seed 7 --end {hours} --out {recent}");
    succeed(generate.split_whitespace());
    succeed(["import", "segments", &recent, "--data-dir", &directory]);
    let unarchived = "select sum(unsealed_rows) > 0 as some from system.partitions";
    let some = succeed(["sql", "--data-dir", &directory, "--format", "csv", "-c", unarchived]);
    assert_eq!(some, "some\ntrue\n", "there are rows in no file");

    let now = i64::try_from(hours).unwrap();
    let over_files = "--from 2018-01-15T06:00:00.123Z --to 2018-01-17T06:00:00Z --every 1234s".to_owned();
    let over_directory = format!("--from {} --to {now} --every 47m", now - 86_400_000);
    for (archive, instants) in [(files.to_str().unwrap(), over_files), (&directory, over_directory)] {
        for shape in
            ["--timeframe 1440", "--account account-2 --timeframe 120 --interval 30 --user-type human --skill-ids 1,3"]
        {
            let (here, there) = (folder.path().join("here.ndjson"), folder.path().join("there.ndjson"));
            let options = format!("replay --archive {archive} {instants} {shape} --out ");
            succeed(format!("{options}{}", here.display()).split_whitespace());
            let output = cluster.run(&format!("{options}{}", there.display()));
            assert!(output.status.success(), "{}", stderr(&output));
            assert!(fs::read(&here).unwrap() == fs::read(&there).unwrap(), "{archive} {shape}: the bytes differ");
            assert!(fs::read_to_string(&here).unwrap().contains("\"1\":{\"totalSkill"));
        }
    }
}

#[test]
fn a_cluster_answers_statements_over_an_archive() {
    let folder = TempDir::new().unwrap();
    let Some(cluster) = Cluster::start("a_cluster_answers_statements_over_an_archive", 1, folder.path()) else {
        return;
    };
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    let out = files.join("a.parquet").display().to_string();
    let generate = format!("generate segments --rows 4000 --accounts 2 --end 2018-01-16T00:00:00Z --out {out}");
    succeed(generate.split_whitespace());
    let statement = folder.path().join("statement");
    fs::write(
        &statement,
        "select account_id, outcome, count(*) as n, avg(agent_messages) as messages from segments group by 1, 2 order by 1, 2;",
    )
    .unwrap();
    let ask = |program: &Path, more: &[&str]| {
        let options = ["sql", "--archive", files.to_str().unwrap(), "--format", "csv"];
        let mut command = foreign::command(program);
        command.args(options).args(more).stdin(File::open(&statement).unwrap());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let binary = cluster.binaries.join("skillscope");
    let there = ask(&binary, &["--ballista", &cluster.url]);
    assert_eq!(there, ask(&binary, &[]));
    assert_eq!(there.lines().count(), 1 + 2 * 4, "{there}");
}

#[test]
fn a_cluster_that_is_not_there_is_told() {
    let folder = TempDir::new().unwrap();
    let Some(mut cluster) = Cluster::start("a_cluster_that_is_not_there_is_told", 0, folder.path()) else { return };
    cluster.url = "df://127.0.0.1:1".to_owned();
    let out = folder.path().join("a.parquet").display().to_string();
    succeed(format!("generate segments --rows 100 --end 2018-01-16T00:00:00Z --out {out}").split_whitespace());
    let reports = folder.path().join("o.ndjson").display().to_string();
    let output =
        cluster.run(&format!("replay --archive {out} --from 2018-01-16T00:00:00Z --timeframe 1440 --out {reports}"));
    let told = "the cluster at df://127.0.0.1:1 did not answer";
    assert!(output.status.code() == Some(1) && stderr(&output).contains(told), "{}", stderr(&output));
}
