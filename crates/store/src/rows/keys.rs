//! The keys of segments, by which each segment counts once.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Int32Type, TimestampMillisecondType, UInt32Type};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use siphasher::sip128::{Hasher128, SipHasher13};
use skillscope_segment::column;

use crate::error::Result;

/// Bits of an end time in milliseconds since the epoch: enough for the years to 2199.
const TIME_BITS: u32 = 43;

/// Tables of an index. Each grows by itself, so that little is copied, and held twice, at a time.
const TABLES: usize = 64;

/// Memory that the key of a row takes, about: 16 bytes in tables that are half to almost full.
pub(crate) const KEY_BYTES: usize = 28;

/// Turns keys of segments into hashes under a random secret: nobody outside can find two keys that share one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyHasher {
    secret: (u64, u64),
}

/// The hash of a key: 85 bits of SipHash. Among a billion segments a new one shares its hash with a probability of
/// 3·10⁻¹⁷.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyHash([u64; 2]);

impl KeyHasher {
    pub(crate) fn new() -> Self {
        let random = RandomState::new();
        Self { secret: (random.hash_one(0), random.hash_one(1)) }
    }

    pub(crate) fn hash(&self, account: &str, conversation: &str, index: u32) -> KeyHash {
        let mut hasher = SipHasher13::new_with_keys(self.secret.0, self.secret.1);
        hasher.write_u32(index);
        // The length keeps ("ab", "c") apart from ("a", "bc").
        hasher.write_usize(account.len());
        hasher.write(account.as_bytes());
        hasher.write(conversation.as_bytes());
        let hash = hasher.finish128();
        KeyHash([hash.h1, hash.h2 >> TIME_BITS])
    }
}

/// The key of a row, with its end time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key<'b> {
    pub(crate) account: &'b str,
    pub(crate) conversation: &'b str,
    pub(crate) index: u32,
    pub(crate) end_time: i64,
}

/// The keys of a batch's rows.
pub(crate) struct KeyColumns<'b> {
    accounts: &'b StringArray,
    account_keys: &'b [i32],
    conversations: &'b StringArray,
    indexes: &'b [u32],
    end_times: &'b [i64],
}

impl<'b> KeyColumns<'b> {
    /// The columns of `batch`, which is of the schema of segments.
    pub(crate) fn new(batch: &'b RecordBatch) -> Result<Self> {
        let column = |name: &str| Ok::<_, arrow::error::ArrowError>(batch.column(batch.schema().index_of(name)?));
        let accounts = column(column::ACCOUNT_ID)?.as_dictionary::<Int32Type>();
        Ok(Self {
            accounts: accounts.values().as_string(),
            account_keys: accounts.keys().values(),
            conversations: column(column::CONVERSATION_ID)?.as_string(),
            indexes: column(column::SEGMENT_INDEX)?.as_primitive::<UInt32Type>().values(),
            end_times: column(column::END_TIME)?.as_primitive::<TimestampMillisecondType>().values(),
        })
    }

    /// The conversation of a row of the batch.
    pub(crate) fn conversation(&self, row: usize) -> &'b str {
        self.conversations.value(row)
    }

    /// The accounts of the rows.
    pub(crate) fn accounts(&self) -> BTreeSet<&'b str> {
        let neighbours = self.account_keys.chunk_by(|a, b| a == b);
        neighbours.filter_map(|same| Some(self.accounts.value(*same.first()? as usize))).collect()
    }

    /// The key of a row of the batch; `None` past its end.
    pub(crate) fn key(&self, row: usize) -> Option<Key<'b>> {
        let account = self.accounts.value(*self.account_keys.get(row)? as usize);
        let (index, end_time) = (*self.indexes.get(row)?, *self.end_times.get(row)?);
        Some(Key { account, conversation: self.conversations.value(row), index, end_time })
    }

    /// For each row account, conversation, segment index and end time.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'b str, &'b str, u32, i64)> + use<'b> {
        let (accounts, conversations) = (self.accounts, self.conversations);
        let places = self.account_keys.iter().zip(0..).zip(self.indexes).zip(self.end_times);
        places.map(move |(((account, row), index), end_time)| {
            (accounts.value(*account as usize), conversations.value(row), *index, *end_time)
        })
    }
}

