//! What a caller has that was let in, until it is taken back.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use skillscope_query::{Clock, Scope};
use tokio::sync::watch;

use super::permission::Permission;
use super::token::{Token, TokenId};

/// The wall clock may be set, so that a pass looks again at least so often whether it has expired.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// A token that is good, with what happens to it while the server runs.
#[derive(Debug)]
pub(super) struct LiveToken {
    pub(super) token: Token,
    /// When it was used last, in milliseconds since the epoch; 0 for never since the start.
    pub(super) last_use: AtomicI64,
    is_over: watch::Sender<bool>,
}

impl LiveToken {
    pub(super) fn new(token: Token) -> Arc<Self> {
        Arc::new(Self { token, last_use: AtomicI64::new(0), is_over: watch::Sender::new(false) })
    }

    /// Ends everything that was let in by this token.
    pub(super) fn revoke(&self) {
        self.is_over.send_replace(true);
    }
}

/// What a caller has that was let in.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    bearer: Bearer,
    /// From when on it opens nothing more, in milliseconds since the epoch of the machine's clock.
    expires: Option<i64>,
    is_over: watch::Receiver<bool>,
}

#[derive(Debug, Clone)]
enum Bearer {
    /// Anybody, where nobody is asked.
    Anybody,
    /// The owner of the data directory, on this machine.
    Owner,
    Token(Arc<LiveToken>),
}

/// Who is behind a pass, as far as limits and counts tell callers apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    Anybody,
    Owner,
    Token(TokenId),
}

impl Display for Holder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anybody => f.write_str("anybody"),
            Self::Owner => f.write_str("owner"),
            Self::Token(id) => f.write_str(&id.text()),
        }
    }
}

impl Pass {
    /// The pass of anybody, until `is_over` says that tokens are asked for.
    pub(super) fn of_anybody(is_over: watch::Receiver<bool>) -> Self {
        Self { bearer: Bearer::Anybody, expires: None, is_over }
    }

    /// The pass of the data directory's owner, which no token's end takes back.
    pub(super) fn of_owner(expires: i64) -> Self {
        Self { bearer: Bearer::Owner, expires: Some(expires), is_over: watch::Sender::new(false).subscribe() }
    }

    /// The pass of whoever has a token, which ends with it, or before. `None` where it has ended.
    pub(super) fn of_token(live: Arc<LiveToken>, before: Option<i64>) -> Option<Self> {
        let (now, expires) = (Clock::System.now(), live.token.expires.into_iter().chain(before).min());
        let is_over = live.is_over.subscribe();
        if *is_over.borrow() || expires.is_some_and(|expires| expires <= now) {
            return None;
        }
        live.last_use.store(now, Ordering::Relaxed);
        Some(Self { is_over, bearer: Bearer::Token(live), expires })
    }

    /// Whose data it opens.
    pub(crate) fn scope(&self) -> &Scope {
        match &self.bearer {
            Bearer::Anybody | Bearer::Owner => &Scope::All,
            Bearer::Token(live) => &live.token.account,
        }
    }

    pub(crate) fn permits(&self, permission: Permission) -> bool {
        match &self.bearer {
            Bearer::Anybody | Bearer::Owner => true,
            Bearer::Token(live) => live.token.permissions.contains(&permission),
        }
    }

    /// The name of the token, of a caller who has one.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.bearer {
            Bearer::Anybody | Bearer::Owner => None,
            Bearer::Token(live) => Some(&live.token.name),
        }
    }

    pub(crate) fn holder(&self) -> Holder {
        match &self.bearer {
            Bearer::Anybody => Holder::Anybody,
            Bearer::Owner => Holder::Owner,
            Bearer::Token(live) => Holder::Token(live.token.id),
        }
    }

    /// From when on it opens nothing more, in milliseconds since the epoch of the machine's clock.
    pub(crate) fn expires(&self) -> Option<i64> {
        self.expires
    }

    /// The token, of a caller who has one.
    pub(super) fn token(&self) -> Option<Arc<LiveToken>> {
        match &self.bearer {
            Bearer::Token(live) => Some(Arc::clone(live)),
            Bearer::Anybody | Bearer::Owner => None,
        }
    }

    /// Whether it still opens something.
    pub(crate) fn is_good(&self) -> bool {
        !*self.is_over.borrow() && self.expires.is_none_or(|expires| Clock::System.now() < expires)
    }

    /// Completes when it opens nothing more.
    pub(crate) async fn ended(mut self) {
        while self.is_good() {
            let left = self.expires.map_or(i64::MAX, |expires| expires.saturating_sub(Clock::System.now()));
            let left = Duration::from_millis(u64::try_from(left).unwrap_or(0).saturating_add(1));
            tokio::select! {
                () = tokio::time::sleep(left.min(LOOK_AGAIN)), if self.expires.is_some() => {}
                // Where nobody can take it back any more, only time ends it.
                Ok(()) = self.is_over.changed() => {}
                else => std::future::pending().await,
            }
        }
    }
}
