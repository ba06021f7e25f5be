//! Other people's libraries, from PyPI.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::binary::{skipped, stderr};

pub(crate) const DUCKDB: &str = "duckdb==2.0.0";
pub(crate) const PYARROW: &str = "pyarrow==26.0.1";
pub(crate) const PSYCOPG: &str = "psycopg[binary]==3.3.9";
pub(crate) const ADBC_FLIGHTSQL: &str = "adbc-driver-flightsql==1.13.0";
pub(crate) const ADBC_POSTGRESQL: &str = "adbc-driver-postgresql==1.13.0";

/// A folder with libraries in it; `None`, visibly, where they cannot be had.
pub(crate) fn libraries(test: &str, names: &[&str]) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python").join(names.join("-"));
    let is_whole = folder.join("whole");
    if is_whole.exists() {
        return Some(folder);
    }
    let install = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"])
        .arg(&folder)
        .args(names)
        .stdin(Stdio::null())
        .output();
    match install {
        Ok(output) if output.status.success() => {
            fs::write(is_whole, "").unwrap();
            Some(folder)
        }
        Ok(output) => {
            let reason = stderr(&output).lines().last().unwrap_or_default().to_owned();
            skipped(test, &format!("the libraries cannot be installed: {reason}"));
            None
        }
        Err(_) => {
            skipped(test, "python3 is not here");
            None
        }
    }
}

/// Runs a script with these libraries, and gives what it printed.
#[track_caller]
pub(crate) fn run(libraries: &Path, script: &str, arguments: &[&str]) -> String {
    let output = Command::new("python3")
        .args(["-c", script])
        .args(arguments)
        .env("PYTHONPATH", libraries)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}
