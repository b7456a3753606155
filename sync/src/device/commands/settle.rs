//! `conflicts` and `resolve` for files.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use fastest_core::compare::merge::{Side, pick};
use fastest_core::object::chunk::{WriteContentError, read_content, write_content};
use fastest_core::object::id::TreeId;
use fastest_core::object::item::Item;
use fastest_core::object::tree::conflicts::{Conflict, ConflictId, Form, read_conflicts};
use fastest_core::object::tree::format::empty_directory;
use fastest_core::object::tree::read::find;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::checkout::run::execute;

use crate::device::activity::Activity;
use crate::device::commands::pull::conflict_report;
use crate::device::commands::purpose::{Captured, Purpose};
use crate::device::commands::status::ScratchStore;
use crate::device::left::{left_in, show_kept};
use crate::device::open::OpenDevice;
use crate::device::path::{show, within};
use crate::device::report::{ConflictReport, SettledReport};
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;

/// What a path gets; `None` if it is deleted.
type Outcome = (Vec<u8>, Option<Item>);

impl OpenDevice {
    /// See [`Device::file_conflicts`](crate::Device::file_conflicts).
    pub(crate) fn file_conflicts(
        &mut self,
        copy: &WorkingCopy,
        activity: &Activity,
    ) -> Result<Vec<ConflictReport>, SyncError> {
        let head = self.head_tree(copy)?;
        if read_conflicts(&head, &self.store)?.is_empty() {
            return Ok(Vec::new());
        }
        let looking = ScratchStore::new(&self.store);
        let looked = self.look(copy, &head, &looking, activity)?;
        Ok(looked.open.iter().map(conflict_report).collect())
    }

    /// See [`Device::resolve_files`](crate::Device::resolve_files).
    pub(crate) fn resolve_files(
        &mut self,
        copy: &WorkingCopy,
        base: &Path,
        paths: &[PathBuf],
        side: Option<Side>,
        activity: &Activity,
    ) -> Result<SettledReport, SyncError> {
        let (_lock, warnings) = self.enter(copy)?;
        let before = read_conflicts(&self.head_tree(copy)?, &self.store)?;
        let chosen = chosen(copy, base, paths, &before)?;
        let message = format!("Before resolving {}", listed(&chosen));
        let captured = self.capture(copy, Some(&message), Purpose::Safety, activity)?;
        let is_chosen = |conflict: &&Conflict| chosen.iter().any(|one| one.id() == conflict.id());
        let open: Vec<&Conflict> = captured.open.iter().filter(is_chosen).collect();
        let marked = open.iter().find(|conflict| conflict.form == Form::Markers);
        if let (Some(marked), None) = (marked, side) {
            return Err(SyncError::MarkersStand { path: show(&marked.path) });
        }
        let wanted = self.outcomes(&captured, &open, side)?;
        self.write_outcomes(copy, &captured, &wanted, activity)?;
        let ids: Vec<ConflictId> = chosen.iter().map(Conflict::id).collect();
        let message = format!("Resolve {}", listed(&chosen));
        let done = self.capture(copy, Some(&message), Purpose::Settle(&ids), activity)?;
        Ok(SettledReport {
            settled: chosen.iter().map(|conflict| show(&conflict.path)).collect(),
            conflicts: done.open.iter().map(conflict_report).collect(),
            snapshot_id: done.snapshot_id,
            warnings: warnings.into_iter().chain(captured.warnings).collect(),
        })
    }

    fn head_tree(&self, copy: &WorkingCopy) -> Result<TreeId, SyncError> {
        match self.head_of(copy)?.0 {
            Some(head) => tree_of(&self.snapshot_row(&head)?),
            None => Ok(empty_directory()),
        }
    }

