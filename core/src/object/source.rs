//! Objects: what a store holds, and the two traits between those who make objects and those who keep them.
//!
//! Each object is self-verifying: its id is the hash of its bytes under the rule of its kind
//! (see [`crate::object::id`]), so a store can be checked without knowing what points at what.

use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::object::error::StoreError;
use crate::object::id::ObjectId;
use crate::object::kind::ObjectKind;

/// An object's bytes: a range of a shared, decompressed block.
#[derive(Debug, Clone)]
pub struct Object {
    block: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Object {
    /// The bytes in `range` of `block`.
    ///
    /// # Panics
    /// Where `range` is not within `block`.
    pub fn new(block: Arc<Vec<u8>>, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= block.len(), "range within its block");
        Self { block, range }
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

/// Gives objects by id. Calls may come from many threads.
pub trait ObjectSource: Sync {
    /// The object's verified bytes; [`StoreError::Missing`] where the source does not hold it.
    fn object(&self, id: &ObjectId) -> Result<Object, StoreError>;

    /// Whether the source holds the object.
    fn has(&self, id: &ObjectId) -> Result<bool, StoreError>;
}

/// Takes objects. Calls may come from many threads; nothing is durable before the sink's own
/// `finish`. To give an object twice is harmless.
pub trait ObjectSink: Sync {
    /// Whether an object need not be given, being stored already or on its way.
    fn has(&self, id: &ObjectId) -> Result<bool, StoreError>;

    /// Takes an object whose id the caller has computed from `bytes` under `kind`'s rule.
    fn put(&self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<(), StoreError>;
}
