//! The second phase: renames and deletions, each after a last look at what it replaces.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::merge::original_of;
use crate::path::Parents;
use crate::scan::look_at;
use crate::stat::{Node, Stat};
use crate::state_dir::StateDir;
use crate::tree::Kind;

use super::database::{Groups, check_no_new_side, check_no_stray_side};
use super::journal::{Action, Step};
use super::plan::Expected;
use super::sparse;
use super::stage::temporary_path;
use super::target::{Standing, content_id, standing};
use super::{Kept, KeptWhy, display};

/// Carries out steps; to carry one out again is harmless.
pub(super) struct Applier<'r> {
    state: &'r StateDir,
    parents: Parents,
    /// Inodes of the files that the steps bring.
    brought: HashSet<u64>,
    databases: Groups,
    pub(super) kept: Vec<Kept>,
}

/// What one step came to.
type Outcome = Result<(), KeptWhy>;

impl<'r> Applier<'r> {
    pub(super) fn new(root: &'r Path, state: &'r StateDir, steps: &[Step]) -> io::Result<Self> {
        let inode = |step: &Step| match step.action {
            Action::Put { staged, .. } => Some(staged.inode),
            _ => None,
        };
        let brought = steps.iter().filter_map(inode).collect();
        let (parents, databases) = (Parents::below(root)?, Groups::of(steps));
        Ok(Self { state, parents, brought, databases, kept: Vec::new() })
    }

    /// Carries out one step, or notes why the user's version was kept.
    pub(super) fn step(&mut self, step: &Step) {
        let path = &step.path;
        let outcome = match self.databases.step(step, &mut self.parents, &self.state.tmp()) {
            Some(outcome) => outcome,
            None => self.carry_out(step),
        };
        if let Err(why) = outcome {
            self.kept.push(Kept { path: display(path), why });
        }
    }

    fn carry_out(&mut self, Step { path, action }: &Step) -> Outcome {
        match action {
            Action::Remove(expect) => self.remove(path, expect),
            Action::RemoveDirectory => self.remove_directory(path),
            Action::MakeDirectory => self.make_directory(path),
            Action::Grow { temporary, inode } => self.grow(path, *temporary, *inode),
            Action::Put { temporary, staged, expect } => {
                self.put(path, *temporary, staged, expect.as_ref())
            }
        }
    }

    fn remove(&mut self, path: &[u8], expect: &Expected) -> Outcome {
        match standing(&mut self.parents, path, Some(expect))? {
            Standing::Absent | Standing::NoParent | Standing::Blocked => Ok(()),
            // The file is gone: a directory has come in its place, the user's or a later step's.
            Standing::Other(Node::Directory) => Ok(()),
            // What a later step brought, under a name that is the same to this file system.
            Standing::Other(Node::Content(_, stat)) if self.brought.contains(&stat.inode) => Ok(()),
            Standing::Other(_) => Err(KeptWhy::Changed),
            Standing::Denied => Err(Errno::ACCESS.into()),
            Standing::Expected => {
                check_no_new_side(path, expect, &mut self.parents)?;
                let (parent, name) = self.parents.open(path)?;
                Ok(rustix::fs::unlinkat(parent, name, AtFlags::empty())?)
            }
        }
    }

    /// A directory that still holds something stays: what it holds was never ours.
    fn remove_directory(&mut self, path: &[u8]) -> Outcome {
        let Ok((parent, name)) = self.parents.open(path) else { return Ok(()) };
        let removed = rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR);
        self.parents.forget();
        match removed {
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn make_directory(&mut self, path: &[u8]) -> Outcome {
        let (parent, name) = self.parents.open(path)?;
        match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o777)) {
            Err(Errno::EXIST) if look_at(parent, name)? == Some(Node::Directory) => Ok(()),
            Err(Errno::EXIST) => Err(KeptWhy::Changed),
            made => Ok(made?),
        }
    }

    fn grow(&mut self, path: &[u8], temporary: u64, inode: u64) -> Outcome {
        let temporary = temporary_path(&self.state.tmp(), temporary);
        let (parent, name) = self.parents.open(path)?;
        match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if Node::from(&stat) == Node::Directory && stat.st_ino == inode => Ok(()),
            Ok(_) => Err(KeptWhy::Changed),
            Err(Errno::NOENT) => rename_new(&temporary, parent, name),
            Err(error) => Err(error.into()),
        }
    }

    fn put(
        &mut self,
        path: &[u8],
        temporary: u64,
        staged: &Stat,
        expect: Option<&Expected>,
    ) -> Outcome {
        let temporary = temporary_path(&self.state.tmp(), temporary);
        let found = standing(&mut self.parents, path, expect)?;
        match (found, expect) {
            (Standing::Expected, Some(expect)) => {
                check_no_new_side(path, expect, &mut self.parents)?;
            }
            (Standing::Absent, None) => {
                check_no_stray_side(path, (&temporary, staged), &mut self.parents)?;
            }
            _ => {}
        }
        let (parent, name) = self.parents.open(path)?;
        match (found, expect) {
            (Standing::Other(Node::Content(_, stat)), _) if is_staged(&stat, staged) => Ok(()),
            (Standing::Absent, None) => {
                if let Some(original) = original_of(name) {
                    // As private as the file beside which it is put; where that is gone, as any.
                    let _ = lend_mode(parent, &original, &temporary);
                }
                match rename_new(&temporary, parent, name) {
                    Err(KeptWhy::Io(error)) if is_across(&error) => {
                        copy_across(&temporary, parent, name, false)
                    }
                    renamed => renamed,
                }
            }
            (Standing::Expected, Some(_)) => {
                lend_mode(parent, name, &temporary)?;
                match rustix::fs::renameat(CWD, &temporary, parent, name) {
                    Err(Errno::XDEV) => copy_across(&temporary, parent, name, true),
                    renamed => Ok(renamed?),
                }
            }
            // A copy across file systems has an inode of its own.
            (Standing::Other(Node::Content(kind, stat)), _)
                if stat.bytes == staged.bytes && is_copy(&temporary, parent, name, kind)? =>
            {
                Ok(())
            }
            _ => Err(KeptWhy::Changed),
        }
    }
}

