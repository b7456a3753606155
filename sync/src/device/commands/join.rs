//! `clone --here`: makes a folder with files a working copy of a project.
//!
//! The folder's files stay. A file that differs from the project's is an edit like any other,
//! unless this machine ignores it: then it is private, and left as it is. Missing files are
//! written, because they were never deleted here.

use fastest_schema::SnapshotId;
use std::collections::{HashSet, VecDeque};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use fastest_core::compare::drift::found::Drift;
use fastest_core::compare::drift::{drift, drift_counts};
use fastest_core::object::id::TreeId;
use fastest_core::object::item::Item;
use fastest_core::object::tree::format::empty_directory;
use fastest_core::object::tree::read::find;
use fastest_core::worktree::checkout::edit::Files;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::checkout::run::{execute, recover};
use fastest_core::worktree::git::Git;
use fastest_core::worktree::left::{self, Left, LeftWhy};
use fastest_core::worktree::scan::context::IndexUse;
use fastest_core::worktree::stat_index::StatIndex;
use fastest_core::worktree::state_dir::StateDir;
use fastest_schema::tables::workspaces::{Snapshot, Workspace};

use crate::device::activity::Activity;
use crate::device::commands::clone::Fetched;
use crate::device::commands::init::within_another;
use crate::device::commands::scan::ScanJob;
use crate::device::commands::status::ScratchStore;
use crate::device::left::left_notice;
use crate::device::names::{check_name, new_workspace};
use crate::device::open::OpenDevice;
use crate::device::path::show_all;
use crate::device::report::CloneReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::error::named::Named;
use crate::exchange::tree_of::tree_of;
use crate::replica::local::copies::Copies;
use crate::replica::local::outbox::Outbox;
use crate::rows::snapshots::Snapshots;

/// The most snapshots that a folder is compared with.
const SNAPSHOTS_COMPARED_MAX: usize = 500;

impl OpenDevice {
    /// See [`Device::join_project`](crate::Device::join_project).
    pub(crate) async fn join_project(
        &mut self,
        project: &str,
        dir: &Path,
        workspace: Option<&str>,
        activity: &Activity,
    ) -> Result<CloneReport, SyncError> {
        if let Some(name) = workspace {
            check_name(Named::Workspace, name)?;
        }
        if !dir.is_dir() {
            return Err(SyncError::NotAFolder { path: dir.to_owned() });
        }
        let root = dir.canonicalize().map_err(SyncError::io("open", dir))?;
        self.check_free(&root)?;
        self.trust.check_target(&root)?;
        let above = self.copy_above(&root)?;
        activity.begin("Receiving");
        let Fetched { project, traffic, notices } = self.fetch_project(project, None).await?;
        let head = match self.named_workspace(&project, None) {
            Ok(main) => main.current_snapshot_id,
            Err(SyncError::Unknown { .. }) => None,
            Err(error) => return Err(error),
        };
        let mut report = CloneReport {
            project: project.name.clone(),
            project_id: project.id.clone(),
            snapshot_id: head,
            path: root.display().to_string(),
            here: true,
            warnings: notices
                .into_iter()
                .chain(above.map(|above| within_another(&root, above.root())))
                .collect(),
            ..CloneReport::default()
        };
        report.add(traffic);
        match WorkingCopy::at(&root, &self.trust) {
            // The store had lost the rows of this working copy, and the pull has brought them back.
            Ok(Some(copy)) if copy.project_id == project.id && self.workspace_of(&copy).is_ok() => {
                self.rejoin(&copy, &mut report, activity)?;
            }
            _ => self.join(&root, workspace, &mut report, activity)?,
        }
        self.announce(&mut report).await?;
        Ok(report)
    }

