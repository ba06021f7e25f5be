//! Lists in chunks, which are shared until they change.

use std::sync::Arc;

/// A list whose items are in chunks of `SIZE`, so that a change copies no more than a chunk where somebody holds the list.
#[derive(Debug, Clone)]
pub(super) struct ChunkedList<T, const SIZE: usize> {
    chunks: Vec<Arc<Vec<T>>>,
}

impl<T, const SIZE: usize> Default for ChunkedList<T, SIZE> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T: Clone, const SIZE: usize> ChunkedList<T, SIZE> {
    pub(super) fn len(&self) -> usize {
        let before_last = self.chunks.len().saturating_sub(1).saturating_mul(SIZE);
        self.chunks.last().map_or(0, |last| before_last.saturating_add(last.len()))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    pub(super) fn get(&self, place: usize) -> Option<&T> {
        self.chunks.get(place / SIZE)?.get(place % SIZE)
    }

    pub(super) fn push(&mut self, item: T) {
        match self.chunks.last_mut().filter(|last| last.len() < SIZE) {
            Some(last) => Arc::make_mut(last).push(item),
            None => {
                // A skill with few conversations has room for few.
                let mut chunk = Vec::with_capacity(if self.chunks.is_empty() { 4 } else { SIZE });
                chunk.push(item);
                self.chunks.push(Arc::new(chunk));
            }
        }
    }

    /// Puts another item at a place.
    pub(super) fn replace(&mut self, place: usize, item: T) {
        if let Some(chunk) = self.chunks.get_mut(place / SIZE)
            && let Some(old) = Arc::make_mut(chunk).get_mut(place % SIZE)
        {
            *old = item;
        }
    }

    /// Removes an item, and puts the last one into its place. Gives the one that moved.
    pub(super) fn swap_remove(&mut self, place: usize) -> Option<&T> {
        let last = self.chunks.last_mut().and_then(|last| Arc::make_mut(last).pop())?;
        if self.chunks.last().is_some_and(|last| last.is_empty()) {
            self.chunks.pop();
        }
        if place == self.len() {
            return None;
        }
        self.replace(place, last);
        self.get(place)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_list_and_whoever_holds_it_sees_no_change(
            changes in prop::collection::vec((0..3_u8, any::<prop::sample::Index>(), any::<u32>()), 1..200),
        ) {
            let mut list = ChunkedList::<u32, 4>::default();
            let mut expected: Vec<u32> = Vec::new();
            for (change, place, value) in changes {
                let (held, was) = (list.clone(), expected.clone());
                match change {
                    _ if expected.is_empty() || change == 0 => {
                        list.push(value);
                        expected.push(value);
                    }
                    1 => {
                        let place = place.index(expected.len());
                        list.replace(place, value);
                        expected[place] = value;
                    }
                    _ => {
                        let place = place.index(expected.len());
                        let moved = list.swap_remove(place).copied();
                        expected.swap_remove(place);
                        prop_assert_eq!(moved, expected.get(place).copied());
                    }
                }
                prop_assert_eq!(list.len(), expected.len());
                prop_assert!(list.iter().eq(expected.iter()));
                prop_assert!(held.iter().eq(was.iter()));
            }
        }
    }
}
