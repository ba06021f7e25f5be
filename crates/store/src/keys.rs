use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use siphasher::sip128::{Hasher128, SipHasher13};

/// The keys of all stored segments, so that each counts once.
///
/// A key is kept as a 128-bit SipHash under a random secret: two different keys share one with a probability below
/// 2^-68 for a billion segments, and nobody outside can find such a pair. Costs 24 bytes a segment and the map's slack.
#[derive(Debug)]
pub(crate) struct KeyIndex {
    secret: (u64, u64),
    end_times: HashMap<KeyHash, i64, BuildHasherDefault<Prehashed>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KeyHash([u64; 2]);

/// What the index says to a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Its key was unknown, and is known from now on.
    New,
    /// The same segment is stored already.
    Duplicate,
    /// A segment with the same key is stored, with another end time.
    Conflict { stored_end_time: i64 },
}

impl KeyIndex {
    pub(crate) fn new() -> Self {
        let random = RandomState::new();
        Self { secret: (random.hash_one(0), random.hash_one(1)), end_times: HashMap::default() }
    }

    /// Takes keys in on trial.
    pub(crate) fn on_trial(&mut self) -> Trial<'_> {
        Trial { keys: self, new: Vec::new() }
    }

    fn hash(&self, account: &str, conversation: &str, index: u32) -> KeyHash {
        let mut hasher = SipHasher13::new_with_keys(self.secret.0, self.secret.1);
        hasher.write_u32(index);
        // The lengths keep ("ab", "c") apart from ("a", "bc").
        hasher.write_usize(account.len());
        hasher.write(account.as_bytes());
        hasher.write(conversation.as_bytes());
        let hash = hasher.finish128();
        KeyHash([hash.h1, hash.h2])
    }
}

/// The keys of a batch that is being stored. They are forgotten again with this value, also in a panic, unless they are
/// [kept](Self::keep).
#[derive(Debug)]
pub(crate) struct Trial<'k> {
    keys: &'k mut KeyIndex,
    new: Vec<KeyHash>,
}

impl Trial<'_> {
    /// Takes the key in, unless it is there: the first write wins.
    pub(crate) fn admit(&mut self, account: &str, conversation: &str, index: u32, end_time: i64) -> Admission {
        let hash = self.keys.hash(account, conversation, index);
        match self.keys.end_times.entry(hash) {
            Entry::Vacant(vacant) => {
                vacant.insert(end_time);
                self.new.push(hash);
                Admission::New
            }
            Entry::Occupied(stored) if *stored.get() == end_time => Admission::Duplicate,
            Entry::Occupied(stored) => Admission::Conflict { stored_end_time: *stored.get() },
        }
    }

    /// The segments are stored: their keys stay.
    pub(crate) fn keep(mut self) {
        self.new.clear();
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        for hash in &self.new {
            self.keys.end_times.remove(hash);
        }
    }
}

impl std::hash::Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

/// A key is a good hash already: the map takes the first half of it as it is.
#[derive(Debug, Default)]
struct Prehashed(u64);

impl Hasher for Prehashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_write_of_a_key_wins() {
        let mut keys = KeyIndex::new();
        let mut trial = keys.on_trial();
        assert_eq!(trial.admit("a", "c", 0, 5), Admission::New);
        assert_eq!(trial.admit("a", "c", 0, 5), Admission::Duplicate);
        trial.keep();
        assert_eq!(keys.on_trial().admit("a", "c", 0, 6), Admission::Conflict { stored_end_time: 5 });
    }

    #[test]
    fn account_conversation_and_index_all_belong_to_the_key() {
        let mut keys = KeyIndex::new();
        let mut trial = keys.on_trial();
        for (account, conversation, index) in [("ab", "c", 0), ("a", "bc", 0), ("ab", "c", 1), ("ab", "", 0)] {
            assert_eq!(trial.admit(account, conversation, index, 5), Admission::New);
        }
    }

    #[test]
    fn a_key_that_is_not_kept_is_new_again() {
        let mut keys = KeyIndex::new();
        assert_eq!(keys.on_trial().admit("a", "c", 0, 5), Admission::New);
        assert_eq!(keys.on_trial().admit("a", "c", 0, 6), Admission::New);
    }
}
