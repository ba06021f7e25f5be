//! The script that makes packages, with a small stand-in for the program.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::binary::{skipped, succeed};
use crate::foreign;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// What a command prints. It must succeed.
#[track_caller]
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_manual_has_every_command_and_option() {
    let folder = TempDir::new().unwrap();
    assert_eq!(succeed(["packaging", "--out", folder.path().to_str().unwrap()]), "");
    let page = |name: &str| fs::read_to_string(folder.path().join("man").join(name)).unwrap();
    let serve = page("skillscope-serve.1");
    for option in ["data\\-dir", "pg\\-listen", "retain\\-dry\\-run", "sql\\-memory"] {
        assert!(serve.contains(option), "{option}");
    }
    assert!(page("skillscope.1").contains("skillscope\\-check(1)"));
    assert!(page("skillscope-import-segments.1").contains("time\\-zone"));
    assert!(!folder.path().join("man/skillscope-packaging.1").exists(), "it is no command for users");
    for completions in ["skillscope.bash", "_skillscope", "skillscope.fish"] {
        let text = fs::read_to_string(folder.path().join("completions").join(completions)).unwrap();
        assert!(text.contains("drain-delay"), "{completions}");
    }
}

#[test]
fn packages_have_the_program_and_all_that_belongs_to_it() {
    let name = "packages_have_the_program_and_all_that_belongs_to_it";
    if !["bash", "git", "zstd", "tar", "sha256sum"].into_iter().all(|tool| foreign::is_here(name, tool, tool)) {
        return;
    }
    if !root().join(".git").exists() {
        return skipped(name, "this is no clone");
    }
    let folder = TempDir::new().unwrap();
    let stand_in = folder.path().join("skillscope");
    fs::write(&stand_in, format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_skillscope"))).unwrap();
    fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).unwrap();
    let make = |out: &str| {
        let out = folder.path().join(out);
        let mut build = Command::new(root().join("packaging/build"));
        let sums = printed(build.arg("--binary").arg(&stand_in).arg("--out").arg(&out));
        assert_eq!(fs::read_to_string(out.join("SHA256SUMS")).unwrap(), sums);
        printed(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(&out));
        (out, sums)
    };
    let (out, sums) = make("one");
    assert_eq!(make("two").1, sums, "the same program and commit give other bytes");

    let version = env!("CARGO_PKG_VERSION");
    let top = format!("skillscope-{version}-{}-linux", std::env::consts::ARCH);
    let listed = printed(Command::new("tar").arg("--list").arg("--file").arg(out.join(format!("{top}.tar.zst"))));
    for file in ["skillscope", "LICENSE", "skillscope.service", "man/skillscope-serve.1.gz", "completions/_skillscope"]
    {
        assert!(listed.lines().any(|line| line == format!("{top}/{file}")), "{file}: {listed}");
    }
    if !foreign::is_here(name, "dpkg-deb", "dpkg-deb") {
        return;
    }
    let deb = sums.split_whitespace().find(|word| word.ends_with(".deb")).unwrap();
    let listed = printed(Command::new("dpkg-deb").arg("--contents").arg(out.join(deb)));
    for (mode, file) in [
        ("-rwxr-xr-x root/root", "./usr/bin/skillscope"),
        ("-rw-r--r-- root/root", "./etc/skillscope/skillscope.toml"),
        ("-rw-r--r-- root/root", "./lib/systemd/system/skillscope.service"),
        ("-rw-r--r-- root/root", "./usr/lib/sysusers.d/skillscope.conf"),
        ("-rw-r--r-- root/root", "./usr/share/man/man1/skillscope-serve.1.gz"),
        ("-rw-r--r-- root/root", "./usr/share/bash-completion/completions/skillscope"),
        ("-rw-r--r-- root/root", "./usr/share/doc/skillscope/copyright"),
    ] {
        assert!(listed.lines().any(|line| line.starts_with(mode) && line.ends_with(file)), "{file}: {listed}");
    }
    let control = printed(Command::new("dpkg-deb").arg("--field").arg(out.join(deb)));
    assert!(control.contains(&format!("Version: {version}\n")), "{control}");
}

#[test]
fn the_options_of_the_packages_are_options() {
    let folder = TempDir::new().unwrap();
    let text = fs::read_to_string(root().join("packaging/skillscope.toml")).unwrap();
    // Also those that are suggested.
    let all: String = text.lines().map(|line| format!("{}\n", suggested(line))).collect();
    let file = folder.path().join("skillscope.toml");
    fs::write(&file, all).unwrap();
    succeed(["serve", "--config", file.to_str().unwrap(), "--help"]);
}

/// A line whose option is commented out, as if it were not.
fn suggested(line: &str) -> &str {
    line.strip_prefix('#').filter(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase())).unwrap_or(line)
}
