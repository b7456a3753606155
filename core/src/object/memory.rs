//! Objects in memory, and a sink that discards them.

use std::sync::{Arc, RwLock};

use crate::object::error::StoreError;
use crate::object::id::{IdMap, ObjectId};
use crate::object::kind::ObjectKind;
use crate::object::source::{Object, ObjectSink, ObjectSource};

/// A sink that discards objects: for computing a tree's id without storing the tree.
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

/// Objects in memory on top of another source. They are never stored: for trees that one
/// computation needs.
pub struct ScratchObjects<'a> {
    below: &'a dyn ObjectSource,
    above: Arc<MemoryObjects>,
}

impl<'a> ScratchObjects<'a> {
    /// Returns an empty layer on top of `below`.
    pub fn over(below: &'a dyn ObjectSource) -> Self {
        Self::with(below, Arc::default())
    }

    /// Returns a layer with the objects that another one holds.
    pub fn with(below: &'a dyn ObjectSource, above: Arc<MemoryObjects>) -> Self {
        Self { below, above }
    }

    /// Returns the objects that are in memory.
    pub fn above(&self) -> Arc<MemoryObjects> {
        Arc::clone(&self.above)
    }

    /// Returns how many objects are in memory.
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
        Ok(ObjectSource::has(&*self.above, id)? || self.below.has(id)?)
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

/// A sink that passes objects on, and a source with all nodes that it was given: a writer cannot be read
/// before it has finished.
pub struct KeptNodes<'a> {
    sink: &'a dyn ObjectSink,
    nodes: ScratchObjects<'a>,
}

impl<'a> KeptNodes<'a> {
    /// Passes objects on to `sink`, and reads what it was not given from `source`.
    pub fn of(source: &'a dyn ObjectSource, sink: &'a dyn ObjectSink) -> Self {
        Self { sink, nodes: ScratchObjects::over(source) }
    }
}

impl ObjectSink for KeptNodes<'_> {
    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        self.sink.has(id)
    }

    fn put(&self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<(), StoreError> {
        if kind == ObjectKind::Tree {
            self.nodes.put(kind, id, bytes)?;
        }
        self.sink.put(kind, id, bytes)
    }
}

impl ObjectSource for KeptNodes<'_> {
    fn object(&self, id: &ObjectId) -> Result<Object, StoreError> {
        self.nodes.object(id)
    }

    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        ObjectSource::has(&self.nodes, id)
    }
}

/// Objects in memory, as a source and a sink: for tests, and for trees that are used often.
#[derive(Debug, Default)]
pub struct MemoryObjects {
    objects: RwLock<IdMap<ObjectId, Object>>,
}

impl MemoryObjects {
    /// Returns how many objects there are.
    pub fn len(&self) -> usize {
        self.objects.read().expect("no writer panics").len()
    }

    /// Returns whether there are none.
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
