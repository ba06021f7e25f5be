//! What stands for a token after a log-in, for some hours.

use std::collections::HashMap;
use std::sync::Arc;

use skillscope_query::Clock;

use super::AccessError;
use super::pass::{LiveToken, Pass};
use super::secret::{Fingerprint, Secret};

/// What the secret of a log-in begins with.
const PREFIX: &str = "skb_";

/// As many log-ins are good at a time. Beyond them the one that would end first ends.
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
            let first = self.0.iter().min_by_key(|(_, login)| login.expires).map(|(fingerprint, _)| *fingerprint);
            first.map(|first| self.0.remove(&first));
        }
        self.0.insert(Fingerprint::of(secret.reveal()), Login { of, expires });
        Ok(secret)
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
        let pass = match &login.of {
            Some(live) => Pass::of_token(Arc::clone(live), Some(login.expires)),
            None => Pass::of_owner(login.expires),
        };
        Some(pass).filter(Pass::is_good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