/// Whether a file or link is of the same kind and content as the one still waiting at `temporary`.
fn is_copy(temporary: &Path, parent: BorrowedFd<'_>, name: &[u8], kind: Kind) -> io::Result<bool> {
    let waiting = temporary.as_os_str().as_bytes();
    match look_at(CWD, waiting)? {
        Some(Node::Content(found, _)) if found == kind => {
            Ok(content_id(CWD, waiting, kind)? == content_id(parent, name, kind)?)
        }
        _ => Ok(false),
    }
}

/// Sets on the file that waits at `temporary` the permission bits of the one that it replaces, but for
/// the one that is content: who may read an executable may run it, and nobody may run another file.
/// Set-user-id, set-group-id and sticky bits were given to other content, and go.
pub(super) fn lend_mode(parent: BorrowedFd<'_>, name: &[u8], temporary: &Path) -> Outcome {
    let old = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let new = rustix::fs::statat(CWD, temporary, AtFlags::SYMLINK_NOFOLLOW)?;
    let is_executable = |stat| match Node::from(stat) {
        Node::Content(Kind::Executable, _) => Some(true),
        Node::Content(Kind::File, _) => Some(false),
        _ => None,
    };
    let mode = match (is_executable(&old), is_executable(&new)) {
        (Some(before), Some(now)) if before == now => old.st_mode & 0o777,
        // What makes it an executable is that its owner may run it.
        (Some(_), Some(true)) => old.st_mode & 0o777 | (old.st_mode & 0o444) >> 2 | 0o100,
        (Some(_), Some(false)) => old.st_mode & 0o666,
        _ => return Ok(()),
    };
    match rustix::fs::chmodat(CWD, temporary, Mode::from_raw_mode(mode), AtFlags::empty()) {
        // A file system that has no modes of its own.
        Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS) => Ok(()),
        changed => Ok(changed?),
    }
}

/// Whether a file is the one that was written in the first phase; a rename changes its ctime.
pub(super) fn is_staged(found: &Stat, staged: &Stat) -> bool {
    Stat { ctime_ns: 0, ..*found } == Stat { ctime_ns: 0, ..*staged }
}

fn is_across(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::XDEV)
}

/// Renames to a name that nothing bears.
fn rename_new(from: &Path, parent: BorrowedFd<'_>, name: &[u8]) -> Outcome {
    match rustix::fs::renameat_with(CWD, from, parent, name, RenameFlags::NOREPLACE) {
        Err(Errno::EXIST) => Err(KeptWhy::Changed),
        // Not every file system can; then the look just before must do.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            if look_at(parent, name)?.is_some() {
                return Err(KeptWhy::Changed);
            }
            Ok(rustix::fs::renameat(CWD, from, parent, name)?)
        }
        renamed => Ok(renamed?),
    }
}

/// Brings a file or link to another file system: copied beside its target, then renamed.
fn copy_across(from: &Path, parent: BorrowedFd<'_>, name: &[u8], replace: bool) -> Outcome {
    let beside = [b".fastest-".as_slice(), blake3::hash(name).to_hex()[..16].as_bytes()].concat();
    match rustix::fs::unlinkat(parent, &*beside, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let metadata = std::fs::symlink_metadata(from)?;
    if metadata.is_symlink() {
        let target = rustix::fs::readlinkat(CWD, from, Vec::new())?;
        rustix::fs::symlinkat(target, parent, &*beside)?;
    } else {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(metadata.permissions().mode());
        let copy = File::from(rustix::fs::openat(parent, &*beside, flags, mode)?);
        sparse::copy(&mut File::open(from)?, &copy)?;
        // The umask had its say when the file was written; the bits of a replaced one are whole.
        let _ = rustix::fs::fchmod(&copy, mode);
        copy.sync_all()?;
    }
    let flags = if replace { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
    let renamed = rustix::fs::renameat_with(parent, &*beside, parent, name, flags);
    if renamed.is_err() {
        rustix::fs::unlinkat(parent, &*beside, AtFlags::empty())?;
    }
    match renamed {
        Err(Errno::EXIST) => Err(KeptWhy::Changed),
        renamed => Ok(renamed?),
    }
}
