//! The state of a workspace that another one is compared with: its newest snapshot, and the unsaved changes of
//! its folder, if that is on this device.
//!
//! Somebody else may be at work in the folder. Nothing there is changed, not even its stat index, and whatever
//! is in the way of a look is only a warning: the newest snapshot is compared then.

use std::fs::TryLockError;
use std::path::PathBuf;

use fastest_core::compare::merge::{Names, Sides, merge};
use fastest_core::compare::overlap::Edits;
use fastest_core::compare::parting::follows;
use fastest_core::object::id::TreeId;
use fastest_core::object::memory::ScratchObjects;
use fastest_core::object::tree::format::empty_directory;
use fastest_core::worktree::state_dir::JOURNAL;
use fastest_schema::SnapshotId;
use fastest_schema::tables::workspaces::Workspace;

use crate::device::activity::Activity;
use crate::device::commands::status::ScratchStore;
use crate::device::commands::unsaved::Unsaved;
use crate::device::open::OpenDevice;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::replica::local::copies::{Copies, KnownCopy};
use crate::rows::snapshots::Snapshots;

/// A workspace as it is compared.
pub(crate) struct State {
    /// Its row.
    pub(crate) workspace: Workspace,
    /// The snapshot that the tree follows.
    pub(crate) head: Option<SnapshotId>,
    /// Its files, with those that are unsaved if the folder was looked at.
    pub(crate) tree: TreeId,
    /// The folder that was looked at.
    pub(crate) root: Option<PathBuf>,
    /// Whether unsaved changes were found.
    pub(crate) is_dirty: bool,
}

/// Where states are looked for, and where what is found is kept.
pub(crate) struct Look<'a> {
    pub(crate) looking: &'a ScratchStore<'a>,
    pub(crate) scratch: &'a ScratchObjects<'a>,
    pub(crate) unsaved: &'a Unsaved<'a>,
    pub(crate) activity: &'a Activity,
}

/// Where a working copy was found, or why it cannot be looked at.
type Found = Result<WorkingCopy, String>;

impl OpenDevice {
    /// Returns the state of a workspace by its newest snapshot alone.
    pub(crate) fn saved_state(&self, workspace: Workspace) -> Result<State, SyncError> {
        let head = workspace.current_snapshot_id.clone();
        let tree = self.tree_at(head.as_ref())?;
        Ok(State { workspace, head, tree, root: None, is_dirty: false })
    }

    /// Adds the unsaved changes of a workspace's folder to its state, if there is one on this device. `own` is the folder of the command, which nobody else is at work in.
    pub(crate) fn state_next_door(
        &self,
        saved: State,
        own: Option<&WorkingCopy>,
        look: &Look<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<State, SyncError> {
        let name = saved.workspace.name.clone();
        let found = match own {
            Some(own) => Some(Ok(own.clone())),
            None => self.folder_of(&saved.workspace, warnings)?,
        };
        let seen = match found {
            None => return Ok(saved),
            Some(Err(why)) => Err(why),
            Some(Ok(copy)) => {
                self.unsaved_state(&saved, &copy, look, warnings).map_err(|error| error.to_string())
            }
        };
        Ok(seen.unwrap_or_else(|why| {
            warnings.push(format!("workspace {name} is compared by its newest snapshot: {why}"));
            saved
        }))
    }

    /// Returns the tree of a snapshot, or the empty one.
    pub(crate) fn tree_at(&self, snapshot: Option<&SnapshotId>) -> Result<TreeId, SyncError> {
        match snapshot {
            Some(id) => tree_of(&self.snapshot_row(id)?),
            None => Ok(empty_directory()),
        }
    }

    /// Returns the folder of a workspace on this device, or why it cannot be looked at. `None` if the device
    /// knows of none.
    fn folder_of(
        &self,
        workspace: &Workspace,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Found>, SyncError> {
        let known = Copies(self.replica.read()).of_workspace(&workspace.id)?;
        let mut found: Option<Found> = None;
        for copy in &known {
            match (self.folder_at(copy), &found) {
                (Ok(more), Some(Ok(first))) => warnings.push(format!(
                    "{} is also workspace {}: only {} is compared",
                    more.root().display(),
                    workspace.name,
                    first.root().display()
                )),
                (Ok(copy), _) => found = Some(Ok(copy)),
                (Err(why), None) => found = Some(Err(why)),
                (Err(_), Some(_)) => {}
            }
        }
        Ok(found)
    }

    fn folder_at(&self, known: &KnownCopy) -> Found {
        let root = known.root.display();
        let copy = match WorkingCopy::at(&known.root, &self.trust) {
            Ok(Some(copy)) if copy.workspace_id == known.workspace_id => copy,
            Ok(Some(_)) => return Err(format!("{root} is another workspace by now")),
            Ok(None) => return Err(format!("{root} is gone")),
            Err(error) => return Err(error.to_string()),
        };
        // Taken and released at once: a look must not make others wait.
        match copy.state().find_lock().map(|lock| lock.try_lock()) {
            Ok(Err(TryLockError::WouldBlock)) => {
                Err(format!("another command is at work in {root}"))
            }
            _ if copy.state().has(JOURNAL) => Err(format!("{root} has an interrupted command")),
            _ => Ok(copy),
        }
    }

    /// Returns the state of a workspace's folder.
    fn unsaved_state(
        &self,
        saved: &State,
        copy: &WorkingCopy,
        look: &Look<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<State, SyncError> {
        let (head, lost) = self.head_of(copy)?;
        let head_tree = self.tree_at(head.as_ref())?;
        let (scanned, _) = self.look_only(copy, &head_tree, look.looking, look.activity)?;
        let name = &saved.workspace.name;
        let told = lost.into_iter().chain(scanned.warnings);
        warnings.extend(told.map(|warning| format!("in {name}: {warning}")));
        let edits = Edits::since(&head_tree, &scanned.root.id, look.scratch)?;
        look.unsaved.add(copy.root(), &edits);
        let mut state = State {
            workspace: saved.workspace.clone(),
            head,
            tree: scanned.root.id,
            root: Some(copy.root().to_owned()),
            is_dirty: scanned.root.id != head_tree,
        };
        if self.has_moved_on(saved, &state)? {
            self.move_on(saved, &mut state, &head_tree, look)?;
        }
        Ok(state)
    }

    /// Returns whether a workspace has a newer snapshot than its folder: others landed in it, or pushed to it.
    fn has_moved_on(&self, saved: &State, state: &State) -> Result<bool, SyncError> {
        let (Some(newest), Some(head)) = (&saved.head, &state.head) else {
            return Ok(saved.head.is_some());
        };
        let lineage = Snapshots(self.replica.read()).lineage(&saved.workspace.project_id);
        Ok(newest != head && follows(&lineage, newest.as_str(), head.as_str())?)
    }

    /// Brings the newest snapshot of a workspace into the state of its folder, as a pull there would.
    fn move_on(
        &self,
        saved: &State,
        state: &mut State,
        head_tree: &TreeId,
        look: &Look<'_>,
    ) -> Result<(), SyncError> {
        let names = Names { ours: &saved.workspace.name, theirs: "unsaved", label: "unsaved" };
        let base = state.head.is_some().then_some(head_tree);
        let sides = Sides { base, ours: &saved.tree, theirs: &state.tree, names };
        state.tree = merge(&sides, look.unsaved, look.scratch)?.root.id;
        state.head.clone_from(&saved.head);
        Ok(())
    }
}