/// The keys of segments with their end times: 16 bytes each, and the tables' slack.
#[derive(Debug)]
pub(crate) struct KeyIndex {
    tables: Vec<HashTable<[u64; 2]>>,
}

/// The answer of an index to a segment.
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
        Self { tables: vec![HashTable::new(); TABLES] }
    }

    /// Takes keys in on trial.
    pub(crate) fn on_trial(&mut self) -> Trial<'_> {
        Trial { keys: self, new: Vec::new() }
    }

    /// The answer to a segment, whose key is not taken in.
    pub(crate) fn ask(&self, hash: KeyHash, end_time: i64) -> Admission {
        let Some(table) = self.tables.get(table_of(hash)) else { return Admission::New };
        let exact = pack(hash, end_time);
        if table.find(hash.0[0], |entry| *entry == exact).is_some() {
            return Admission::Duplicate;
        }
        match table.find(hash.0[0], |entry| is_of(entry, hash)) {
            Some(stored) => Admission::Conflict { stored_end_time: end_time_of(stored) },
            None => Admission::New,
        }
    }

    /// Whether the key is there, with any end time.
    pub(crate) fn has(&self, hash: KeyHash) -> bool {
        let table = self.tables.get(table_of(hash));
        table.is_some_and(|table| table.find(hash.0[0], |entry| is_of(entry, hash)).is_some())
    }

    /// Takes the key in, unless it is there: the first write wins.
    pub(crate) fn admit(&mut self, hash: KeyHash, end_time: i64) -> Admission {
        let admission = self.ask(hash, end_time);
        if admission == Admission::New {
            self.insert(hash, end_time);
        }
        admission
    }

    /// Takes in the key of a stored row, even where the same key is there with another end time. Tells whether key and
    /// end time are new.
    pub(crate) fn insert(&mut self, hash: KeyHash, end_time: i64) -> bool {
        let Some(table) = self.tables.get_mut(table_of(hash)) else { return false };
        let exact = pack(hash, end_time);
        match table.entry(hash.0[0], |entry| *entry == exact, |entry| entry[0]) {
            Entry::Vacant(vacant) => {
                vacant.insert(exact);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    pub(crate) fn remove(&mut self, hash: KeyHash, end_time: i64) {
        let Some(table) = self.tables.get_mut(table_of(hash)) else { return };
        let exact = pack(hash, end_time);
        if let Ok(entry) = table.find_entry(hash.0[0], |entry| *entry == exact) {
            entry.remove();
        }
    }

    /// Gives back memory of keys that have been removed.
    pub(crate) fn shrink(&mut self) {
        for table in &mut self.tables {
            if table.len() < table.capacity() / 4 {
                table.shrink_to_fit(|entry| entry[0]);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.tables.iter().map(HashTable::len).sum()
    }

    /// Memory that the index takes.
    pub(crate) fn bytes(&self) -> usize {
        self.tables.iter().map(HashTable::allocation_size).sum()
    }
}

/// A table is chosen by other bits than the table itself looks at first.
fn table_of(hash: KeyHash) -> usize {
    (hash.0[1] as usize) % TABLES
}

fn pack(hash: KeyHash, end_time: i64) -> [u64; 2] {
    [hash.0[0], (hash.0[1] << TIME_BITS) | time_bits(end_time)]
}

fn is_of(entry: &[u64; 2], hash: KeyHash) -> bool {
    entry[0] == hash.0[0] && entry[1] >> TIME_BITS == hash.0[1]
}

fn end_time_of(entry: &[u64; 2]) -> i64 {
    (entry[1] & ((1 << TIME_BITS) - 1)) as i64
}

/// Times were checked to lie within 1970 to 2199.
fn time_bits(end_time: i64) -> u64 {
    (end_time as u64) & ((1 << TIME_BITS) - 1)
}

/// The keys of batches that are being stored. They are forgotten again with this value, also in a panic, unless they
/// are [kept](Self::keep).
#[derive(Debug)]
pub(crate) struct Trial<'k> {
    keys: &'k mut KeyIndex,
    new: Vec<(KeyHash, i64)>,
}

impl Trial<'_> {
    /// Takes the key in, unless it is there: the first write wins.
    pub(crate) fn admit(&mut self, hash: KeyHash, end_time: i64) -> Admission {
        let admission = self.keys.admit(hash, end_time);
        if admission == Admission::New {
            self.new.push((hash, end_time));
        }
        admission
    }

    /// Whether the key is there, with any end time.
    pub(crate) fn has(&self, hash: KeyHash) -> bool {
        self.keys.has(hash)
    }

    /// The segments are stored: their keys stay.
    pub(crate) fn keep(mut self) {
        self.new.clear();
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        for (hash, end_time) in &self.new {
            self.keys.remove(*hash, *end_time);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_write_of_a_key_wins() {
        let hash = KeyHasher::new().hash("a", "c", 0);
        let mut keys = KeyIndex::new();
        let mut trial = keys.on_trial();
        assert_eq!(trial.admit(hash, 5), Admission::New);
        assert_eq!(trial.admit(hash, 5), Admission::Duplicate);
        trial.keep();
        assert_eq!(keys.on_trial().admit(hash, 6), Admission::Conflict { stored_end_time: 5 });
    }

    #[test]
    fn account_conversation_and_index_all_belong_to_the_key() {
        let hasher = KeyHasher::new();
        let mut keys = KeyIndex::new();
        for (account, conversation, index) in [("ab", "c", 0), ("a", "bc", 0), ("ab", "c", 1), ("ab", "", 0)] {
            assert_eq!(keys.admit(hasher.hash(account, conversation, index), 5), Admission::New);
        }
    }

    #[test]
    fn a_key_that_is_not_kept_is_new_again() {
        let hash = KeyHasher::new().hash("a", "c", 0);
        let mut keys = KeyIndex::new();
        assert_eq!(keys.on_trial().admit(hash, 5), Admission::New);
        assert_eq!(keys.on_trial().admit(hash, 6), Admission::New);
        assert_eq!(keys.len(), 0);
    }

    #[test]
    fn a_key_that_is_stored_twice_is_known_with_both_end_times() {
        let hash = KeyHasher::new().hash("a", "c", 0);
        let mut keys = KeyIndex::new();
        assert!(keys.insert(hash, 5) && keys.insert(hash, 6) && !keys.insert(hash, 6));
        assert_eq!((keys.ask(hash, 5), keys.ask(hash, 6)), (Admission::Duplicate, Admission::Duplicate));
        assert!(matches!(keys.ask(hash, 7), Admission::Conflict { .. }));
        keys.remove(hash, 5);
        assert_eq!(
            (keys.ask(hash, 5), keys.ask(hash, 6)),
            (Admission::Conflict { stored_end_time: 6 }, Admission::Duplicate)
        );
    }

    proptest! {
        /// After any steps the index gives the answers of a map, to the last millisecond of 2199.
        #[test]
        fn an_index_is_a_map(steps in prop::collection::vec((0..40_u32, any::<bool>(), 0..7_258_118_400_000_i64), 0..300)) {
            let hasher = KeyHasher::new();
            let (mut keys, mut map) = (KeyIndex::new(), HashMap::new());
            for (key, is_removal, end_time) in steps {
                let hash = hasher.hash("acme", &format!("c-{key}"), key);
                let stored = map.get(&key).copied();
                if let (true, Some(stored)) = (is_removal, stored) {
                    keys.remove(hash, stored);
                    map.remove(&key);
                    prop_assert_eq!(keys.ask(hash, stored), Admission::New);
                } else {
                    let expected = stored.map_or(Admission::New, |stored_end_time| match stored_end_time == end_time {
                        true => Admission::Duplicate,
                        false => Admission::Conflict { stored_end_time },
                    });
                    prop_assert_eq!(keys.admit(hash, end_time), expected);
                    map.entry(key).or_insert(end_time);
                    prop_assert_eq!(keys.ask(hash, map[&key]), Admission::Duplicate);
                }
                keys.shrink();
            }
            prop_assert_eq!(keys.len(), map.len());
        }
    }
}
