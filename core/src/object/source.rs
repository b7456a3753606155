//! Objects, and the traits between the code that makes them and the code that keeps them.
//!
//! Each object can be verified by itself: its id is the hash of its bytes, by the rule of its kind
//! (see [`crate::object::id`]). So a store can be checked without knowing how objects refer to each
//! other.

use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::object::error::StoreError;
use crate::object::id::ObjectId;
use crate::object::kind::ObjectKind;

/// An object's bytes: a range of a decompressed block, which other objects share.
#[derive(Debug, Clone)]
pub struct Object {
    block: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Object {
    /// Returns the object in `range` of `block`.
    ///
    /// # Panics
    /// If `range` is not within `block`.
    pub fn new(block: Arc<Vec<u8>>, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= block.len(), "range within its block");
        Self { block, range }
    }
}

impl Object {
    /// Returns the object with bytes of its own, so that keeping it does not keep its whole block in
    /// memory.
    pub fn detached(self) -> Self {
        if self.range.len() == self.block.len() { self } else { self.to_vec().into() }
    }
}

impl From<Vec<u8>> for Object {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Self { block: Arc::new(bytes), range }
    }
}

impl Deref for Object {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.block[self.range.clone()]
    }
}

/// Where objects are read from. May be called from many threads.
pub trait ObjectSource: Sync {
    /// Returns the object's bytes, verified against `id`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the source does not have the object.
    fn object(&self, id: &ObjectId) -> Result<Object, StoreError>;

    /// Returns whether the source has the object.
    fn has(&self, id: &ObjectId) -> Result<bool, StoreError>;
}

/// Where objects are put. May be called from many threads. Nothing is durable before the
/// implementation's own `finish`. Putting an object twice is harmless.
pub trait ObjectSink: Sync {
    /// Returns whether the object need not be put, since it is stored or was put already.
    fn has(&self, id: &ObjectId) -> Result<bool, StoreError>;

    /// Takes an object. The caller has computed `id` from `bytes` by the rule of `kind`.
    fn put(&self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<(), StoreError>;
}
