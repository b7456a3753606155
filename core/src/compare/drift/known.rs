//! Counts of directories that a walk has compared already.
//!
//! One directory may be used under many names, and so may its subdirectories: a tree of a few
//! nodes can have more paths than can be walked. The counts are the same under each of these names.

use std::collections::HashMap;
use std::sync::RwLock;

use crate::compare::drift::counts::Counts;
use crate::object::id::TreeId;

/// Two directories, the source's first, and their depth. The depth is part of the key because
/// nesting too deep is an error, even if the directories were compared at a smaller depth. These
/// ids are only claimed, hence the standard hasher.
pub(super) type Key = (usize, TreeId, TreeId);

/// Counts of pairs of directories, shared by all threads of a walk.
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