    /// Returns what the paths of conflicts get. Their version beside ours goes, whatever was chosen.
    fn outcomes(
        &self,
        captured: &Captured,
        open: &[&Conflict],
        side: Option<Side>,
    ) -> Result<Vec<Outcome>, SyncError> {
        let mut wanted: BTreeMap<Vec<u8>, Option<Item>> = BTreeMap::new();
        // Several conflicts may stand in one file.
        let mut texts: BTreeMap<&[u8], (Item, Vec<u8>)> = BTreeMap::new();
        for conflict in open {
            let item = match side {
                Some(Side::Ours) => conflict.ours,
                Some(Side::Theirs) => conflict.theirs,
                None => None,
            };
            match (&conflict.form, side) {
                (Form::Markers, Some(side)) => {
                    let before = texts.remove(conflict.path.as_slice());
                    let before = before.map_or_else(|| self.marked(captured, conflict), Ok)?;
                    texts.insert(&conflict.path, self.picked(conflict, before, item, side)?);
                }
                (Form::Beside { theirs_path }, _) => {
                    wanted.extend(side.map(|_| (conflict.path.clone(), item)));
                    wanted.insert(theirs_path.clone(), None);
                }
                (Form::Kept, Some(_)) => drop(wanted.insert(conflict.path.clone(), item)),
                (Form::Kept | Form::Markers, None) => {}
            }
        }
        let writer = self.store.writer();
        for (path, (item, text)) in texts {
            let content = write_content(&mut &text[..], &writer).map_err(|error| match error {
                WriteContentError::Store(error) => SyncError::Store(error),
                WriteContentError::Read(_) => unreachable!("memory can be read"),
            })?;
            let item = Item { id: content.id.0, bytes: content.bytes, list: content.list, ..item };
            wanted.insert(path.to_vec(), Some(item));
        }
        writer.finish()?;
        Ok(wanted.into_iter().collect())
    }

    /// Returns the file at the path of a conflict, and its text.
    fn marked(
        &self,
        captured: &Captured,
        conflict: &Conflict,
    ) -> Result<(Item, Vec<u8>), SyncError> {
        let parts: Vec<&[u8]> = conflict.path.split(|&byte| byte == b'/').collect();
        let item = find(&captured.root.id, &parts, &self.store)?;
        let item = item.ok_or_else(|| SyncError::OddMarkers { path: show(&conflict.path) })?;
        let mut text = Vec::new();
        read_content(&item, &self.store, &mut text)?;
        Ok((item, text))
    }

    /// Puts one side's lines in place of the markers of a conflict.
    fn picked(
        &self,
        conflict: &Conflict,
        (item, text): (Item, Vec<u8>),
        version: Option<Item>,
        side: Side,
    ) -> Result<(Item, Vec<u8>), SyncError> {
        let odd = || SyncError::OddMarkers { path: show(&conflict.path) };
        let mut own = Vec::new();
        read_content(&version.ok_or_else(odd)?, &self.store, &mut own)?;
        let has_end = own.is_empty() || own.ends_with(b"\n");
        let picked = pick(&text, conflict.id(), side, has_end).ok_or_else(odd)?;
        Ok((item, picked))
    }

    /// Writes what the paths get into the working copy.
    fn write_outcomes(
        &self,
        copy: &WorkingCopy,
        captured: &Captured,
        wanted: &[Outcome],
        activity: &Activity,
    ) -> Result<(), SyncError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let progress = activity.begin("Writing files");
        let folding = Folding::probe(&copy.state()).map_err(SyncError::io("use", copy.root()))?;
        let left = left_in(copy)?;
        let plan = Plan::paths(&captured.index, wanted, &left, &self.store, folding)?;
        let plan = plan.with_databases(&captured.index, &captured.databases);
        let plan = plan.with_past(self.past(copy)?);
        let done = execute(copy.root(), plan, &captured.index, &self.store, b"", &progress)?;
        match show_kept(&done).into_iter().next() {
            Some((path, why)) => Err(SyncError::NotUpdated { path, why }),
            None => Ok(()),
        }
    }
}

/// Returns the conflicts that the paths name: at the path, beside it, or in the folder.
fn chosen(
    copy: &WorkingCopy,
    base: &Path,
    paths: &[PathBuf],
    open: &[Conflict],
) -> Result<Vec<Conflict>, SyncError> {
    let mut chosen: Vec<Conflict> = Vec::new();
    for path in paths {
        let relative = within(copy.root(), base, path)?;
        let folder = [relative.as_slice(), b"/"].concat();
        let is_meant = |conflict: &&Conflict| {
            let beside = match &conflict.form {
                Form::Beside { theirs_path } => theirs_path == &relative,
                Form::Markers | Form::Kept => false,
            };
            let is_below = relative.is_empty() || conflict.path.starts_with(&folder);
            conflict.path == relative || beside || is_below
        };
        let before = chosen.len();
        chosen.extend(open.iter().filter(is_meant).cloned());
        if chosen.len() == before {
            let path = show(path.as_os_str().as_bytes());
            return Err(SyncError::NoFileConflict { path });
        }
    }
    chosen.sort_by(|a, b| a.path.cmp(&b.path));
    chosen.dedup();
    Ok(chosen)
}

/// Names up to three paths, for a message.
fn listed(chosen: &[Conflict]) -> String {
    let paths: Vec<String> = chosen.iter().take(3).map(|conflict| show(&conflict.path)).collect();
    match chosen.len() {
        0..=3 => paths.join(", "),
        all => format!("{} and {} more", paths.join(", "), all - 3),
    }
}
