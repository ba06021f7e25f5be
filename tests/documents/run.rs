//! A document under way: its folder, its servers, and what differed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::comparison::is_shown;
use super::markdown::{Action, steps};
use super::root;
use super::server::BackgroundServer;
use crate::binary::{in_plain_environment, skipped};
use crate::python;

/// Parts of commands that are shown and not run, and why.
pub(super) const NOT_RUN: &[(&str, &str)] = &[
    ("cargo test", "it is running"),
    ("cargo install", "it builds for twenty minutes"),
    ("ballista-scheduler ", "it belongs to a machine of its own; tests/ballista.rs starts one"),
    ("ballista-executor ", "it belongs to a machine of its own; tests/ballista.rs starts one"),
    ("s3://", "there is no such bucket; tests/replay.rs asks one of its own"),
];

/// Libraries that scripts import, with what is installed for each.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("duckdb", &[python::DUCKDB, python::PYARROW]),
    ("psycopg", &[python::PSYCOPG]),
    ("adbc_driver_postgresql", &[python::ADBC_POSTGRESQL, python::PYARROW]),
    ("adbc_driver_flightsql", &[python::ADBC_FLIGHTSQL, python::PYARROW]),
];

/// Runs a document, and says what is wrong with it.
pub(super) fn failures(name: &str, document: &str) -> Vec<String> {
    if is_missing("curl") {
        skipped(name, "curl is not here");
        return Vec::new();
    }
    let mut run = Run::new(name);
    for step in steps(document) {
        let place = format!("{name}:{}", step.line);
        match step.action {
            Action::Type { command, shown } => run.type_command(&place, &command, &shown),
            Action::RunPython { script, shown } => run.run_python(&place, &script, &shown),
            Action::Write { name, text } => fs::write(run.folder.path().join(name), text).unwrap(),
            Action::EndServers => run.end_servers(&place),
            Action::Nothing => run.failures.push(format!("{place}: nothing is done with this block")),
        }
    }
    if !run.servers.is_empty() {
        run.failures.push(format!("{name}: at its end a server still runs"));
    }
    run.failures
}

fn is_missing(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    !found.unwrap().success()
}

struct Run {
    /// Looks like a clone.
    folder: TempDir,
    /// Where `skillscope` and `curl`'s settings are.
    home: TempDir,
    servers: Vec<BackgroundServer>,
    failures: Vec<String>,
}

impl Run {
    fn new(name: &str) -> Self {
        let (folder, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let copy =
            Command::new("cp").args(["-R", "data", "docs", "tests"]).arg(folder.path()).current_dir(root()).status();
        assert!(copy.unwrap().success(), "{name}: the repository cannot be copied");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_skillscope"), home.path().join("skillscope")).unwrap();
        // Beside a terminal, curl shows how far it is.
        fs::write(home.path().join(".curlrc"), "silent\nshow-error\n").unwrap();
        Self { folder, home, servers: Vec::new(), failures: Vec::new() }
    }

    /// A program in the document's folder.
    fn program(&self, program: impl AsRef<Path>) -> Command {
        let mut command = in_plain_environment(program.as_ref());
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", self.home.path().display()))
            .env("CURL_HOME", self.home.path())
            .env("TMPDIR", self.home.path())
            .env("SKILLSCOPE_LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null());
        command
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = self.program("sh");
        shell.args(["-c", command]);
        shell
    }

    fn type_command(&mut self, place: &str, command: &str, shown: &[String]) {
        if NOT_RUN.iter().any(|(part, _)| command.contains(part)) {
            return;
        }
        if command.starts_with("psql ") && is_missing("psql") {
            skipped(place, "psql is not here");
            return;
        }
        let command = command.replace("cargo run -- ", "skillscope ");
        // With more behind it, it is there to fail.
        if command.starts_with("skillscope serve") && !command.contains(';') {
            let shell = self.shell(&format!("exec {}", BackgroundServer::on_free_ports(&command)));
            let log = self.home.path().join("log");
            match BackgroundServer::start(shell, &log, shown, &self.servers) {
                Ok(server) => self.servers.push(server),
                Err(reason) => self.failures.push(format!("{place}: $ {command}\n{reason}")),
            }
        } else {
            let output = self.shell(&format!("exec 2>&1\n{}", self.with_ports(&command))).output().unwrap();
            self.compare(place, &command, shown, &output.stdout);
        }
    }

    fn run_python(&mut self, place: &str, script: &str, shown: &[String]) {
        let imported = |library: &str| script.lines().any(|line| line.starts_with(&format!("import {library}")));
        let names = LIBRARIES.iter().filter(|(library, _)| imported(library)).flat_map(|(_, names)| *names).copied();
        let names = names.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
        let Some(libraries) = python::libraries(place, &names) else {
            return;
        };
        let mut python = self.program("python3");
        python.args(["-c", &self.with_ports(script)]).env("PYTHONPATH", libraries);
        let output = python.output().unwrap();
        self.compare(place, script, shown, &[output.stdout, output.stderr].concat());
    }

    /// A command with the ports on which servers listen in place of those in the text.
    fn with_ports(&self, text: &str) -> String {
        let ports = self.servers.iter().flat_map(|server| &server.ports);
        ports.fold(text.to_owned(), |text, (written, free)| text.replace(written, free))
    }

    fn compare(&mut self, place: &str, command: &str, shown: &[String], printed: &[u8]) {
        let ports = self.servers.iter().flat_map(|server| &server.ports);
        let printed = ports.fold(String::from_utf8_lossy(printed).into_owned(), |text, (written, free)| {
            text.replace(&format!(":{free}"), &format!(":{written}"))
        });
        if !is_shown(shown, &printed.trim_end().lines().collect::<Vec<_>>()) {
            self.failures.push(format!("{place}: $ {command}\nshows\n{}\nand prints\n{printed}", shown.join("\n")));
        }
    }

    fn end_servers(&mut self, place: &str) {
        if self.servers.is_empty() {
            self.failures.push(format!("{place}: no server runs that could be ended"));
        }
        let ended = self.servers.drain(..).filter_map(|server| server.end().err());
        self.failures.extend(ended.map(|reason| format!("{place}: {reason}")));
    }
}
