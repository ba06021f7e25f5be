//! The views of one session, which are gone with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use skillscope_store::{RelationError, RelationKind, RelationName};

/// The most temporary views of a session, and the most bytes of their texts.
const MOST: usize = 100;
const MOST_BYTES: usize = 1 << 20;

/// The views of one session.
#[derive(Debug, Default)]
pub(in crate::sql) struct TemporaryViews(Mutex<BTreeMap<RelationName, Arc<str>>>);

impl TemporaryViews {
    pub(in crate::sql) fn query(&self, name: &str) -> Option<Arc<str>> {
        self.0.lock().get(&RelationName::parse(name).ok()?).cloned()
    }

    pub(in crate::sql) fn names(&self) -> Vec<String> {
        self.0.lock().keys().map(ToString::to_string).collect()
    }

    pub(super) fn put(&self, name: RelationName, query: &str, may_replace: bool) -> Result<(), RelationError> {
        let mut views = self.0.lock();
        let is_there = views.contains_key(&name);
        if is_there && !may_replace {
            return Err(RelationError::Exists { name });
        }
        let of = "of this session";
        if !is_there && views.len() >= MOST {
            return Err(RelationError::TooMany { most: MOST, of });
        }
        let others = views.iter().filter(|(known, _)| **known != name).map(|(_, query)| query.len());
        let bytes = others.fold(query.len(), usize::saturating_add);
        if bytes > MOST_BYTES {
            return Err(RelationError::TooLarge { bytes: bytes as u64, most: MOST_BYTES as u64, of });
        }
        views.insert(name, Arc::from(query));
        Ok(())
    }

    pub(super) fn has(&self, name: &RelationName) -> bool {
        self.0.lock().contains_key(name)
    }

    pub(super) fn remove(&self, name: &RelationName) -> Result<(), RelationError> {
        let missing = || RelationError::Missing { kind: RelationKind::View, name: name.clone() };
        self.0.lock().remove(name).map(drop).ok_or_else(missing)
    }

    pub(super) fn rename(&self, name: &RelationName, to: RelationName) -> Result<(), RelationError> {
        let mut views = self.0.lock();
        if views.contains_key(&to) {
            return Err(RelationError::Exists { name: to });
        }
        let missing = || RelationError::Missing { kind: RelationKind::View, name: name.clone() };
        let query = views.remove(name).ok_or_else(missing)?;
        views.insert(to, query);
        Ok(())
    }

    /// Forgets all of them.
    pub(in crate::sql) fn clear(&self) {
        self.0.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_so_many_views_and_no_more() {
        let views = TemporaryViews::default();
        let name = |number: usize| RelationName::parse(&format!("v{number}")).unwrap();
        (0..MOST).for_each(|number| views.put(name(number), "select 1", false).unwrap());
        let refused = views.put(name(MOST), "select 1", true).unwrap_err();
        assert_eq!(refused, RelationError::TooMany { most: MOST, of: "of this session" });
        views.put(name(1), "select 2", true).unwrap();
        assert_eq!(views.put(name(1), "select 2", false), Err(RelationError::Exists { name: name(1) }));
        views.remove(&name(0)).unwrap();
        let long = "x".repeat(MOST_BYTES);
        assert!(matches!(views.put(name(0), &long, false), Err(RelationError::TooLarge { .. })));
        views.rename(&name(1), name(0)).unwrap();
        assert_eq!(views.query("v0").as_deref(), Some("select 2"));
        assert_eq!(views.query("v1"), None);
        views.clear();
        views.put(name(0), &long, false).unwrap();
    }
}