    /// Refuses a folder that is already a working copy of this store.
    fn check_free(&self, root: &Path) -> Result<(), SyncError> {
        match WorkingCopy::at(root, &self.trust) {
            Ok(Some(copy)) if self.workspace_of(&copy).is_ok() => {
                Err(SyncError::AlreadyProject { path: root.to_owned() })
            }
            // It belongs to another store, or is damaged: it can be joined again.
            Ok(_) | Err(SyncError::DamagedState { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Accepts a folder as the working copy that its state folder describes, with the head recorded
    /// there.
    fn rejoin(
        &mut self,
        copy: &WorkingCopy,
        report: &mut CloneReport,
        activity: &Activity,
    ) -> Result<(), SyncError> {
        let (_lock, warnings) = self.enter(copy)?;
        report.warnings.extend(warnings);
        let workspace = self.workspace_of(copy)?;
        (report.workspace, report.workspace_id) = (workspace.name, workspace.id);
        report.snapshot_id = copy.head()?;
        let tree = match &report.snapshot_id {
            Some(head) => tree_of(&self.snapshot_row(head)?)?,
            None => empty_directory(),
        };
        let looking = ScratchStore::new(&self.store);
        let progress = activity.begin("Scanning");
        let index = StatIndex::empty();
        let job = scan_of(copy.root(), &index, &tree);
        let found = self.scan(&job, &looking, &progress)?;
        report.warnings.extend(found.warnings);
        let Drift { workspace_only, both_different, .. } = drift(&tree, &found.root.id, &looking)?;
        report.added = show_all(&workspace_only);
        report.modified = show_all(&both_different);
        Ok(())
    }

    fn join(
        &mut self,
        root: &Path,
        name: Option<&str>,
        report: &mut CloneReport,
        activity: &Activity,
    ) -> Result<(), SyncError> {
        let _making = self.copies_lock()?;
        self.check_free(root)?;
        let name = self.free_name(&report.project_id, name, root)?;
        let state = StateDir::of(root);
        let is_made = !state.path().exists();
        state.create().map_err(SyncError::io("create", state.path()))?;
        // Finishes an interrupted checkout of another store, and clears that store's list of paths
        // that checkouts left.
        recover(root)?;
        left::save(&state, &[]).map_err(SyncError::io("save", state.left()))?;
        let filled = match report.snapshot_id.clone() {
            Some(head) => self.fill_from(root, &head, report, activity),
            None => Ok(()),
        };
        if let Err(error) = filled {
            if is_made {
                let _ = state.remove_all();
            }
            return Err(error);
        }
        let (head, machine) = (report.snapshot_id.clone(), self.identity.machine.clone());
        let workspace = Workspace {
            base_snapshot_id: head.clone(),
            current_snapshot_id: head.clone(),
            ..new_workspace(self.world(), &report.project_id, &name, root, machine)
        };
        (report.workspace, report.workspace_id) = (name, workspace.id.clone());
        let (project_id, id) = (report.project_id.clone(), workspace.id.clone());
        self.replica.write(|session| {
            Outbox(session).save(&project_id.scope(), &workspace)?;
            Snapshots(session).record(&project_id, &id, "workspace.created", head.as_ref(), None)
        })?;
        // The missing files had to be written before this point: from here on they would count as
        // deleted.
        let copy = WorkingCopy::create(root, &project_id, &id)?;
        copy.forget_index()?;
        self.keep_left(&copy)?;
        copy.set_head(&head.clone().unwrap_or_default())?;
        self.replica.write(|session| Copies(session).put(&copy.known(head.as_ref())))?;
        Ok(())
    }

    /// Bases a folder on the closest snapshot, and writes the files that the folder lacks.
    fn fill_from(
        &self,
        root: &Path,
        head: &SnapshotId,
        report: &mut CloneReport,
        activity: &Activity,
    ) -> Result<(), SyncError> {
        let base = self.closest(root, head, activity)?;
        if base != *head {
            report.warnings.push(format!(
                "the folder is closest to {base}, an earlier snapshot, and is based on that: \
                 `fastest pull` brings what came since"
            ));
        }
        report.snapshot_id = Some(base.clone());
        let tree = tree_of(&self.snapshot_row(&base)?)?;
        self.check_extent(&base, &tree, None)?;
        self.fill(root, &tree, report, activity)
    }

    /// Returns the snapshot from which a folder has the fewest edits: `head`, or one of its
    /// ancestors. If the folder were based on a later snapshot, its old files would count as edits,
    /// and undo the work of others.
    fn closest(
        &self,
        root: &Path,
        head: &SnapshotId,
        activity: &Activity,
    ) -> Result<SnapshotId, SyncError> {
        let progress = activity.begin("Comparing");
        let looking = ScratchStore::new(&self.store);
        let empty = StatIndex::empty();
        let head_tree = tree_of(&self.snapshot_row(head)?)?;
        let found = self.scan(&scan_of(root, &empty, &head_tree), &looking, &progress)?.root.id;
        let (mut seen, mut queue) = (HashSet::new(), VecDeque::from([head.to_owned()]));
        let mut best: Option<(u64, SnapshotId)> = None;
        while let Some(id) = queue.pop_front().filter(|_| seen.len() < SNAPSHOTS_COMPARED_MAX) {
            if !seen.insert(id.clone()) {
                continue;
            }
            let Some(row) = self.replica.read().row::<Snapshot>(&id)? else { continue };
            let counts = drift_counts(&tree_of(&row)?, &found, &looking)?;
            // Missing files do not count: they are written later.
            let edits = counts.workspace_only + counts.both_different;
            queue.extend(row.parent_snapshot_ids.0.iter().cloned());
            if best.as_ref().is_none_or(|(fewest, _)| edits < *fewest) {
                best = Some((edits, id));
            }
            if best.as_ref().is_some_and(|(fewest, _)| *fewest == 0) {
                break;
            }
        }
        Ok(best.map_or_else(|| head.to_owned(), |(_, id)| id))
    }

    /// Writes the files of a tree that a folder lacks, and reports the other differences.
    pub(crate) fn fill(
        &self,
        root: &Path,
        tree: &TreeId,
        report: &mut CloneReport,
        activity: &Activity,
    ) -> Result<(), SyncError> {
        let state = StateDir::of(root);
        let progress = activity.begin("Scanning");
        // Nothing is stored here: the next snapshot stores what differs.
        let looking = ScratchStore::new(&self.store);
        let empty = StatIndex::empty();
        let scanned = self.scan(&scan_of(root, &empty, tree), &looking, &progress)?;
        report.warnings.extend(scanned.warnings);
        let (found, index) = (scanned.root, scanned.index.unwrap_or(empty));
        let Drift { source_only, workspace_only, both_different, .. } =
            drift(tree, &found.id, &looking)?;
        let files = Files::of(root).map_err(SyncError::io("open", root))?;
        let wanted = source_only.iter().filter(|path| is_free(&files, path));
        let wanted = wanted.map(|path| self.wanted_item(tree, path));
        let wanted = wanted.collect::<Result<Vec<_>, SyncError>>()?;
        // As in a pull, ignored files are private. They are in the way of the project's files.
        let git = Git::of(root, &self.git_settings);
        let (private, edited): (Vec<_>, Vec<_>) =
            both_different.into_iter().partition(|path| git.ignores(path));
        report.added = show_all(&workspace_only);
        report.modified = show_all(&edited);
        let folding = Folding::probe(&state).map_err(SyncError::io("use", root))?;
        let plan = Plan::paths(&index, &wanted, &[], &self.store, folding)?.leaving_obstacles();
        let progress = activity.begin("Writing files");
        let done = execute(root, plan, &index, &self.store, b"", &progress)?;
        // Files that were not written must not count as deleted.
        let in_the_way = |path| Left { path, why: LeftWhy::InTheWay };
        let mut all_left = done.left;
        all_left.extend(private.into_iter().map(in_the_way));
        for kept in &done.kept {
            all_left.push(in_the_way(kept.path.as_os_str().as_bytes().to_vec()));
        }
        left::save(&state, &all_left).map_err(SyncError::io("save", state.left()))?;
        report.warnings.extend(all_left.iter().map(left_notice));
        let is_left = |path: &[u8]| all_left.iter().any(|left| left.path == path);
        let items = wanted.iter().filter(|(path, _)| !is_left(path));
        let items = items.filter_map(|(_, item)| item.as_ref());
        for item in items.filter(|item| !item.is_directory()) {
            report.files += 1;
            report.bytes += item.bytes;
        }
        Ok(())
    }

    fn wanted_item(
        &self,
        tree: &TreeId,
        path: &[u8],
    ) -> Result<(Vec<u8>, Option<Item>), SyncError> {
        let path = path.strip_suffix(b"/").unwrap_or(path);
        let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
        Ok((path.to_vec(), find(tree, &parts, &self.store)?))
    }
}

/// Returns a scan of a folder without a stat index, against the tree that it is based on.
fn scan_of<'a>(root: &'a Path, empty: &'a StatIndex, head: &TreeId) -> ScanJob<'a> {
    let index_use = IndexUse::Replace;
    ScanJob {
        root,
        index: empty,
        index_use,
        head: Some(*head),
        untrack: &[],
        brought_back: &[],
        settled: &[],
    }
}

/// Whether a path can be written without touching existing files: nothing exists there, and each
/// parent is a folder or missing.
fn is_free(files: &Files, path: &[u8]) -> bool {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let is_folder = |path: &[u8]| files.is_folder(path);
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let above = slashes.map(|(slash, _)| &path[..slash]);
    let is_blocked =
        above.into_iter().any(|above| !matches!(is_folder(above), Ok(None | Some(true))));
    !is_blocked && matches!(is_folder(path), Ok(None))
}
