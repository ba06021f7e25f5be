//! The binary under test.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{ChildStdout, Command, ExitStatus, Output, Stdio};

use serde_json::Value;

use crate::process::{Running, end_of, send_signal};

/// A command of the binary, in an environment that sets no option and no proxy.
pub(crate) fn skillscope<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skillscope"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_lowercase();
        if text.starts_with("skillscope_") || text.ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command
}

/// The command `serve` on a free port.
pub(crate) fn serve() -> Command {
    skillscope(["serve", "--listen", "127.0.0.1:0", "--log", "warn"])
}

/// Runs a command to its end.
pub(crate) fn run<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Output {
    skillscope(arguments).output().expect("the binary starts")
}

/// Runs a command that must succeed, and gives what it printed.
#[track_caller]
pub(crate) fn succeed<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Tells, past the test runner's capture, that a test could not run here.
pub(crate) fn skipped(test: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {reason}");
}

/// A server that runs until the value is dropped.
pub(crate) struct Server {
    process: Running,
    stdout: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Server {
    /// Starts `serve` on a free port and waits until it says that it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(serve().args(arguments))
    }

    /// Starts what [`serve`] gave, with more arguments or another environment.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut process = Running(command.stdout(Stdio::piped()).spawn().expect("the server starts"));
        let mut stdout = BufReader::new(process.0.stdout.take().expect("its output is piped"));
        let mut url = String::new();
        stdout.read_line(&mut url).expect("its output is text");
        let is_url = ["http://127.0.0.1:", "https://127.0.0.1:"].iter().any(|start| url.starts_with(start));
        assert!(is_url, "the server prints its address first, not {url:?}");
        Self { process, stdout, url: url.trim_end().to_owned() }
    }

    pub(crate) fn over(data_dir: &Path, arguments: &[&str]) -> Self {
        let mut all = vec!["--data-dir", data_dir.to_str().expect("the path is UTF-8")];
        all.extend(arguments);
        Self::start(&all)
    }

    /// The next line that the server prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("its output is text");
        line.trim_end().to_owned()
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").expect("a URL has a scheme").1
    }

    /// Status and body of a GET request.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let url = if path.starts_with("http://") { path.to_owned() } else { format!("{}{path}", self.url) };
        answer(agent().get(url).call())
    }

    /// The same of a caller who shows a token.
    pub(crate) fn get_with_token(&self, path: &str, token: &str) -> (u16, String) {
        let request = agent().get(format!("{}{path}", self.url));
        answer(request.header("authorization", format!("Bearer {token}")).call())
    }

    /// Status and body of a POST request.
    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> (u16, String) {
        answer(agent().post(format!("{}{path}", self.url)).content_type(content_type).send(body))
    }

    /// The rows of a SQL statement.
    pub(crate) fn sql(&self, query: &str) -> Value {
        let body = serde_json::json!({ "query": query }).to_string();
        let (status, text) = self.post("/v1/sql", "application/json", body.as_bytes());
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("the answer is JSON")
    }

    /// All segments, by account, conversation and index, without the time when each arrived: it differs from one directory
    /// to the next.
    pub(crate) fn segments(&self) -> Value {
        let mut rows = self.sql("select * from segments order by account_id, conversation_id, segment_index");
        for row in rows.as_array_mut().expect("rows are an array") {
            row.as_object_mut().and_then(|row| row.remove("arrival_time")).expect("a segment has a time of arrival");
        }
        rows
    }

    /// The number of the server's process.
    pub(crate) fn id(&self) -> u32 {
        self.process.0.id()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        send_signal(self.id(), name);
    }

    /// Waits for the server to end by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        end_of(&mut self.process.0)
    }

    /// What the server printed after what was read of it.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("its output is text");
        rest
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into()
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, String) {
    let mut response = response.expect("the server answers");
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(1 << 30).read_to_string().expect("the answer is text");
    (status, body)
}
