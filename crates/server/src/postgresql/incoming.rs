//! Messages as they come from a client: a kind, a length, and a body, which is taken only if the length is one that its
//! kind may have.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::memory::{Full, MessageMemory, Reserved};

/// The longest packet before a client is let in, as in PostgreSQL.
const START_UP_BYTES: usize = 10_000;

/// The longest message that has no statement and no values.
const SMALL_BYTES: usize = 10_000;

/// The longest statement, with the types of its parameters.
pub(super) const STATEMENT_BYTES: usize = 2 << 20;

/// The longest message with values for parameters.
pub(super) const VALUES_BYTES: usize = 16 << 20;

/// Bodies are read in steps of this size. Memory is taken for bytes that have come, not for a length.
const STEP_BYTES: usize = 64 << 10;

/// How long a message may take. Between messages a client may wait for as long as it likes.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// Without a byte.
    silence: Duration,
    /// From its first byte to its last.
    whole: Duration,
}

const PATIENCE: Patience = Patience { silence: Duration::from_secs(30), whole: Duration::from_secs(300) };

/// The length of a message, which counts itself.
const LENGTH_BYTES: usize = 4;

/// A message, from its kind to its last byte.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: u8,
    pub(super) bytes: BytesMut,
    /// What a long message takes of the memory for all of them.
    pub(super) _reserved: Vec<Reserved>,
}

impl Message {
    /// What follows the kind and the length.
    pub(super) fn body(&self) -> &[u8] {
        self.bytes.get(1 + LENGTH_BYTES..).unwrap_or_default()
    }
}

