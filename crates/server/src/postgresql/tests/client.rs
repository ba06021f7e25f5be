//! A server without sockets, and a client that sends what it likes.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::io;
use std::sync::Arc;

use skillscope_query::{Clock, Engine, SqlLimits};
use skillscope_store::{Store, StoreOptions};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

use super::super::connection::Connection;
use super::super::encryption::Encryption;
use super::super::memory::MessageMemory;
use super::super::startup::Sessions;
use crate::stopping::Stopping;
use crate::{Access, App};

/// What a client can send and not have read. Less than a hostile message has, so that a server which waits for all of
/// it would be seen.
const PIPE_BYTES: usize = 64 << 10;

pub(super) struct Server {
    pub(super) app: App,
    pub(super) sessions: Sessions,
    pub(super) memory: MessageMemory,
    encryption: Encryption,
    stopping: Stopping,
    directory: TempDir,
}

impl Server {
    pub(super) fn new() -> Self {
        Self::until(Stopping::after(pending()))
    }

    pub(super) fn until(stopping: Stopping) -> Self {
        Self::with(stopping, SqlLimits::default())
    }

    pub(super) fn with_limits(limits: SqlLimits) -> Self {
        Self::with(Stopping::after(pending()), limits)
    }

    fn with(stopping: Stopping, limits: SqlLimits) -> Self {
        let directory = TempDir::new().unwrap();
        let store = Arc::new(Store::open_with(directory.path(), StoreOptions::default()).unwrap());
        let engine = Engine::new(Arc::clone(&store), Clock::Fixed(1_516_265_515_679), limits).unwrap();
        let app = App::new(store, engine, Access::of_directory(directory.path()).unwrap()).unwrap();
        Self {
            app: app.clone(),
            sessions: Sessions::new(app),
            memory: MessageMemory::new(64 << 20),
            encryption: Encryption::new(None),
            stopping,
            directory,
        }
    }

    pub(super) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// A connection over which nothing has been sent.
    pub(super) fn connect(&self) -> Client {
        let (near, far) = duplex(PIPE_BYTES);
        let connection =
            Connection::new(self.sessions.clone(), &self.memory, self.encryption.clone(), self.stopping.clone());
        let served = tokio::spawn(connection.serve(far, "127.0.0.1:1".parse().unwrap()));
        Client { stream: near, served: Some(served) }
    }

    /// A connection to a database, ready for statements.
    pub(super) async fn open(&self, database: &str) -> Client {
        let mut client = self.connect();
        client.start(format!("user\0a\0database\0{database}\0\0").as_bytes()).await;
        client.until_ready().await;
        client
    }
}

pub(super) struct Client<S = DuplexStream> {
    pub(super) stream: S,
    served: Option<JoinHandle<io::Result<()>>>,
}

/// A message of the server.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) kind: char,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The severity and the code of an error, and its text.
    #[track_caller]
    pub(super) fn error(&self) -> (String, String) {
        assert_eq!(self.kind, 'E', "{self:?}");
        let fields: BTreeMap<char, String> = self
            .body
            .split(|byte| *byte == 0)
            .filter_map(|field| field.split_first())
            .map(|(kind, text)| (char::from(*kind), String::from_utf8_lossy(text).into_owned()))
            .collect();
        (format!("{} {}", fields[&'S'], fields[&'C']), fields[&'M'].clone())
    }
}

impl Answer {
    /// The first value of a row, if this is one and the value is not null.
    pub(super) fn text(&self) -> Option<String> {
        let value = self.body.get(6..).filter(|_| self.kind == 'D')?;
        let length = i32::from_be_bytes(self.body[2..6].try_into().unwrap());
        value.get(..usize::try_from(length).ok()?).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

impl Answer {
    /// A message in few words; `None` where it is about the form of others.
    fn brief(&self) -> Option<String> {
        let text = || String::from_utf8_lossy(self.body.split(|byte| *byte == 0).next().unwrap()).into_owned();
        match self.kind {
            'D' => Some(self.text().unwrap_or_else(|| "NULL".to_owned())),
            'C' => Some(format!("[{}]", text())),
            'E' | 'N' => {
                let (code, _) = Answer { kind: 'E', body: self.body.clone() }.error();
                Some(code)
            }
            'I' => Some("[]".to_owned()),
            _ => None,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// A client of a server that is somewhere else.
    pub(super) fn over(stream: S) -> Self {
        Self { stream, served: None }
    }

    pub(super) async fn start(&mut self, parameters: &[u8]) {
        let length = u32::try_from(8 + parameters.len()).unwrap();
        self.raw(&[&length.to_be_bytes()[..], &[0, 3, 0, 0], parameters].concat()).await;
    }

    pub(super) async fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(super) async fn send(&mut self, kind: u8, body: &[u8]) {
        let length = u32::try_from(4 + body.len()).unwrap();
        self.raw(&[&[kind][..], &length.to_be_bytes(), body].concat()).await;
    }

    /// The next message; `None` where the server has ended the connection.
    pub(super) async fn next(&mut self) -> Option<Answer> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        self.stream.read_exact(&mut body).await.unwrap();
        Some(Answer { kind: head[0].into(), body })
    }

    /// The messages up to the one that says that the server is ready, without that.
    pub(super) async fn until_ready(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        loop {
            match self.next().await.expect("the connection goes on") {
                Answer { kind: 'Z', .. } => return answers,
                answer => answers.push(answer),
            }
        }
    }

    /// The kinds of the messages up to the one that says that the server is ready.
    pub(super) async fn kinds(&mut self) -> String {
        self.until_ready().await.iter().map(|answer| answer.kind).collect()
    }

    pub(super) async fn query(&mut self, text: &str) -> Vec<Answer> {
        self.send(b'Q', format!("{text}\0").as_bytes()).await;
        self.until_ready().await
    }

    /// What comes of a text, in few words: the first value of each row, what each statement says that it has done, and
    /// the codes of errors and notices.
    pub(super) async fn transcript(&mut self, text: &str) -> String {
        let answers = self.query(text).await;
        answers.iter().filter_map(Answer::brief).collect::<Vec<_>>().join(" ")
    }

    /// Asserts that the connection still answers.
    pub(super) async fn answers(&mut self) {
        let answers = self.query("select 7").await;
        assert!(
            answers.iter().any(|answer| answer.kind == 'D' && answer.body.ends_with(b"\0\0\0\x017")),
            "{answers:?}"
        );
    }

    /// The error with which the server has ended the connection.
    pub(super) async fn ended_with(mut self) -> (String, String) {
        let error = self.next().await.expect("a reason").error();
        assert_eq!(self.next().await, None, "after {error:?}");
        error
    }

    pub(super) async fn close(self) {
        drop(self.stream);
        if let Some(served) = self.served {
            let _ = served.await;
        }
    }
}

/// What `answers` comes to, or a failure where it never comes to anything.
pub(super) async fn in_time<T>(answers: impl Future<Output = T>) -> T {
    tokio::time::timeout(std::time::Duration::from_secs(120), answers).await.expect("an answer comes")
}
