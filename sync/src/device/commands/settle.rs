//! `conflicts` and `resolve` for files.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use fastest_core::compare::merge::{Side, pick};
use fastest_core::object::chunk::{WriteContentError, read_content, write_content};
use fastest_core::object::id::TreeId;
use fastest_core::object::item::Item;
use fastest_core::object::tree::conflicts::{Conflict, ConflictId, Form};
use fastest_core::object::tree::format::empty_directory;
use fastest_core::object::tree::read::find;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::checkout::run::execute;

use crate::device::activity::Activity;
use crate::device::commands::pull::conflict_report;
use crate::device::commands::purpose::{Captured, Purpose};
use crate::device::commands::status::ScratchStore;
use crate::device::left::{left_in, left_notice, show_kept};
use crate::device::open::OpenDevice;
use crate::device::path::{show, within};
use crate::device::report::{ConflictReport, SettledReport};
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::replica::local::operations::{Change, Effect};

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
        if self.conflicts_of(&head)?.0.is_empty() {
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
        let (mut all, _) = self.conflicts_of(&self.head_tree(copy)?)?;
        if all.is_empty() {
            chosen(copy, base, paths, &all)?;
        }
        let message = Some("Before resolving conflicts");
        let captured = self.capture(copy, message, Purpose::Safety, activity)?;
        // They are told as well if nothing can be settled.
        self.notices.extend(warnings.into_iter().chain(captured.warnings.clone()));
        // Some may be settled by now, and some be elsewhere.
        all.extend(
            captured.open.iter().filter(|it| !all.contains(it)).cloned().collect::<Vec<_>>(),
        );
        let chosen = chosen(copy, base, paths, &all)?;
        let is_chosen = |conflict: &&Conflict| chosen.contains(conflict);
        let open: Vec<&Conflict> = captured.open.iter().filter(is_chosen).collect();
        let own_name = self.workspace_of(copy)?.name;
        let wanted = self.outcomes(&captured, &open, &|conflict| {
            let is_mirrored = conflict.theirs_name == own_name && conflict.ours_name != own_name;
            match side {
                Some(Side::Ours) if is_mirrored => Some(Side::Theirs),
                Some(Side::Theirs) if is_mirrored => Some(Side::Ours),
                side => side,
            }
        })?;
        let more =
            Effect { own: Some(Change::still(captured.snapshot_id.clone())), ..Effect::default() };
        let begun = self.begin_operation(copy, &words(paths, side), &captured, more)?;
        // What was beside a path goes only after the path has what was chosen.
        let (puts, deletes): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|(_, item)| item.is_some());
        self.write_outcomes(copy, &captured, &puts, activity)?;
        self.write_outcomes(copy, &captured, &deletes, activity)?;
        let ids: Vec<(Vec<u8>, ConflictId)> =
            chosen.iter().map(|conflict| (conflict.path.clone(), conflict.id())).collect();
        let message = format!("Resolve {}", listed(&chosen));
        // What stood beside a path may be in conflict itself, and stands at the path now.
        let moved: Vec<Conflict> = open
            .iter()
            .filter_map(|chosen| match &chosen.form {
                Form::Beside { theirs_path } => Some((theirs_path, &chosen.path)),
                Form::Markers | Form::Kept => None,
            })
            .flat_map(|(from, to)| captured.open.iter().filter_map(|it| it.moved(from, to)))
            .collect();
        let purpose = Purpose::Settle { settled: &ids, moved: &moved };
        let done = self.capture(copy, Some(&message), purpose, activity)?;
        self.finish_operation(copy, begun, &done.root.id)?;
        let mut settled: Vec<String> = chosen.iter().map(|conflict| show(&conflict.path)).collect();
        settled.dedup();
        Ok(SettledReport {
            settled,
            conflicts: done.open.iter().map(conflict_report).collect(),
            snapshot_id: done.snapshot_id,
            warnings: self.take_notices(),
        })
    }

    fn head_tree(&self, copy: &WorkingCopy) -> Result<TreeId, SyncError> {
        match self.head_of(copy)?.0 {
            Some(head) => tree_of(&self.snapshot_row(&head)?),
            None => Ok(empty_directory()),
        }
    }

    /// Returns what the paths of conflicts get: what stands there now of the side that was chosen, with all
    /// that was edited and merged since. Their version beside ours goes, whatever was chosen.
    fn outcomes(
        &self,
        captured: &Captured,
        open: &[&Conflict],
        side_of: &dyn Fn(&Conflict) -> Option<Side>,
    ) -> Result<Vec<Outcome>, SyncError> {
        let mut wanted: BTreeMap<Vec<u8>, Option<Item>> = BTreeMap::new();
        // Several conflicts may stand in one file.
        let mut texts: BTreeMap<&[u8], (Item, Vec<u8>)> = BTreeMap::new();
        for (at, conflict) in open.iter().enumerate() {
            let (path, side) = (&conflict.path, side_of(conflict));
            let shown = || show(path);
            let is_alone = |other: &&Conflict| {
                other.path != *path || other.form == Form::Markers && conflict.form == Form::Markers
            };
            if !open[..at].iter().all(is_alone) {
                return Err(SyncError::SeveralConflicts { path: shown() });
            }
            let stands = self.standing(captured, path)?;
            match (&conflict.form, side) {
                (Form::Markers, None) => return Err(SyncError::MarkersStand { path: shown() }),
                (Form::Markers, Some(side)) => {
                    let odd = || SyncError::OddMarkers { path: shown() };
                    let before = match texts.remove(path.as_slice()) {
                        Some(before) => before,
                        None => self.text_of(stands.ok_or_else(odd)?)?,
                    };
                    texts.insert(path, self.picked(conflict, before, side)?);
                }
                (Form::Beside { .. } | Form::Kept, None) if stands.is_none() => {
                    return Err(SyncError::NothingStands { path: shown() });
                }
                (Form::Beside { theirs_path }, side) => {
                    let item = match side {
                        Some(Side::Theirs) => self.standing(captured, theirs_path)?,
                        Some(Side::Ours) if stands.is_none() => conflict.ours,
                        Some(Side::Ours) | None => stands,
                    };
                    wanted.insert(path.clone(), item);
                    wanted.insert(theirs_path.clone(), None);
                }
                (Form::Kept, Some(side)) => {
                    let deleted = if side == Side::Ours { conflict.ours } else { conflict.theirs };
                    wanted.insert(path.clone(), deleted.and(stands));
                }
                (Form::Kept, None) => {}
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

    /// Returns what stands at a path of the captured tree.
    fn standing(&self, captured: &Captured, path: &[u8]) -> Result<Option<Item>, SyncError> {
        let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
        Ok(find(&captured.root.id, &parts, &self.store)?)
    }

    fn text_of(&self, item: Item) -> Result<(Item, Vec<u8>), SyncError> {
        let mut text = Vec::new();
        read_content(&item, &self.store, &mut text)?;
        Ok((item, text))
    }

    /// Puts one side's lines in place of the markers of a conflict.
    fn picked(
        &self,
        conflict: &Conflict,
        (item, text): (Item, Vec<u8>),
        side: Side,
    ) -> Result<(Item, Vec<u8>), SyncError> {
        let odd = || SyncError::OddMarkers { path: show(&conflict.path) };
        let version = if side == Side::Ours { conflict.ours } else { conflict.theirs };
        let (_, own) = self.text_of(version.ok_or_else(odd)?)?;
        let has_end = own.is_empty() || own.ends_with(b"\n");
        let picked = pick(&text, conflict, side, has_end).ok_or_else(odd)?;
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
        if let Some((path, why)) = show_kept(&done).into_iter().next() {
            return Err(SyncError::NotUpdated { path, why });
        }
        match done.left.first() {
            Some(left) => {
                Err(SyncError::NotUpdated { path: show(&left.path), why: left_notice(left) })
            }
            None => Ok(()),
        }
    }
}

/// Returns the command in words, for the log of operations.
fn words(paths: &[PathBuf], side: Option<Side>) -> String {
    let side = match side {
        Some(Side::Ours) => Some("--ours".to_owned()),
        Some(Side::Theirs) => Some("--theirs".to_owned()),
        None => None,
    };
    let paths = paths.iter().map(|path| path.display().to_string());
    let words = ["resolve".to_owned()].into_iter().chain(side).chain(paths);
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the conflicts that the paths name: at the path, beside it, or in the folder. A conflict is named
/// by its id as well.
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
            let is_named = conflict.id().to_string().as_bytes() == path.as_os_str().as_bytes();
            conflict.path == relative || beside || is_below || is_named
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
    let mut paths: Vec<String> = chosen.iter().map(|conflict| show(&conflict.path)).collect();
    paths.dedup();
    match paths.len() {
        0..=3 => paths.join(", "),
        all => format!("{} and {} more", paths[..3].join(", "), all - 3),
    }
}
