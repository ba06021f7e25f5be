//! A document under way: its folder, its servers, and what differed.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::comparison::is_shown;
use super::markdown::{Action, steps};
use super::root;
use super::server::BackgroundServer;
use crate::foreign;
use crate::python::Python;

/// Parts of commands that are shown and not run, and why.
pub(super) const NOT_RUN: &[(&str, &str)] = &[
    ("cargo test", "it is running"),
    ("cargo install", "it builds for twenty minutes"),
    ("ballista-scheduler ", "it belongs to a machine of its own; tests/ballista.rs starts one"),
    ("ballista-executor ", "it belongs to a machine of its own; tests/ballista.rs starts one"),
    ("s3://", "there is no such bucket; tests/replay.rs asks one of its own"),
];

/// Programs of others, with their packages of Debian. A command without its program is left out.
const PROGRAMS: &[(&str, &str)] = &[("psql", "postgresql-client"), ("python3", "python3")];

/// Runs a document, and says what is wrong with it.
pub(super) fn failures(name: &str, document: &str) -> Vec<String> {
    // Most of what a document shows comes after its first request.
    if !foreign::is_here(name, "curl", "curl") {
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

    /// Has a command run in the document's folder.
    fn settle(&self, command: &mut Command) {
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", self.home.path().display()))
            .env("CURL_HOME", self.home.path())
            .env("TMPDIR", self.home.path())
            .env("SKILLSCOPE_LISTEN", "127.0.0.1:0");
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = foreign::command("sh");
        shell.args(["-c", command]);
        self.settle(&mut shell);
        shell
    }

    fn type_command(&mut self, place: &str, command: &str, shown: &[String]) {
        if NOT_RUN.iter().any(|(part, _)| command.contains(part)) {
            return;
        }
        let mut programs = PROGRAMS.iter().filter(|(program, _)| command.contains(program));
        if !programs.all(|(program, package)| foreign::is_here(place, program, package)) {
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
        let Some(python) = Python::with_libraries(place) else {
            return;
        };
        let mut python = python.command(&self.with_ports(script));
        self.settle(&mut python);
        let output = python.output().unwrap();
        self.compare(place, script, shown, &[output.stdout, output.stderr].concat());
    }

    /// A command with the ports on which servers listen in place of those in the text. Whole numbers alone are replaced:
    /// a free port may have the digits of a written one in it.
    fn with_ports(&self, text: &str) -> String {
        let free_for = |number: &str| {
            let mut ports = self.servers.iter().flat_map(|server| &server.ports);
            ports.find(|(written, _)| written == number).map(|(_, free)| free.clone())
        };
        let parts = text.split_inclusive(|letter: char| !letter.is_ascii_digit());
        let replaced = parts.map(|part| {
            let number = part.trim_end_matches(|letter: char| !letter.is_ascii_digit());
            let rest = part.strip_prefix(number).unwrap_or_default();
            free_for(number).unwrap_or_else(|| number.to_owned()) + rest
        });
        replaced.collect()
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
