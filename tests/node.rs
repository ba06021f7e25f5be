//! Other people's libraries, from npm, in a folder of the tests' own. `node/package-lock.json` names the version of each.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::binary::{skipped, stderr};
use crate::foreign;

const PACKAGE: &str = include_str!("node/package.json");
const LOCK: &str = include_str!("node/package-lock.json");

/// A Node that has the libraries of `node/package.json`.
#[derive(Clone)]
pub(crate) struct Node {
    folder: PathBuf,
}

impl Node {
    /// `None`, visibly, where Node or the libraries cannot be had.
    pub(crate) fn with_libraries(test: &str) -> Option<Self> {
        if !foreign::is_here(test, "node", "nodejs") || !foreign::is_here(test, "npm", "npm") {
            return None;
        }
        static MADE: OnceLock<Result<Node, String>> = OnceLock::new();
        let made = MADE.get_or_init(|| Self::make(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("node")));
        made.as_ref().inspect_err(|reason| skipped(test, reason)).ok().cloned()
    }

    /// Installs the libraries, unless an earlier run has.
    fn make(folder: &Path) -> Result<Self, String> {
        // Another process may run tests as well, and may be at it.
        let lock = File::create(folder.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        let whole = folder.join("whole");
        if fs::read_to_string(&whole).is_ok_and(|installed| installed == LOCK) {
            return Ok(Self { folder: folder.to_owned() });
        }
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("package.json"), PACKAGE).unwrap();
        fs::write(folder.join("package-lock.json"), LOCK).unwrap();
        // Proxies and mirrors are set in the environment and in settings of the machine.
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder).stdin(Stdio::null());
        let output = npm.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!(
                "the libraries cannot be installed: {}",
                stderr(&output).lines().last().unwrap_or_default()
            ));
        }
        fs::write(whole, LOCK).unwrap();
        Ok(Self { folder: folder.to_owned() })
    }

    /// A command that runs a script.
    pub(crate) fn command(&self, script: &str) -> Command {
        let mut command = foreign::command("node");
        command.current_dir(&self.folder).args(["-e", script, "--"]);
        command
    }
}
