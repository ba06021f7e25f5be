//! All tables and views of one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use skillscope_segment::AccountId;

use super::{Relation, RelationError, RelationName};

/// The most tables and views: of one account, or for all; and of everybody together.
const MOST_OF_ONE: usize = 1_000;
const MOST: usize = 10_000;

/// The least bytes that there are for one: those of a table.
const LEAST_OF_ONE: u64 = skillscope_segment::MAX_TABLE_BYTES as u64;

type Named = BTreeMap<RelationName, Arc<Relation>>;

/// All tables and views of one moment.
#[derive(Debug, Clone, Default)]
pub struct RelationSet {
    by_owner: BTreeMap<Option<AccountId>, Named>,
}

impl RelationSet {
    /// What an account sees under a name: its own, or else what is for all. Without an account, what is for all.
    pub fn seen_by(&self, account: Option<&AccountId>, name: &str) -> Option<&Arc<Relation>> {
        let name = RelationName::parse(name).ok()?;
        self.own(account, &name).or_else(|| self.own(None, &name))
    }

    /// Everything that an account sees, in order of name. Without an account, what is for all.
    pub fn all_seen_by(&self, account: Option<&AccountId>) -> impl Iterator<Item = &Arc<Relation>> {
        let named = |owner: Option<&AccountId>| self.by_owner.get(&owner.cloned()).into_iter().flatten();
        // Its own come last, and win.
        named(None).chain(named(account)).collect::<BTreeMap<_, _>>().into_values()
    }

    /// What is kept for an account itself, or for all.
    pub fn own(&self, owner: Option<&AccountId>, name: &RelationName) -> Option<&Arc<Relation>> {
        self.by_owner.get(&owner.cloned())?.get(name)
    }

    /// Everything.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Relation>> {
        self.by_owner.values().flat_map(BTreeMap::values)
    }

    pub(super) fn add(&mut self, relation: Arc<Relation>) {
        let named = self.by_owner.entry(relation.owner().cloned()).or_default();
        named.insert(relation.name().clone(), relation);
    }

    pub(super) fn with(&self, relation: Arc<Relation>) -> Self {
        let mut set = self.clone();
        set.add(relation);
        set
    }

    pub(super) fn without<'n>(
        &self,
        owner: Option<&AccountId>,
        names: impl IntoIterator<Item = &'n RelationName>,
    ) -> Self {
        let mut set = self.clone();
        if let Some(named) = set.by_owner.get_mut(&owner.cloned()) {
            names.into_iter().for_each(|name| drop(named.remove(name)));
        }
        set
    }
}

/// The room that there is for tables and views.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) bytes: u64,
}

impl Room {
    /// Checks that there is room for one more. No account takes more than half of it.
    pub(super) fn check(self, set: &RelationSet, new: &Relation) -> Result<(), RelationError> {
        let is_same = |known: &Relation| known.owner() == new.owner() && known.name() == new.name();
        let of = |filter: &dyn Fn(&Relation) -> bool| {
            let counted = set.all().filter(|known| filter(known) && !is_same(known));
            counted.fold((1, new.bytes()), |(count, bytes), known| (count + 1, known.bytes().saturating_add(bytes)))
        };
        let (count, bytes) = of(&|_| true);
        if bytes > self.bytes {
            return Err(RelationError::NoRoom { most: self.bytes });
        }
        within(count, MOST, bytes, self.bytes, "of everybody")?;
        let (count, bytes) = of(&|known| known.owner() == new.owner());
        match new.owner() {
            Some(_) => within(count, MOST_OF_ONE, bytes, (self.bytes / 2).max(LEAST_OF_ONE), "of this account"),
            None => within(count, MOST_OF_ONE, bytes, self.bytes, "for all"),
        }
    }
}

fn within(count: usize, most: usize, bytes: u64, most_bytes: u64, of: &'static str) -> Result<(), RelationError> {
    if count > most {
        return Err(RelationError::TooMany { most, of });
    }
    if bytes > most_bytes {
        return Err(RelationError::TooLarge { bytes, most: most_bytes, of });
    }
    Ok(())
}
