//! What stands for a token after a log-in, for some hours.

use std::collections::HashMap;
use std::sync::Arc;

use skillscope_query::Clock;

use super::AccessError;
use super::pass::{LiveToken, Pass};
use super::secret::{Fingerprint, Secret};

/// What the secret of a log-in begins with.
const PREFIX: &str = "skb_";

/// As many log-ins are good at a time. Beyond them the one of the same token that would end first ends.
const MOST: usize = 10_000;

/// The log-ins that are good. They are gone when the server stops, and clients log in again.
#[derive(Debug, Default)]
pub(super) struct Logins(HashMap<Fingerprint, Login>);

#[derive(Debug)]
struct Login {
    /// The token that it stands for; none for the owner of the data directory.
    of: Option<Arc<LiveToken>>,
    expires: i64,
}

impl Logins {
    /// # Errors
    /// Where the system has no random numbers.
    pub(super) fn add(&mut self, of: Option<Arc<LiveToken>>, expires: i64) -> Result<Secret, AccessError> {
        let secret = Secret::random(PREFIX)?;
        if self.0.len() >= MOST {
            let now = Clock::System.now();
            self.0.retain(|_, login| login.expires > now);
        }
        if self.0.len() >= MOST {
            self.make_room(of.as_ref());
        }
        self.0.insert(Fingerprint::of(secret.reveal()), Login { of, expires });
        Ok(secret)
    }

    /// Ends the log-in that would end first: of the same token if it has any, so that one token does not end what others
    /// have.
    fn make_room(&mut self, of: Option<&Arc<LiveToken>>) {
        let id = |of: Option<&Arc<LiveToken>>| of.map(|live| live.token.id);
        let is_another = |login: &Login| id(login.of.as_ref()) != id(of);
        let first = self.0.iter().min_by_key(|(_, login)| (is_another(login), login.expires));
        if let Some(first) = first.map(|(fingerprint, _)| *fingerprint) {
            self.0.remove(&first);
        }
    }

    /// A secret that looks like the others, and stands for nothing.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(super) fn of_nobody() -> Result<Secret, AccessError> {
        Secret::random(PREFIX)
    }

    /// The pass of whoever shows the secret of a log-in.
    pub(super) fn pass(&self, shown: &Fingerprint) -> Option<Pass> {
        let (known, login) = self.0.get_key_value(shown)?;
        if !known.is(shown) {
            return None;
        }
        match &login.of {
            Some(live) => Pass::of_token(Arc::clone(live), Some(login.expires)),
            None => Some(Pass::of_owner(login.expires)).filter(Pass::is_good),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::token::Token;
    use crate::access::token::tests::wanted;

    #[test]
    fn memory_is_bounded_and_what_ends_first_goes_first() {
        let (mut logins, now) = (Logins::default(), Clock::System.now());
        let is_good = |logins: &Logins, secret: &Secret| logins.pass(&Fingerprint::of(secret.reveal())).is_some();
        let first = logins.add(None, now + 60_000).unwrap();
        let later = logins.add(None, now + 90_000).unwrap();
        for _ in 0..MOST - 1 {
            logins.add(None, now + 120_000).unwrap();
        }
        assert_eq!(logins.0.len(), MOST);
        assert!(!is_good(&logins, &first) && is_good(&logins, &later));
    }

    #[test]
    fn a_token_that_logs_in_again_and_again_ends_its_own_log_ins_alone() {
        let (mut logins, now) = (Logins::default(), Clock::System.now());
        let token = |name: &str| Some(LiveToken::new(Token::new(wanted(name), now).unwrap().0));
        let (quiet, busy) = (token("quiet"), token("busy"));
        let kept = logins.add(quiet, now + 60_000).unwrap();
        for _ in 0..MOST + 10 {
            logins.add(busy.clone(), now + 120_000).unwrap();
        }
        assert_eq!(logins.0.len(), MOST);
        assert!(logins.pass(&Fingerprint::of(kept.reveal())).is_some());
    }
}
