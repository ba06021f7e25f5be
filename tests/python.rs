//! Other people's libraries, from PyPI, in virtual environments of the tests' own.
//!
//! They see no library that the machine or its user has, and a file in `python/` names the version of each one in them.
//! So a test that passes here does not depend on what happens to be installed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::binary::{skipped, stderr};
use crate::foreign;

/// The libraries of an environment.
struct Libraries {
    folder: &'static str,
    requirements: &'static str,
    /// Those that come as sources alone, which are written in Python and need not be compiled.
    sources: &'static str,
    /// Whether each library gets the versions that it asks for.
    agree: bool,
}

/// What most tests use.
static OF_TESTS: Libraries = Libraries {
    folder: "python",
    requirements: include_str!("python/requirements.txt"),
    sources: ":none:",
    agree: true,
};

/// Tools that make views, and read them.
static OF_TOOLS: Libraries =
    Libraries { folder: "tools", requirements: include_str!("python/tools.txt"), sources: "daff", agree: true };

/// Tools that look around, and ask for other versions of what others use.
static OF_REFLECTION: Libraries = Libraries {
    folder: "reflection",
    requirements: include_str!("python/reflection.txt"),
    sources: ":none:",
    agree: true,
};

/// A client of this family of APIs that asks for versions of long ago.
static OF_TAP: Libraries = Libraries {
    folder: "tap",
    requirements: include_str!("python/tap.txt"),
    sources: "tap-liveperson,tap-framework,singer-python",
    agree: false,
};

/// A generator of clients from OpenAPI documents.
static OF_OPENAPI: Libraries =
    Libraries { folder: "openapi", requirements: include_str!("python/openapi.txt"), sources: ":none:", agree: true };

/// A Python that has the libraries of a file in `python/` and no other.
#[derive(Clone)]
pub(crate) struct Python {
    folder: PathBuf,
    libraries: &'static Libraries,
}

impl Python {
    /// `None`, visibly, where the libraries of `python/requirements.txt` cannot be had.
    pub(crate) fn with_libraries(test: &str) -> Option<Self> {
        // Without a network, one failure is told by all tests and not waited for by each.
        static MADE: OnceLock<Result<Python, String>> = OnceLock::new();
        let made = MADE.get_or_init(|| Self::make(&OF_TESTS));
        made.as_ref().inspect_err(|reason| skipped(test, reason)).ok().cloned()
    }

    /// `None`, visibly, where those of `python/tools.txt` cannot be had: dbt and Ibis.
    pub(crate) fn with_tools(test: &str) -> Option<Self> {
        static MADE: OnceLock<Result<Python, String>> = OnceLock::new();
        let made = MADE.get_or_init(|| Self::make(&OF_TOOLS));
        made.as_ref().inspect_err(|reason| skipped(test, reason)).ok().cloned()
    }

    /// `None`, visibly, where those of `python/reflection.txt` cannot be had: SQLAlchemy, pandas, Ibis and pgcli.
    pub(crate) fn with_reflection(test: &str) -> Option<Self> {
        static MADE: OnceLock<Result<Python, String>> = OnceLock::new();
        let made = MADE.get_or_init(|| Self::make(&OF_REFLECTION));
        made.as_ref().inspect_err(|reason| skipped(test, reason)).ok().cloned()
    }

    /// `None`, visibly, where those of `python/tap.txt` cannot be had.
    pub(crate) fn with_tap(test: &str) -> Option<Self> {
        Self::make(&OF_TAP).inspect_err(|reason| skipped(test, reason)).ok()
    }

    /// `None`, visibly, where those of `python/openapi.txt` cannot be had.
    pub(crate) fn with_openapi(test: &str) -> Option<Self> {
        Self::make(&OF_OPENAPI).inspect_err(|reason| skipped(test, reason)).ok()
    }

    /// Makes the environment, unless an earlier run has.
    fn make(libraries: &'static Libraries) -> Result<Self, String> {
        let folder = &Path::new(env!("CARGO_TARGET_TMPDIR")).join(libraries.folder);
        // Another process may run tests as well, and may be at it.
        let lock = File::create(folder.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        let made = Self { folder: folder.to_owned(), libraries };
        // Written last: without it, an interrupted run has left the folder.
        let whole = folder.join("whole");
        if fs::read_to_string(&whole).is_ok_and(|installed| installed == libraries.requirements) && made.runs() {
            return Ok(made);
        }
        made.make_environment()?;
        made.install()?;
        fs::write(whole, libraries.requirements).unwrap();
        Ok(made)
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.folder.join("bin/python3")
    }

    /// The environment links to a Python of the machine, which may have gone.
    fn runs(&self) -> bool {
        self.command("").output().is_ok_and(|output| output.status.success())
    }

    fn make_environment(&self) -> Result<(), String> {
        let make = || {
            let mut command = Command::new("python3");
            command.args(["-I", "-m", "venv", "--clear"]).arg(&self.folder).stdin(Stdio::null()).output()
        };
        let is_made = |made: std::io::Result<Output>| made.is_ok_and(|output| output.status.success());
        // Debian's python3 has this module in a package of its own.
        if is_made(make()) || (foreign::install("python3-venv") && is_made(make())) {
            return Ok(());
        }
        Err("no python3 here makes virtual environments; on Debian, the package python3-venv brings one".to_owned())
    }

    /// Installs the libraries, nothing else and nothing that has to be compiled here.
    fn install(&self) -> Result<(), String> {
        let Libraries { requirements, sources, agree, .. } = self.libraries;
        let named = self.folder.join("requirements.txt");
        fs::write(&named, requirements).unwrap();
        let sources = format!("--no-binary={sources}");
        let kinds = ["--no-deps", "--only-binary=:all:", &sources];
        self.pip(&[&["install", "--quiet", "-r", named.to_str().unwrap()][..], &kinds].concat())?;
        // With another version of Python, libraries may need others that are not named.
        if *agree { self.pip(&["check"]) } else { Ok(()) }
    }

    fn pip(&self, arguments: &[&str]) -> Result<(), String> {
        let mut command = Command::new(self.program());
        command.args(["-I", "-m", "pip", "--disable-pip-version-check"]).args(arguments);
        // Proxies and mirrors are set in the environment; to install for the user is refused in a virtual one.
        let output = command.env("PIP_USER", "0").stdin(Stdio::null()).output().unwrap();
        if output.status.success() {
            return Ok(());
        }
        let told = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
        Err(format!("the libraries cannot be installed: {}", told.lines().last().unwrap_or_default()))
    }

    /// A command that runs a script.
    pub(crate) fn command(&self, script: &str) -> Command {
        let mut command = foreign::command(self.program());
        command.args(["-I", "-c", script]);
        command
    }

    /// Runs a script, and gives what it printed.
    #[track_caller]
    pub(crate) fn run(&self, script: &str, arguments: &[&str]) -> String {
        let output = self.command(script).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The machine's Python with its own library alone; `None` where there is none that runs.
pub(crate) fn bare() -> Option<Command> {
    let command = || {
        let mut command = Command::new("python3");
        command.arg("-I").stdin(Stdio::null());
        command
    };
    let runs = command().args(["-c", ""]).output().is_ok_and(|output| output.status.success());
    runs.then(command)
}
