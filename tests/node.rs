//! Other people's libraries, from npm, in folders of the tests' own. A `package-lock.json` names the version of each.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::binary::{skipped, stderr};
use crate::foreign;

/// The libraries in a folder.
struct Libraries {
    folder: &'static str,
    package: &'static str,
    lock: &'static str,
}

/// Clients that exist.
static OF_CLIENTS: Libraries = Libraries {
    folder: "node",
    package: include_str!("node/package.json"),
    lock: include_str!("node/package-lock.json"),
};

/// What drives a browser, and looks at what it shows.
static OF_BROWSER: Libraries =
    Libraries { folder: "web", package: include_str!("web/package.json"), lock: include_str!("web/package-lock.json") };

/// A Node that has the libraries of a `package.json` and no other.
#[derive(Clone)]
pub(crate) struct Node {
    folder: PathBuf,
}

impl Node {
    /// `None`, visibly, where Node or the libraries of `node/package.json` cannot be had.
    pub(crate) fn with_libraries(test: &str) -> Option<Self> {
        static MADE: OnceLock<Result<Node, String>> = OnceLock::new();
        Self::with(&OF_CLIENTS, &MADE, test)
    }

    /// `None`, visibly, where Node or the libraries of `web/package.json` cannot be had.
    pub(crate) fn with_browser_libraries(test: &str) -> Option<Self> {
        static MADE: OnceLock<Result<Node, String>> = OnceLock::new();
        Self::with(&OF_BROWSER, &MADE, test)
    }

    fn with(libraries: &'static Libraries, made: &OnceLock<Result<Self, String>>, test: &str) -> Option<Self> {
        if !foreign::is_here(test, "node", "nodejs") || !foreign::is_here(test, "npm", "npm") {
            return None;
        }
        let made = made.get_or_init(|| Self::make(libraries));
        made.as_ref().inspect_err(|reason| skipped(test, reason)).ok().cloned()
    }

    /// Installs the libraries, unless an earlier run has.
    fn make(libraries: &Libraries) -> Result<Self, String> {
        let folder = &Path::new(env!("CARGO_TARGET_TMPDIR")).join(libraries.folder);
        // Another process may run tests as well, and may be at it.
        let lock = File::create(folder.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        let whole = folder.join("whole");
        if fs::read_to_string(&whole).is_ok_and(|installed| installed == libraries.lock) {
            return Ok(Self { folder: folder.to_owned() });
        }
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("package.json"), libraries.package).unwrap();
        fs::write(folder.join("package-lock.json"), libraries.lock).unwrap();
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
        fs::write(whole, libraries.lock).unwrap();
        Ok(Self { folder: folder.to_owned() })
    }

    /// A command that runs a script.
    pub(crate) fn command(&self, script: &str) -> Command {
        let mut command = foreign::command("node");
        command.current_dir(&self.folder).args(["-e", script, "--"]);
        command
    }

    /// A command that runs a module, which finds the libraries in the folder that `LIBRARIES` names.
    pub(crate) fn module(&self, path: &Path) -> Command {
        let mut command = foreign::command("node");
        command.current_dir(&self.folder).env("LIBRARIES", &self.folder).arg(path);
        command
    }
}
