//! Programs that this project does not build: how tests start them, and how they get those of Debian.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::binary::skipped;

/// A command of another program. Of the environment it sees the path alone, and it finds no home: settings of the
/// person who runs the tests, such as a proxy, a locale, `PGSSLMODE` or `~/.curlrc`, change no result.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).env("HOME", "/nonexistent");
    command.stdin(Stdio::null());
    command
}

/// Whether a program is here, which is asked for its version. Where it is not, its package of Debian is installed if
/// that is allowed here; otherwise the test says that it is skipped.
pub(crate) fn is_here(test: &str, program: &str, package: &'static str) -> bool {
    let answers = || command(program).arg("--version").output().is_ok_and(|output| output.status.success());
    let is_here = answers() || (install(package) && answers());
    if !is_here {
        skipped(test, &format!("{program} is not here, and Debian's package {package} cannot be installed"));
    }
    is_here
}

/// Installs a package of Debian, and tells whether it could. For anyone but root this fails at once.
pub(crate) fn install(package: &'static str) -> bool {
    // Several tests ask for the same package. One of them tries, and the others take its result.
    static TRIED: Mutex<BTreeMap<&str, bool>> = Mutex::new(BTreeMap::new());
    let mut tried = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
    *tried.entry(package).or_insert_with(|| apt_get_install(package))
}

fn apt_get_install(package: &str) -> bool {
    let install = format!("apt-get update -qq && apt-get install -y -qq --no-install-recommends {package}");
    // Proxies and mirrors may be set in the environment, so apt-get sees all of it.
    let output = Command::new("sh")
        .args(["-c", &install])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output();
    output.is_ok_and(|output| output.status.success())
}
