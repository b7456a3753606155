//! The device's list of working copies: the path of each, its project and workspace, and the
//! snapshot that it is based on.
//!
//! The state in a folder's `.fastest` moves with the folder. It may be deleted without the folder
//! (`git clean -fdx`), or copied along with it. The list tells a device what the folder was.

use fastest_schema::SnapshotId;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use fastest_core::files::disk;
use fastest_core::files::regular_file::replace_in;
use fastest_core::object::error::StoreError;
use fastest_core::object::id::TreeId;
use fastest_core::object::source::ObjectSource;
use fastest_core::object::tree::read::read_directory;
use fastest_core::worktree::checkout::edit::Files;
use fastest_core::worktree::left::{self, Left};
use fastest_core::worktree::state_dir::{LEFT, StateDir};
use fastest_schema::tables::projects::Project;
use fastest_schema::tables::workspaces::{Snapshot, Workspace};

use crate::device::open::OpenDevice;
use crate::device::working_copy::{WorkingCopy, folder_mark};
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::replica::error::ReplicaError;
use crate::replica::local::copies::{Copies, KnownCopy};
use crate::replica::local::operations::Operations;
use crate::replica::local::outbox::Outbox;
use crate::rows::projects::Projects;

/// The most files of a snapshot that are looked up in a folder, to tell whether it is still the
/// same working copy.
const FILES_LOOKED_FOR_MAX: usize = 2_000;

impl OpenDevice {
    /// See [`Device::find`](crate::Device::find).
    pub(crate) fn find(&mut self, dir: &Path) -> Result<WorkingCopy, SyncError> {
        let found = self.find_any(dir)?;
        found.ok_or_else(|| SyncError::NoProject { path: dir.to_owned() })
    }

    /// Works as [`OpenDevice::find`], but returns `None` if there is no working copy. Restores the
    /// `.fastest` of a folder that lost it, which [`OpenDevice::take_notices`] reports.
    pub(crate) fn find_any(&mut self, dir: &Path) -> Result<Option<WorkingCopy>, SyncError> {
        let found = WorkingCopy::find(dir, &self.trust)?;
        let path = dir.canonicalize().map_err(SyncError::io("open", dir))?;
        let above = found.as_ref().map(WorkingCopy::root);
        for root in path.ancestors().take_while(|root| Some(*root) != above) {
            if let Some(known) = Copies(self.replica.read()).at(root)?
                && let Some(copy) = self.find_again(&known, root == path)?
            {
                return Ok(Some(copy));
            }
        }
        found.map(|copy| self.meet(copy)).transpose()
    }

    /// See [`Device::take_notices`](crate::Device::take_notices).
    pub(crate) fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Adds working copies that older versions created to the device's list, before one of them
    /// loses its state. Does nothing if the list has entries.
    pub(crate) fn learn_copies(&mut self) -> Result<(), SyncError> {
        let session = self.replica.read();
        if Copies(session).is_any()? {
            return Ok(());
        }
        let made = Projects(session).places(self.identity.machine.as_deref())?;
        let mut copies = Vec::new();
        for (id, path) in made {
            if let Ok(Some(copy)) = WorkingCopy::at(Path::new(&path), &self.trust)
                && copy.workspace_id == id
                // A clone that was cut short is not in the list so that it can be repeated.
                && !self.is_begun(&id)
                && let Ok(head) = copy.head()
            {
                copies.push((copy, head));
            }
        }
        if !copies.is_empty() {
            self.replica.write(|session| {
                copies
                    .iter()
                    .try_for_each(|(copy, head)| Copies(session).put(&copy.known(head.as_ref())))
            })?;
        }
        Ok(())
    }

    /// Returns the project of a workspace that was created in the folder `root` on this machine and
    /// has no entry in the device's list: an older version, which kept no list, created it, or a
    /// command was killed. Nothing is known of the snapshot that the folder is based on.
    pub(crate) fn was_made_here(&self, root: &Path) -> Result<Option<Project>, SyncError> {
        let session = self.replica.read();
        let Some(path) = root.to_str() else { return Ok(None) };
        let made = Projects(session).made_at(self.identity.machine.as_deref(), path)?;
        let mut unknown = None;
        for id in made {
            if Copies(session).of_workspace(&id)?.is_empty() {
                unknown = Some(id);
                break;
            }
        }
        let Some(id) = unknown else { return Ok(None) };
        let workspace = session.row::<Workspace>(&id)?;
        let project = workspace.map(|workspace| session.row::<Project>(&workspace.project_id));
        Ok(project.transpose()?.flatten())
    }

