//! `restore`: restores files from a snapshot.

use fastest_schema::SnapshotId;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use fastest_core::object::id::TreeId;
use fastest_core::object::item::Item;
use fastest_core::object::tree::conflicts::{Conflict, Form, read_conflicts};
use fastest_core::object::tree::read::find;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::checkout::run::execute;
use fastest_core::worktree::left::{Left, is_in_left};

use crate::device::activity::Activity;
use crate::device::commands::purpose::Purpose;
use crate::device::left::{but_for_left, left_in, left_notice, show_kept};
use crate::device::open::OpenDevice;
use crate::device::path::{show, within};
use crate::device::report::RestoreReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::replica::local::operations::Effect;

/// The paths to restore, each with the item that it has in the snapshot.
type Wanted = Vec<(Vec<u8>, Option<Item>)>;

impl OpenDevice {
    /// See [`Device::restore`](crate::Device::restore).
    pub(crate) fn restore(
        &mut self,
        copy: &WorkingCopy,
        base: &Path,
        paths: &[PathBuf],
        to: Option<&str>,
        activity: &Activity,
    ) -> Result<RestoreReport, SyncError> {
        let (_lock, mut warnings) = self.enter(copy)?;
        let target = match (to, copy.head()?) {
            (Some(name), _) => self.named_snapshot(copy, name)?,
            (None, Some(head)) => self.snapshot_row(&head)?,
            (None, None) => {
                let workspace = self.workspace_of(copy)?.name;
                return Err(SyncError::NoSnapshot { workspace });
            }
        };
        let tree = tree_of(&target)?;
        let head = copy.head()?.map(|head| tree_of(&self.snapshot_row(&head)?)).transpose()?;
        self.check_extent(&target.id, &tree, head.as_ref())?;
        let wanted = self.wanted(copy, base, paths, &tree, &target.id)?;
        let left = left_in(copy)?;
        let (captured, _) = self.store_files(copy, Purpose::Safety, activity)?;
        warnings.extend(but_for_left(&left, captured.warnings.clone()));
        let progress = activity.begin("Writing files");
        let folding = Folding::probe(&copy.state()).map_err(SyncError::io("use", copy.root()))?;
        let plan = match &wanted {
            Some(wanted) => Plan::paths(&captured.index, wanted, &left, &self.store, folding)?,
            None => Plan::around(&captured.index, &tree, left.clone(), &self.store, folding)?,
        };
        let plan = plan.with_databases(&captured.index, &captured.databases);
        let plan = plan.with_past(self.past(copy)?);
        let touched: Vec<Vec<u8>> = plan.touched().map(<[u8]>::to_vec).collect();
        // Recorded before anything is replaced: what is thrown away is in no snapshot.
        let command = words(paths, to);
        let begun = self.begin_operation(copy, &command, &captured, Effect::default())?;
        let done = execute(copy.root(), plan, &captured.index, &self.store, b"", &progress)?;
        // The head has not moved, so a path in the index that could not be replaced is what it was
        // before, and is not recorded as left.
        let is_heads = |left: &&Left| captured.index.find(&left.path).is_some();
        let new = done.left.iter().filter(|left| !is_heads(left));
        let old = left.iter().filter(|left| !done.brought.contains(left));
        self.save_left(copy, &old.chain(new).cloned().collect::<Vec<_>>())?;
        let kept = show_kept(&done);
        warnings.extend(kept.iter().map(|(path, why)| format!("{path} is left as it is: {why}")));
        let is_kept =
            |path: &[u8]| done.kept.iter().any(|kept| kept.path.as_os_str().as_bytes() == path);
        let restored =
            touched.iter().filter(|path| !is_in_left(&done.left, path) && !is_kept(path));
        let restored = restored.map(|path| show(path));
        // With a file that was in conflict, its conflict comes back.
        let conflicts = read_conflicts(&tree, &self.store)?.into_iter();
        let is_back = |conflict: &Conflict| match &conflict.form {
            Form::Beside { theirs_path } => touched.contains(theirs_path),
            Form::Markers | Form::Kept => touched.contains(&conflict.path),
        };
        let back: Vec<Conflict> = conflicts.filter(is_back).collect();
        if !back.is_empty() {
            let purpose = Purpose::BroughtBack(&back);
            let message = format!("Restore files in conflict from {}", target.id);
            warnings.extend(self.capture(copy, Some(&message), purpose, activity)?.warnings);
        }
        let (now, _) = self.store_files(copy, Purpose::Safety, activity)?;
        self.finish_operation(copy, begun, &now.root.id)?;
        let still = left_in(copy)?;
        let all = still.iter().filter(|old| !done.left.contains(old)).chain(&done.left);
        warnings.extend(all.map(left_notice));
        let in_the_way: Vec<String> = done.left.iter().map(|left| show(&left.path)).collect();
        Ok(RestoreReport {
            restored: restored.collect(),
            operation: (now.root.id != captured.root.id).then_some(begun),
            snapshot_id: target.id,
            kept: kept.into_iter().map(|(path, _)| path).chain(in_the_way).collect(),
            skipped: captured.skipped,
            warnings,
        })
    }

    /// Returns each path with its item in the tree; `None` for the whole tree.
    fn wanted(
        &self,
        copy: &WorkingCopy,
        base: &Path,
        paths: &[PathBuf],
        tree: &TreeId,
        snapshot: &SnapshotId,
    ) -> Result<Option<Wanted>, SyncError> {
        let mut wanted = Vec::new();
        for path in paths {
            let relative = within(copy.root(), base, path)?;
            if relative.is_empty() {
                return Ok(None);
            }
            let parts: Vec<&[u8]> = relative.split(|&byte| byte == b'/').collect();
            match find(tree, &parts, &self.store)? {
                Some(item) => wanted.push((relative, Some(item))),
                None => {
                    let path = show(&relative);
                    return Err(SyncError::NoPath { snapshot: snapshot.to_owned(), path });
                }
            }
        }
        // A folder includes the paths in it.
        wanted.sort_by(|a, b| a.0.cmp(&b.0));
        let folders: Vec<Vec<u8>> =
            wanted.iter().map(|(path, _)| [path.as_slice(), b"/"].concat()).collect();
        wanted.retain(|(path, _)| !folders.iter().any(|folder| path.starts_with(folder)));
        wanted.dedup_by(|a, b| a.0 == b.0);
        Ok((!wanted.is_empty()).then_some(wanted))
    }
}

/// Returns the command in words, for the log of operations.
fn words(paths: &[PathBuf], to: Option<&str>) -> String {
    let to = to.map(|to| format!("--to {to}"));
    let paths = paths.iter().map(|path| path.display().to_string());
    let words = ["restore".to_owned()].into_iter().chain(to).chain(paths);
    words.collect::<Vec<_>>().join(" ")
}