/// Why nothing more can be read of a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("a start-up packet has {0} bytes; it may have 8 to {START_UP_BYTES}")]
    StartUpLength(i64),
    #[error("there are no messages of the kind {0:?}")]
    Kind(char),
    #[error("a message of the kind {kind:?} has a length of {length}; it may have 4 to {allowed}")]
    Length { kind: char, length: i64, allowed: usize },
    #[error("{0}")]
    Full(#[from] Full),
    #[error("a message has not come to its end in time")]
    Slow,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The longest message of a kind; `None` where clients send no such messages.
fn longest(kind: u8) -> Option<usize> {
    match kind {
        b'Q' | b'P' => Some(STATEMENT_BYTES),
        b'B' => Some(VALUES_BYTES),
        b'C' | b'D' | b'E' | b'F' | b'H' | b'S' | b'X' => Some(SMALL_BYTES),
        // Nothing is copied to the server. What still comes is passed over.
        b'c' | b'd' | b'f' => Some(STEP_BYTES),
        _ => None,
    }
}

/// Reads the messages of one connection. What has come of a message stays here if the reading is interrupted.
#[derive(Debug)]
pub(super) struct Incoming {
    buffer: BytesMut,
    memory: MessageMemory,
    reserved: Vec<Reserved>,
    patience: Patience,
    /// When the message that is being read must have come.
    deadline: Option<Instant>,
}

impl Incoming {
    pub(super) fn new(memory: MessageMemory) -> Self {
        Self { buffer: BytesMut::new(), memory, reserved: Vec::new(), patience: PATIENCE, deadline: None }
    }

    /// The first byte that has come and was not taken. `None` where the client has gone.
    pub(super) async fn first_byte<R: AsyncRead + Unpin>(&mut self, stream: &mut R) -> Result<Option<u8>, Unreadable> {
        self.fill(stream, 1).await?;
        Ok(self.buffer.first().copied())
    }

    /// Takes all that has come.
    pub(super) fn take_all(&mut self) -> BytesMut {
        self.take(self.buffer.len())
    }

    /// Whether something has come that was not taken.
    pub(super) fn has_more(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next packet before a client is let in, its length first. `None` where the client has gone.
    pub(super) async fn start_up_packet<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
    ) -> Result<Option<BytesMut>, Unreadable> {
        if !self.fill(stream, LENGTH_BYTES).await? {
            return Ok(None);
        }
        let length = self.length(0);
        let known = usize::try_from(length).ok().filter(|length| (2 * LENGTH_BYTES..=START_UP_BYTES).contains(length));
        let length = known.ok_or(Unreadable::StartUpLength(length.into()))?;
        Ok(self.fill(stream, length).await?.then(|| self.take(length)))
    }

    /// The next message. `None` where the client has gone.
    pub(super) async fn message<R: AsyncRead + Unpin>(
        &mut self,
        stream: &mut R,
    ) -> Result<Option<Message>, Unreadable> {
        self.message_of(longest, stream).await
    }

    /// The answer of a client that has been asked to prove who it is, which comes at no other time.
    pub(super) async fn proof<R: AsyncRead + Unpin>(&mut self, stream: &mut R) -> Result<Option<Message>, Unreadable> {
        self.message_of(|kind| (kind == b'p').then_some(SMALL_BYTES), stream).await
    }

    async fn message_of<R: AsyncRead + Unpin>(
        &mut self,
        longest: impl Fn(u8) -> Option<usize>,
        stream: &mut R,
    ) -> Result<Option<Message>, Unreadable> {
        if !self.fill(stream, 1 + LENGTH_BYTES).await? {
            return Ok(None);
        }
        let (kind, length) = (self.buffer.first().copied().unwrap_or_default(), self.length(1));
        let allowed = longest(kind).ok_or(Unreadable::Kind(kind.into()))?;
        let known = usize::try_from(length).ok().filter(|length| (LENGTH_BYTES..=allowed).contains(length));
        let length = known.ok_or(Unreadable::Length { kind: kind.into(), length: length.into(), allowed })?;
        if !self.fill(stream, 1 + length).await? {
            return Ok(None);
        }
        let bytes = self.take(1 + length);
        Ok(Some(Message { kind, bytes, _reserved: std::mem::take(&mut self.reserved) }))
    }

    /// The length at `place`, whose bytes have come.
    fn length(&self, place: usize) -> i32 {
        let bytes = self.buffer.get(place..).and_then(|rest| rest.first_chunk());
        bytes.copied().map_or(0, i32::from_be_bytes)
    }

    fn take(&mut self, length: usize) -> BytesMut {
        self.deadline = None;
        let taken = self.buffer.split_to(length.min(self.buffer.len()));
        if self.buffer.is_empty() {
            // What a long message took is freed with it.
            self.buffer = BytesMut::new();
        }
        taken
    }

    /// Reads until there are `wanted` bytes. Says whether there are, or the client has gone.
    async fn fill<R: AsyncRead + Unpin>(&mut self, stream: &mut R, wanted: usize) -> Result<bool, Unreadable> {
        loop {
            while self.buffer.len() >= STEP_BYTES * (1 + self.reserved.len()) {
                self.reserved.push(self.memory.reserve(STEP_BYTES).await?);
            }
            if self.buffer.len() >= wanted {
                return Ok(true);
            }
            let step = (wanted - self.buffer.len()).min(STEP_BYTES);
            self.buffer.reserve(step);
            let read = if self.buffer.is_empty() {
                stream.read_buf(&mut self.buffer).await?
            } else {
                let whole = self.patience.whole;
                let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + whole);
                let reading = timeout(self.patience.silence, stream.read_buf(&mut self.buffer));
                let read = timeout_at(deadline, reading).await;
                read.map_err(|_| Unreadable::Slow)?.map_err(|_| Unreadable::Slow)??
            };
            if read == 0 {
                return Ok(false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    fn incoming() -> Incoming {
        Incoming::new(MessageMemory::new(1 << 20))
    }

    /// What becomes of `sent`.
    async fn read(sent: &[u8]) -> Result<Option<Message>, Unreadable> {
        let mut sent = sent;
        incoming().message(&mut sent).await
    }

    #[tokio::test]
    async fn messages_come_one_by_one() {
        let mut sent: &[u8] = b"Q\0\0\0\x06a\0S\0\0\0\x04";
        let mut incoming = incoming();
        let query = incoming.message(&mut sent).await.unwrap().unwrap();
        assert_eq!((query.kind, query.body()), (b'Q', &b"a\0"[..]));
        let sync = incoming.message(&mut sent).await.unwrap().unwrap();
        assert_eq!((sync.kind, sync.body()), (b'S', &b""[..]));
        assert!(incoming.message(&mut sent).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_length_that_its_kind_does_not_have_is_refused_before_the_body() {
        for kind in b"QPBCDEFHSXcdf" {
            for length in [i32::MIN, -1, 0, 3, 0x3fff_ffff, i32::MAX] {
                let sent = [&[*kind][..], &length.to_be_bytes()].concat();
                assert!(matches!(read(&sent).await, Err(Unreadable::Length { .. })), "{kind} {length}");
            }
        }
        for kind in (0..=255).filter(|kind| !b"QPBCDEFHSXcdf".contains(kind)) {
            let sent = [&[kind][..], &[0, 0, 0, 4]].concat();
            assert!(matches!(read(&sent).await, Err(Unreadable::Kind(_))), "{kind}");
        }
    }

    #[tokio::test]
    async fn a_start_up_packet_is_short() {
        for length in [i32::MIN, -1, 0, 7, 10_001, i32::MAX] {
            let mut sent = &length.to_be_bytes()[..];
            let outcome = incoming().start_up_packet(&mut sent).await;
            assert!(matches!(outcome, Err(Unreadable::StartUpLength(_))), "{length}");
        }
        let mut sent = &[0, 0, 0, 8, 4, 210, 22, 47][..];
        assert_eq!(incoming().start_up_packet(&mut sent).await.unwrap().unwrap().len(), 8);
    }

    #[tokio::test]
    async fn memory_is_taken_for_bytes_that_have_come() {
        let (mut near, mut far) = duplex(64);
        let mut incoming = incoming();
        far.write_all(b"B\x00\xff\xff\xff").await.unwrap();
        let mut reading = Box::pin(incoming.message(&mut near));
        assert!(futures::poll!(&mut reading).is_pending());
        drop(reading);
        assert!(incoming.buffer.capacity() <= 2 * STEP_BYTES, "{}", incoming.buffer.capacity());
    }

    #[tokio::test]
    async fn long_messages_share_a_memory() {
        let long = [&b"B\x00\x20\x00\x04"[..], &[0; 2 << 20]].concat();
        let memory = MessageMemory::new(4 << 20);
        let mut sent = long.as_slice();
        let message = Incoming::new(memory.clone()).message(&mut sent).await.unwrap().unwrap();
        assert_eq!(message.bytes.len(), long.len());
        assert!(memory.taken() >= (2 << 20) - STEP_BYTES, "{}", memory.taken());
        drop(message);
        assert_eq!(memory.taken(), 0);
    }

    #[tokio::test]
    async fn a_client_that_falls_silent_within_a_message_is_let_go_and_an_idle_one_is_not() {
        let (mut near, mut far) = duplex(64);
        let mut incoming = incoming();
        let moment = Duration::from_millis(1);
        (incoming.patience.silence, incoming.patience.whole) = (moment, moment);
        assert!(timeout(20 * moment, incoming.message(&mut near)).await.is_err(), "nothing has come");
        far.write_all(b"Q\0\0").await.unwrap();
        let silent = incoming.message(&mut near).await;
        assert!(matches!(silent, Err(Unreadable::Slow)), "{silent:?}");
    }
}