    /// Restores the `.fastest` of a folder that lost it. If another folder has taken its place, or
    /// most of its files are gone, every difference would count as an edit. In that case the call
    /// fails if this is the folder that was `asked` for, and otherwise returns `None`.
    fn find_again(
        &mut self,
        known: &KnownCopy,
        asked: bool,
    ) -> Result<Option<WorkingCopy>, SyncError> {
        let (project, workspace) = {
            let session = self.replica.read();
            let project = session.row::<Project>(&known.project_id)?;
            (project, session.row::<Workspace>(&known.workspace_id)?)
        };
        // The rows may be missing: a pull deletes the row of a workspace that was deleted on the
        // primary.
        let (Some(project), Some(workspace)) = (project, workspace) else { return Ok(None) };
        let _making = self.copies_lock()?;
        if let Some(copy) = WorkingCopy::at(&known.root, &self.trust)? {
            return Ok(Some(copy));
        }
        let name = format!("{}/{}", project.name, workspace.name);
        let head = self.last_head(known, &workspace)?;
        let mut missing = String::new();
        if let Some(head) = &head {
            let tree = tree_of(&self.snapshot_row(head)?)?;
            let (present, looked_for) = present(&known.root, &tree, &self.store)?;
            let is_same = known.folder.is_some() && known.folder == folder_mark(&known.root);
            let (path, gone) = (known.root.clone(), looked_for - present);
            // Another folder in its place may hold older files: all differences would count as
            // edits, and undo the work of others.
            let is_other = known.folder.is_some() && !is_same;
            if is_other || present * 2 < looked_for && !(is_same && present > 0) {
                return if asked {
                    Err(SyncError::LostCopy { path, name, gone, looked_for })
                } else {
                    Ok(None)
                };
            }
            if gone > 0 {
                missing =
                    format!("; {gone} of its files are gone, which `fastest restore` brings back");
            }
        }
        let copy = WorkingCopy::create(&known.root, &known.project_id, &known.workspace_id)?;
        copy.forget_index()?;
        self.give_left_back(&copy)?;
        if let Some(head) = &head {
            copy.set_head(head)?;
        }
        let since = head.map_or("without a snapshot".to_owned(), |head| format!("from {head}"));
        self.notices.push(format!(
            "{} had lost its .fastest, as after `git clean -fdx`: it goes on as {name}, {since}{missing}",
            known.root.display()
        ));
        Ok(Some(copy))
    }

    /// Returns the path of the device's backup of the list of paths that checkouts left in a
    /// folder. It is used if the folder loses its `.fastest`.
    fn left_kept_at(&self, root: &Path) -> PathBuf {
        self.left_folder().join(name_of_left(root))
    }

    fn left_folder(&self) -> PathBuf {
        self.dir.join("left")
    }

    /// Records the paths of a working copy that checkouts left as they found them, in its state
    /// folder and in the store.
    pub(crate) fn save_left(&self, copy: &WorkingCopy, left: &[Left]) -> Result<(), SyncError> {
        left::save(&copy.state(), left).map_err(SyncError::io("save", copy.state().left()))?;
        self.keep_left(copy)
    }

