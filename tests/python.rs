//! Other people's libraries, from PyPI.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::binary::{skipped, stderr};

pub(crate) const DUCKDB: &str = "duckdb==2.0.0";
pub(crate) const PYARROW: &str = "pyarrow==26.0.1";
pub(crate) const PSYCOPG: &str = "psycopg[binary]==3.3.9";
pub(crate) const ADBC_FLIGHTSQL: &str = "adbc-driver-flightsql==1.13.0";
pub(crate) const ADBC_POSTGRESQL: &str = "adbc-driver-postgresql==1.13.0";

/// A folder with libraries in it; `None`, visibly, where they cannot be had.
pub(crate) fn libraries(test: &str, names: &[&str]) -> Option<PathBuf> {
    // One test at a time: several ask for the same.
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let folder = parent.join(names.join("-"));
    if folder.join("whole").exists() {
        return Some(folder);
    }
    fs::create_dir_all(&parent).unwrap();
    // What an interrupted run has left is not taken for whole.
    let new = tempfile::TempDir::new_in(&parent).unwrap();
    let install = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"])
        .arg(new.path())
        .args(names)
        .stdin(Stdio::null())
        .output();
    match install {
        Ok(output) if output.status.success() => {
            fs::write(new.path().join("whole"), "").unwrap();
            let _ = fs::remove_dir_all(&folder);
            fs::rename(new.keep(), &folder).unwrap();
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
