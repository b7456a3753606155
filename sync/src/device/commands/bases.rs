//! The trees from which workspaces parted, for comparisons of many pairs.

use std::cell::RefCell;
use std::collections::HashMap;

use fastest_core::compare::ancestry::{Ancestry, History};
use fastest_core::compare::merge_base::merge_base;
use fastest_core::compare::parting::best_common;
use fastest_core::object::id::TreeId;
use fastest_core::object::memory::ScratchObjects;
use fastest_schema::{ProjectId, SnapshotId};

use crate::device::open::OpenDevice;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::rows::snapshots::{Lineage, Snapshots};

/// What two snapshots started from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
    /// They have no common past, or one of them is missing.
    None,
    /// A snapshot.
    Snapshot(SnapshotId, TreeId),
    /// Several snapshots, merged in memory.
    Merged(TreeId),
}

impl Base {
    pub(crate) fn tree(&self) -> Option<&TreeId> {
        match self {
            Self::None => None,
            Self::Snapshot(_, tree) | Self::Merged(tree) => Some(tree),
        }
    }

    pub(crate) fn snapshot_id(&self) -> Option<&SnapshotId> {
        match self {
            Self::Snapshot(id, _) => Some(id),
            Self::None | Self::Merged(_) => None,
        }
    }
}

/// The bases of a project's snapshots. What was read and found is remembered, so this must not outlive a
/// change.
pub(crate) struct Bases<'a> {
    history: Remembered<'a>,
    scratch: &'a ScratchObjects<'a>,
    found: HashMap<[SnapshotId; 2], Base>,
}

impl<'a> Bases<'a> {
    /// Virtual bases are put into `scratch`.
    pub(crate) fn new(
        device: &'a OpenDevice,
        project_id: &'a ProjectId,
        scratch: &'a ScratchObjects<'a>,
    ) -> Self {
        let lineage = Snapshots(device.replica.read()).lineage(project_id);
        let history = Remembered { device, lineage, trees: RefCell::default() };
        Self { history, scratch, found: HashMap::new() }
    }

    /// Returns the base of two heads. It is the same whichever is ours.
    pub(crate) fn of(
        &mut self,
        ours: Option<&SnapshotId>,
        theirs: Option<&SnapshotId>,
    ) -> Result<Base, SyncError> {
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return Ok(Base::None) };
        let mut key = [ours.clone(), theirs.clone()];
        key.sort_unstable();
        if let Some(known) = self.found.get(&key) {
            return Ok(known.clone());
        }
        let [one, two] = key.each_ref().map(SnapshotId::as_str);
        let base = match &best_common(&self.history, one, two)?[..] {
            [] => Base::None,
            [one] => Base::Snapshot(SnapshotId::from(one.as_str()), self.history.tree(one)?),
            _ => match merge_base(&self.history, one, two, self.scratch)? {
                Some(tree) => Base::Merged(tree),
                None => Base::None,
            },
        };
        self.found.insert(key, base.clone());
        Ok(base)
    }
}

/// A project's history with what was read of it.
struct Remembered<'a> {
    device: &'a OpenDevice,
    lineage: Lineage<'a, 'a>,
    trees: RefCell<HashMap<String, TreeId>>,
}

impl Ancestry for Remembered<'_> {
    type Error = SyncError;

    fn parents(&self, id: &str) -> Result<Vec<String>, SyncError> {
        Ok(self.lineage.parents(id)?)
    }
}

impl History for Remembered<'_> {
    fn tree(&self, id: &str) -> Result<TreeId, SyncError> {
        if let Some(tree) = self.trees.borrow().get(id) {
            return Ok(*tree);
        }
        let tree = tree_of(&self.device.snapshot_row(&SnapshotId::from(id))?)?;
        self.trees.borrow_mut().insert(id.to_owned(), tree);
        Ok(tree)
    }
}