    /// Copies the list of paths that checkouts left in a working copy into the store, in case its
    /// state folder is lost.
    pub(crate) fn keep_left(&self, copy: &WorkingCopy) -> Result<(), SyncError> {
        let kept = self.left_kept_at(copy.root());
        let left = copy.state().read(LEFT);
        match left.map_err(SyncError::io("read", copy.state().left()))? {
            Some(bytes) => {
                let (folder, name) = (self.left_folder(), name_of_left(copy.root()));
                replace_in(&folder, &name, &bytes).map_err(SyncError::io("write", &kept))
            }
            None => match disk::remove_file(&kept) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(SyncError::io("delete", &kept)(error))
                }
                _ => Ok(()),
            },
        }
    }

    /// Restores the list of paths that checkouts left. Without it, files that are in the way of
    /// content would count as edits.
    fn give_left_back(&self, copy: &WorkingCopy) -> Result<(), SyncError> {
        let kept = self.left_kept_at(copy.root());
        let state = copy.state();
        match fs::read(&kept) {
            Ok(bytes) if !state.has(LEFT) => {
                state.replace(LEFT, &bytes).map_err(SyncError::io("write", state.left()))
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(SyncError::io("read", &kept)(error))
            }
            _ => Ok(()),
        }
    }

    /// Returns the snapshot that a folder without its `workspace.json` is based on, preferably from
    /// the remains of its state folder. An ancestor of the true one does no harm: the changes since
    /// then count as edits of this folder, too.
    fn last_head(
        &self,
        known: &KnownCopy,
        workspace: &Workspace,
    ) -> Result<Option<SnapshotId>, SyncError> {
        let left = StateDir::of(&known.root).head().ok().flatten().map(SnapshotId::from);
        for head in [left, known.head.clone()].into_iter().flatten() {
            if self.replica.read().row::<Snapshot>(&head)?.is_some() {
                return Ok(Some(head));
            }
        }
        match &known.head {
            // The store lacks the snapshot, as after a restored backup: the workspace's head takes
            // its place.
            Some(_) => Ok(workspace.current_snapshot_id.clone()),
            None => Ok(None),
        }
    }

    /// Compares a working copy with the device's list. A moved copy is recorded at its new path,
    /// and a second copy of a workspace is reported, once.
    fn meet(&mut self, copy: WorkingCopy) -> Result<WorkingCopy, SyncError> {
        let session = self.replica.read();
        let known = Copies(session).at(copy.root())?;
        if known.is_some_and(|known| known.workspace_id == copy.workspace_id)
            || self.replica.is_read_only()
        {
            return Ok(copy);
        }
        let Some(workspace) = session.row::<Workspace>(&copy.workspace_id)? else {
            return Ok(copy);
        };
        let others = Copies(session).of_workspace(&copy.workspace_id)?;
        let gone: Vec<_> = others.iter().filter(|other| !self.is_live(other)).collect();
        let head = copy.head()?;
        self.replica.write(|session| {
            gone.iter().try_for_each(|gone| {
                Operations(session).move_root(&copy.workspace_id, &gone.root, copy.root())?;
                Copies(session).forget(&gone.root)
            })?;
            Copies(session).put(&copy.known(head.as_ref()))?;
            let old_path = workspace.local_path.as_deref();
            if gone.iter().any(|gone| gone.root.to_str() == old_path) {
                let local_path = copy.root().to_str().map(str::to_owned);
                Outbox(session)
                    .save(&copy.project_id.scope(), &Workspace { local_path, ..workspace })?;
            }
            Ok::<_, ReplicaError>(())
        })?;
        let twin = self.duplicate_notice(&copy)?;
        self.notices.extend(twin);
        Ok(copy)
    }

    /// Returns a notice if the workspace of this working copy has another working copy on this
    /// device.
    pub(crate) fn duplicate_notice(&self, copy: &WorkingCopy) -> Result<Option<String>, SyncError> {
        let others = Copies(self.replica.read()).of_workspace(&copy.workspace_id)?;
        let is_twin =
            |other: &&KnownCopy| !is_same_folder(&other.root, copy.root()) && self.is_live(other);
        let Some(twin) = others.iter().find(is_twin) else { return Ok(None) };
        let name = self.workspace_of(copy)?.name;
        Ok(Some(format!(
            "{} and {} are both workspace {name}, and pushes merge them: `fastest workspace new NAME \
             --here` makes the folder that you are in a workspace of its own",
            copy.root().display(),
            twin.root.display()
        )))
    }

    /// Whether a folder still is the working copy that it was.
    pub(crate) fn is_live(&self, known: &KnownCopy) -> bool {
        let found = WorkingCopy::at(&known.root, &self.trust);
        found.is_ok_and(|found| found.is_some_and(|copy| copy.workspace_id == known.workspace_id))
    }

    /// Returns the working copy that contains the folder `root`, if it is trusted.
    pub(crate) fn copy_above(&self, root: &Path) -> Result<Option<WorkingCopy>, SyncError> {
        let Some(above) = root.parent() else { return Ok(None) };
        // The result is only named in a notice, so a damaged or foreign state folder there must not
        // stop a command.
        Ok(WorkingCopy::find(above, &self.trust).unwrap_or_default())
    }

    /// Updates the device's list with the snapshot that a working copy is based on, and restores
    /// the copy's head if only the head was lost. The caller holds the copy's lock.
    pub(crate) fn keep_known(&mut self, copy: &WorkingCopy) -> Result<Option<String>, SyncError> {
        let known = Copies(self.replica.read()).at(copy.root())?;
        let known = known.filter(|known| known.workspace_id == copy.workspace_id);
        let (head, last) = (copy.head()?, known.as_ref().and_then(|known| known.head.clone()));
        if let (None, Some(last)) = (&head, &last)
            && self.replica.read().row::<Snapshot>(last)?.is_some()
        {
            copy.forget_index()?;
            copy.set_head(last)?;
            let path = copy.root().display();
            return Ok(Some(format!("{path} had lost .fastest/head: it goes on from {last}")));
        }
        if known.is_none() || head != last {
            self.replica
                .write_unsynced(|session| Copies(session).put(&copy.known(head.as_ref())))?;
        }
        Ok(None)
    }
}

/// Returns the name of the file with the list of paths that checkouts left in a folder.
fn name_of_left(root: &Path) -> String {
    blake3::hash(root.as_os_str().as_bytes()).to_hex()[..32].to_owned()
}

/// Returns how many of a tree's files exist in a folder, by name, and how many were looked for.
fn present(
    root: &Path,
    tree: &TreeId,
    source: &dyn ObjectSource,
) -> Result<(usize, usize), StoreError> {
    let (mut present, mut looked_for) = (0, 0);
    let Ok(files) = Files::of(root) else { return Ok((0, 0)) };
    let mut directories = std::collections::VecDeque::from([(Vec::new(), *tree)]);
    while let Some((path, tree)) = directories.pop_front() {
        for (name, item) in read_directory(&tree, source)? {
            let path: Vec<u8> = [&path[..], &name].concat();
            if let Some(below) = item.tree_id() {
                let path = [&path[..], b"/"].concat();
                directories.push_back((path, below));
                continue;
            }
            present += usize::from(files.is_folder(&path).is_ok_and(|found| found.is_some()));
            looked_for += 1;
            if looked_for == FILES_LOOKED_FOR_MAX {
                return Ok((present, looked_for));
            }
        }
    }
    Ok((present, looked_for))
}

/// Whether two paths lead to the same folder, for example through a bind mount.
fn is_same_folder(a: &Path, b: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).map(|data| (data.dev(), data.ino())).ok();
    a == b || (id(a).is_some() && id(a) == id(b))
}
