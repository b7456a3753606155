//! Objects in memory, and sinks that keep nothing.

use std::sync::RwLock;

use crate::object::error::StoreError;
use crate::object::id::{IdMap, ObjectId};
use crate::object::kind::ObjectKind;
use crate::object::source::{Object, ObjectSink, ObjectSource};

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
