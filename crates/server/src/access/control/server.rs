//! Answering the owner of the data directory.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::geteuid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::{LINE_BYTES, NAME, Question, place};
use crate::access::registry::owners_time;
use crate::access::{Access, AccessError};

/// How long a question may take to come.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is written down when tokens were used.
const USES_PERIOD: Duration = Duration::from_secs(60);

/// The pause after no connection could be accepted, mostly because too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// The socket in a data directory by which its owner reaches the server.
#[derive(Debug)]
pub struct ControlSocket(UnixListener);

impl ControlSocket {
    /// Listens in a data directory that this process holds. Needs the runtime of the caller.
    ///
    /// # Errors
    /// Where the folder cannot have a socket.
    pub fn bind(folder: &Path) -> io::Result<Self> {
        match fs::remove_file(folder.join(NAME)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (path, _folder) = place(folder)?;
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(Self(listener))
    }

    /// Answers questions about `access`, one after the other, and writes down from time to time when tokens were used.
    /// Never ends.
    pub async fn serve(self, access: Access) {
        let mut period = tokio::time::interval(USES_PERIOD);
        loop {
            tokio::select! {
                accepted = self.0.accept() => match accepted {
                    Ok((stream, _)) => {
                        if let Ok(Err(error)) = timeout(PATIENCE, answer(stream, &access)).await {
                            tracing::debug!(%error, "a question of the directory's owner was not answered");
                        }
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a question of the directory's owner could not be heard");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                _ = period.tick() => {
                    if let Err(error) = access.write_uses() {
                        tracing::warn!(%error, "it is not written down when tokens were used");
                    }
                }
            }
        }
    }
}

async fn answer(stream: UnixStream, access: &Access) -> io::Result<()> {
    // The permissions of the socket say the same, but not on every system.
    let peer = stream.peer_cred()?.uid();
    if peer != geteuid().as_raw() && peer != 0 {
        tracing::warn!(user = peer, "somebody else than the directory's owner asked, and got no answer");
        return Ok(());
    }
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    (&mut stream).take(LINE_BYTES).read_line(&mut line).await?;
    let answered = match Question::parse(&line) {
        Some(question) => obey(question, access),
        None => return stream.write_all(b"error this version does not know the question\n").await,
    };
    let answer = match answered {
        Ok(more) => format!("ok {more}\n"),
        // An answer is one line.
        Err(error) => format!("error {}\n", error.to_string().replace('\n', " ")),
    };
    stream.write_all(answer.as_bytes()).await
}

fn obey(question: Question, access: &Access) -> Result<String, AccessError> {
    match question {
        Question::Reload => {
            access.reload()?;
            tracing::info!("tokens have changed");
            Ok(String::new())
        }
        Question::WriteUses => access.write_uses().map(|()| String::new()),
        Question::Enter => access.log_in_owner(owners_time()).map(|secret| secret.reveal().to_owned()),
    }
}
