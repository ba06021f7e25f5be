//! The way by which the owner of a data directory speaks to the server that has it open: a socket in the directory, to
//! which nobody else can connect.
//!
//! A connection carries one question, a line, and one answer, a line: `ok`, with a word behind it where something was
//! asked for, or `error` and the reason.

mod client;
mod server;

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub(super) use client::ask;
pub use server::ControlSocket;

/// The name of the socket in the data directory.
const NAME: &str = "control";

/// The longest path of a socket that every system takes.
const LONGEST_PATH: usize = 100;

/// The longest line.
const LINE_BYTES: u64 = 4096;

/// What the owner may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// To take over what the file of tokens says.
    Reload,
    /// To write down when each token was used last.
    WriteUses,
    /// For a secret that opens everything for some hours.
    Enter,
}

impl Question {
    const ALL: [Self; 3] = [Self::Reload, Self::WriteUses, Self::Enter];

    fn as_str(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::WriteUses => "write-uses",
            Self::Enter => "enter",
        }
    }

    fn parse(line: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|question| question.as_str() == line.trim_end())
    }
}

/// The path of the socket, which may stand below a path that is too long for one; the folder is kept open meanwhile.
fn place(folder: &Path) -> io::Result<(PathBuf, File)> {
    let open = File::open(folder)?;
    let path = folder.join(NAME);
    if path.as_os_str().as_bytes().len() <= LONGEST_PATH || !cfg!(target_os = "linux") {
        return Ok((path, open));
    }
    Ok((Path::new("/proc/self/fd").join(open.as_raw_fd().to_string()).join(NAME), open))
}
