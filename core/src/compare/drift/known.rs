//! Counts of directories that a walk has compared already.
//!
//! A directory may stand under many names, and hold others that do: a tree of a few nodes can have
//! more paths than can be walked. Counts are the same under each of them.

use std::collections::HashMap;
use std::sync::RwLock;

use crate::compare::drift::counts::Counts;
use crate::object::id::TreeId;

/// Two directories, the source's first, and how deep they lie: what stands too deep is refused,
/// whatever was found where it stood higher. Ids here are claims, hence the standard hasher.
pub(super) type Key = (usize, TreeId, TreeId);

/// Counts of pairs of directories, for all threads of a walk.
#[derive(Default)]
pub(super) struct Known(RwLock<HashMap<Key, Counts>>);

impl Known {
    pub(super) fn get(&self, key: &Key) -> Option<Counts> {
        self.0.read().expect("no holder of the lock panics").get(key).copied()
    }

    pub(super) fn insert(&self, key: Key, counts: Counts) {
        self.0.write().expect("no holder of the lock panics").insert(key, counts);
    }
}
