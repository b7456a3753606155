//! Objects: what a store holds, and the two traits between those who make objects and those who keep them.
//!
//! Each object is self-verifying: its id is the hash of its bytes under the rule of its kind
//! (see [`crate::id`]), so a store can be checked without knowing what points at what.

use std::ops::{Deref, Range};
use std::sync::{Arc, RwLock};

use crate::id::{BlobId, IdMap, ListId, ObjectId, TreeId};
use crate::store::StoreError;

/// No object is larger: bounds what a reader allocates for a hostile pack.
pub const OBJECT_BYTES_MAX: usize = 64 << 20;

/// The rule by which an object's id follows from its bytes. The numbers are stored in packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ObjectKind {
    /// A file's bytes, a symlink's target, or a chunk.
    Blob = 0,
    /// An encoded tree node.
    Tree = 1,
    /// An encoded chunk list.
    List = 2,
}

impl ObjectKind {
    /// The kind with this stored number.
    pub fn from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Blob),
            1 => Some(Self::Tree),
            2 => Some(Self::List),
            _ => None,
        }
    }

    /// The id that `bytes` have as this kind of object.
    pub fn id_of(self, bytes: &[u8]) -> ObjectId {
        match self {
            Self::Blob => BlobId::of(bytes).into(),
            Self::Tree => TreeId::of(bytes).into(),
            Self::List => ListId::of(bytes).into(),
        }
    }
}

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

/// A sink that keeps nothing: to learn a tree's id without storing it.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoSink;

impl ObjectSink for NoSink {
    fn has(&self, _: &ObjectId) -> Result<bool, StoreError> {
        Ok(true)
    }

    fn put(&self, _: ObjectKind, _: ObjectId, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A source with more objects in memory on top, which nothing stores: for trees that serve one
/// computation.
pub struct ScratchObjects<'a> {
    below: &'a dyn ObjectSource,
    above: MemoryObjects,
}

impl<'a> ScratchObjects<'a> {
    /// On top of `below`, with nothing of its own.
    pub fn over(below: &'a dyn ObjectSource) -> Self {
        Self { below, above: MemoryObjects::default() }
    }

    /// How many objects are held in memory.
    pub fn held(&self) -> usize {
        self.above.len()
    }
}

impl ObjectSource for ScratchObjects<'_> {
    fn object(&self, id: &ObjectId) -> Result<Object, StoreError> {
        match self.above.object(id) {
            Err(StoreError::Missing { .. }) => self.below.object(id),
            found => found,
        }
    }

    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(ObjectSource::has(&self.above, id)? || self.below.has(id)?)
    }
}

impl ObjectSink for ScratchObjects<'_> {
    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        ObjectSource::has(self, id)
    }

    fn put(&self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<(), StoreError> {
        self.above.put(kind, id, bytes)
    }
}

/// Objects in memory, as source and sink: for tests, and for trees kept hot.
#[derive(Debug, Default)]
pub struct MemoryObjects {
    objects: RwLock<IdMap<ObjectId, Object>>,
}

impl MemoryObjects {
    /// How many objects are held.
    pub fn len(&self) -> usize {
        self.objects.read().expect("no writer panics").len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ObjectSource for MemoryObjects {
    fn object(&self, id: &ObjectId) -> Result<Object, StoreError> {
        let objects = self.objects.read().expect("no writer panics");
        objects.get(id).cloned().ok_or(StoreError::Missing { id: *id })
    }

    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(self.objects.read().expect("no writer panics").contains_key(id))
    }
}

impl ObjectSink for MemoryObjects {
    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        ObjectSource::has(self, id)
    }

    fn put(&self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<(), StoreError> {
        debug_assert_eq!(kind.id_of(bytes), id, "an object is given with the id of its bytes");
        self.objects.write().expect("no writer panics").insert(id, bytes.to_vec().into());
        Ok(())
    }
}
