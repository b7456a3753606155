//! `untrack`: removes paths from the project, and keeps their files here and on every device.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use fastest_core::files::foreign::belongs_to_others;
use fastest_core::object::name::IGNORE_FILES;
use fastest_core::object::tree::read::find;
use fastest_core::worktree::checkout::edit::Files;
use fastest_core::worktree::git::Git;
use fastest_core::worktree::ignore_rules::file::IGNORE_FILE_BYTES_MAX;

use crate::device::activity::Activity;
use crate::device::commands::purpose::{Purpose, RULE_FILE};
use crate::device::open::OpenDevice;
use crate::device::path::{show, show_all, within};
use crate::device::report::UntrackReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;

impl OpenDevice {
    /// See [`Device::untrack`](crate::Device::untrack).
    pub(crate) fn untrack(
        &mut self,
        copy: &WorkingCopy,
        base: &Path,
        paths: &[PathBuf],
        activity: &Activity,
    ) -> Result<UntrackReport, SyncError> {
        let (_lock, warnings) = self.enter(copy)?;
        let files = Files::of(copy.root()).map_err(SyncError::io("open", copy.root()))?;
        let git = Git::of(copy.root(), &self.git_settings);
        let mut untrack = Vec::new();
        for path in paths {
            let relative = within(copy.root(), base, path)?;
            self.check_untrackable(copy, &files, &git, &relative)?;
            untrack.push(relative);
        }
        // The rule for a folder covers what is in it.
        let folders: Vec<Vec<u8>> =
            untrack.iter().map(|path| [path.as_slice(), b"/"].concat()).collect();
        untrack.retain(|path| !folders.iter().any(|folder| path.starts_with(folder)));
        let message = format!("Untrack {}", show_all(&untrack).join(", "));
        let message: String = message.chars().take(200).collect();
        // Without the rules that are about to be added.
        let before = self.store_files(copy, Purpose::Safety, activity)?.0.root.id;
        let mut edited = Vec::new();
        let added = untrack.iter().try_for_each(|path| {
            edited.extend(add_rule(&files, path)?);
            Ok(())
        });
        let captured = added.and_then(|()| {
            self.capture(copy, Some(&message), Purpose::Untrack(&untrack), activity)
        });
        let mut captured = captured.inspect_err(|_| {
            // Without the snapshot, the rules would take effect later, and elsewhere than intended.
            let undo = |Edited { path, before, after }: &Edited| {
                files.replace(path, Some(after), before.as_deref(), RULE_FILE_MODE)
            };
            edited.iter().rev().for_each(|old| drop(undo(old)));
        })?;
        captured.warnings.splice(0..0, warnings);
        if let Some(number) = captured.operation {
            self.note_files(number, &before, &captured.root.id)?;
        }
        Ok(UntrackReport {
            untracked: show_all(&untrack),
            snapshot: self.snapshot_report(&captured)?,
        })
    }

    /// Refuses a path that does not exist, or that the next snapshot would include again.
    fn check_untrackable(
        &self,
        copy: &WorkingCopy,
        files: &Files,
        git: &Git,
        path: &[u8],
    ) -> Result<(), SyncError> {
        if path.is_empty() {
            return Err(SyncError::UntrackRoot);
        }
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let is_ignore_file = IGNORE_FILES.iter().any(|file| file.as_bytes() == name);
        if is_ignore_file || name.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            return Err(SyncError::CannotBeIgnored { path: show(path) });
        }
        if belongs_to_others(copy.root(), path) {
            return Err(SyncError::NotOurs { path: show(path) });
        }
        if git.tracks(path) || git.tracks_below(path) {
            return Err(SyncError::TrackedByGit { path: show(path) });
        }
        let head = copy.head()?.map(|head| tree_of(&self.snapshot_row(&head)?)).transpose()?;
        let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
        let held = head.map(|head| find(&head, &parts, &self.store)).transpose()?.flatten();
        let is_folder = |path: &[u8]| files.is_folder(path).ok().flatten();
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        if slashes.into_iter().any(|(slash, _)| is_folder(&path[..slash]) == Some(false)) {
            return Err(SyncError::NotOurs { path: show(path) });
        }
        if held.is_some() || is_folder(path).is_some() {
            Ok(())
        } else {
            Err(SyncError::NotHere { path: show(path) })
        }
    }
}

/// An ignore file to which a rule was added. Its path is relative to the root.
struct Edited {
    path: Vec<u8>,
    /// Its bytes before; `None` if it did not exist.
    before: Option<Vec<u8>>,
    after: Vec<u8>,
}

/// The mode of a new ignore file: everyone may read it.
const RULE_FILE_MODE: u32 = 0o644;

/// Adds the rule for a path to the ignore file in its folder, unless it is there.
fn add_rule(files: &Files, path: &[u8]) -> Result<Option<Edited>, SyncError> {
    let name_at = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let (folder, name) = path.split_at(name_at);
    let file = [folder, RULE_FILE.as_bytes()].concat();
    let shown = || PathBuf::from(OsStr::from_bytes(&file));
    let failed = |action| SyncError::io(action, shown());
    let above = folder.strip_suffix(b"/").unwrap_or_default();
    match files.is_folder(above).map_err(failed("look at"))? {
        Some(true) => {}
        Some(false) => return Err(SyncError::NotOurs { path: show(path) }),
        None => return Err(SyncError::NotHere { path: show(above) }),
    }
    let found = match files.read(&file, IGNORE_FILE_BYTES_MAX as u64) {
        // Through a link, a rule would be written outside of the project.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(SyncError::NotOurs { path: show(path) });
        }
        found => found.map_err(failed("read"))?,
    };
    let old = found.as_deref().unwrap_or_default();
    let rule = rule_for(name);
    // Only the last line is compared, because a later rule may override an earlier one.
    let last = old.split(|&byte| byte == b'\n').rfind(|line| !line.is_empty());
    if last == Some(&rule) {
        return Ok(None);
    }
    let line_end: &[u8] = if old.is_empty() || old.ends_with(b"\n") { b"" } else { b"\n" };
    let after = [old, line_end, &rule, b"\n"].concat();
    let replaced = files.replace(&file, found.as_deref(), Some(&after), RULE_FILE_MODE);
    replaced.map_err(failed("write"))?;
    Ok(Some(Edited { path: file, before: found, after }))
}

/// Returns the pattern that matches a name in its folder and nothing else. The name has no line
/// break, which a pattern cannot contain.
fn rule_for(name: &[u8]) -> Vec<u8> {
    let mut rule = b"/".to_vec();
    for &byte in name {
        match byte {
            b'\\' | b'*' | b'?' | b'[' | b' ' => rule.extend([b'\\', byte]),
            byte => rule.push(byte),
        }
    }
    rule
}
