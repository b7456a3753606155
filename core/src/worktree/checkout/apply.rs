//! The second phase: renames and deletions. Just before each, the file that it replaces is looked
//! at once more. What it took out is checked afterwards.

use std::collections::{BTreeSet, HashSet};

use rustix::fs::AtFlags;
use rustix::io::Errno;

use crate::compare::aside::original_of;
use crate::files::beneath::change::{At, Renamed, make_directory, move_new, remove_directory};
use crate::files::beneath::{Parents, look_at};
use crate::files::stat::{Node, Stamp, Stat};
use crate::object::path::{split, to_path};
use crate::worktree::checkout::across::{Across, is_copy};
use crate::worktree::checkout::change::Expected;
use crate::worktree::checkout::database::Groups;
use crate::worktree::checkout::database_lock::{check_no_new_side, check_no_stray_side};
use crate::worktree::checkout::durable::sync_directories;
use crate::worktree::checkout::error::CheckoutError;
use crate::worktree::checkout::journal::Journal;
use crate::worktree::checkout::mode::copy_mode;
use crate::worktree::checkout::outcome::{Kept, KeptWhy, Outcome};
use crate::worktree::checkout::site::{Site, removed_name, temporary_name};
use crate::worktree::checkout::step::{Action, Rules, Step};
use crate::worktree::checkout::taken::Taken;
use crate::worktree::checkout::target::{Standing, holds_expected, is_file, standing};

/// Carries out steps. Carrying one out again is harmless.
pub(super) struct Applier<'s> {
    site: &'s Site,
    rules: Rules,
    /// Whether some of the steps may have been carried out before a crash.
    again: bool,
    parents: Parents<'s>,
    /// The inodes of the files that the steps put in place.
    brought: HashSet<u64>,
    databases: Groups,
    taken: Taken<'s>,
    kept: Vec<Kept>,
}

impl<'s> Applier<'s> {
    pub(super) fn new(site: &'s Site, journal: &Journal, again: bool) -> Self {
        let inode = |step: &Step| match step.action {
            Action::Put { staged, .. } => Some(staged.inode),
            _ => None,
        };
        let brought = journal.steps.iter().filter_map(inode).collect();
        let (parents, databases) = (site.parents(), Groups::of(&journal.steps));
        let rules = journal.rules;
        let taken = Taken::new(site, rules);
        Self { site, rules, again, parents, brought, databases, taken, kept: Vec::new() }
    }

    /// Carries out one step, or notes why the user's version was kept.
    pub(super) fn step(&mut self, number: usize, step: &Step) {
        let path = &step.path;
        let Self { databases, parents, taken, site, .. } = self;
        let by_database = databases.step(number, step, parents, taken, site);
        let outcome = match by_database {
            Some(outcome) => outcome,
            None => self.carry_out(number, step),
        };
        if let Err(why) = outcome {
            self.kept.push(Kept { path: to_path(path), why });
        }
    }

    /// Checks everything that the steps took out of the working copy, syncs the folders that they
    /// changed, and only then deletes what was taken out. Returns what was kept.
    ///
    /// # Errors
    /// If a version of the user's could not be put back under a name, or the disk fails: the
    /// journal must stay.
    pub(super) fn finish(mut self, steps: &[Step]) -> Result<Vec<Kept>, CheckoutError> {
        // Reading a database would release its locks, if they were still held.
        self.databases = Groups::default();
        let kept = self.taken.check(&mut self.parents);
        self.kept.extend(kept);
        self.check_stuck()?;
        let folders: BTreeSet<_> = steps.iter().map(|step| split(&step.path).0).collect();
        sync_directories(self.site, folders.into_iter())?;
        let (kept, folders) = self.taken.delete(&mut self.parents);
        self.kept.extend(kept);
        let unseen = if self.again { self.keep_unseen(steps) } else { Vec::new() };
        self.check_stuck()?;
        let folders: BTreeSet<_> = folders.iter().map(Vec::as_slice).chain(unseen).collect();
        sync_directories(self.site, folders.into_iter())?;
        Ok(self.kept)
    }

    fn check_stuck(&mut self) -> Result<(), CheckoutError> {
        match self.taken.stuck.take() {
            Some((path, error)) => Err(CheckoutError::io("put back", path)(error)),
            None => Ok(()),
        }
    }

    fn carry_out(&mut self, number: usize, Step { path, action }: &Step) -> Outcome {
        match action {
            Action::Remove(expect) => self.remove(number, path, expect),
            Action::RemoveDirectory => self.remove_directory(path),
            Action::MakeDirectory => self.make_directory(path),
            Action::PutDirectory { temporary, inode } => self.grow(path, *temporary, *inode),
            Action::Put { temporary, staged, expect } => {
                self.put(path, (&temporary_name(*temporary), staged), expect.as_ref())
            }
        }
    }

    fn remove(&mut self, number: usize, path: &[u8], expect: &Expected) -> Outcome {
        let waits = removed_name(number);
        if self.again {
            if self.taken.was_taken_out(&waits, None) {
                return self.taken.check_taken_out(path, &waits, expect, None, &mut self.parents);
            }
            self.recover_across(path, None, Some(expect))?;
        }
        match standing(&mut self.parents, path, Some(expect))? {
            Standing::Absent | Standing::NoParent | Standing::Blocked => Ok(()),
            // The file is gone: a directory has taken its place, the user's or a later step's.
            Standing::Other(Node::Directory) => Ok(()),
            // A later step put it there, under a name that is the same to this file system.
            Standing::Other(Node::Content(_, stat)) if self.brought.contains(&stat.inode) => Ok(()),
            Standing::Other(_) => Err(KeptWhy::Changed),
            Standing::Denied => Err(Errno::ACCESS.into()),
            Standing::Expected => {
                check_no_new_side(path, expect, &mut self.parents)?;
                self.taken.remove(path, &waits, expect, &mut self.parents)
            }
        }
    }

    /// Removes a directory, unless something is left in it, which was never ours.
    fn remove_directory(&mut self, path: &[u8]) -> Outcome {
        let Ok((parent, name)) = self.parents.open(path) else { return Ok(()) };
        let removed = remove_directory(parent, name);
        self.parents.forget();
        match removed {
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn make_directory(&mut self, path: &[u8]) -> Outcome {
        let (parent, name) = self.parents.open(path)?;
        match make_directory(parent, name) {
            Err(Errno::EXIST) if look_at(parent, name)? == Some(Node::Directory) => Ok(()),
            Err(Errno::EXIST) => Err(KeptWhy::Changed),
            made => Ok(made?),
        }
    }

    fn grow(&mut self, path: &[u8], temporary: u64, inode: u64) -> Outcome {
        let waits = temporary_name(temporary);
        let (parent, name) = self.parents.open(path)?;
        match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat)
                if Node::from(&stat) == Node::Directory && Stamp::from(&stat).inode == inode =>
            {
                Ok(())
            }
            Ok(_) => Err(KeptWhy::Changed),
            Err(Errno::NOENT) => match move_new(self.site.waiting(&waits), At(parent, name))? {
                Renamed::Done => Ok(()),
                Renamed::Across => Err(Errno::XDEV.into()),
                Renamed::Taken | Renamed::Unable => Err(KeptWhy::Changed),
            },
            Err(error) => Err(error.into()),
        }
    }

    fn put(
        &mut self,
        path: &[u8],
        (waits, staged): (&[u8], &Stat),
        expect: Option<&Expected>,
    ) -> Outcome {
        let here = self.site.waiting(waits);
        if self.again && self.was_put(path, (waits, staged), expect)? {
            return Ok(());
        }
        let found = standing(&mut self.parents, path, expect)?;
        match (found, expect) {
            (Standing::Expected, Some(expect)) => {
                check_no_new_side(path, expect, &mut self.parents)?;
            }
            (Standing::Absent, None) => {
                check_no_stray_side(path, (here, staged), &mut self.parents)?;
            }
            _ => {}
        }
        let (parent, name) = self.parents.open(path)?;
        let there = At(parent, name);
        match (found, expect) {
            (Standing::Other(node), _) if is_file(Some(node), staged) => Ok(()),
            (Standing::Absent, None) => put_new(path, here, there),
            (Standing::Expected, Some(expect)) => {
                copy_mode(there, here)?;
                self.taken.put(path, (waits, staged), expect, &mut self.parents)
            }
            // A copy across file systems has an inode of its own.
            (Standing::Other(Node::Content(_, stat)), _)
                if stat.bytes == staged.bytes && is_copy(here, there) =>
            {
                Ok(())
            }
            _ => Err(KeptWhy::Changed),
        }
    }

    /// Returns whether a file was put in place before a crash, so that what it replaced is under
    /// its temporary name.
    fn was_put(
        &mut self,
        path: &[u8],
        (waits, staged): (&[u8], &Stat),
        expect: Option<&Expected>,
    ) -> Result<bool, KeptWhy> {
        let was_taken_out = self.taken.was_taken_out(waits, Some(staged));
        if let Some(expect) = expect.filter(|_| was_taken_out) {
            let (parent, name) = self.parents.open(path)?;
            // If the old file is still there, nothing was put: on some file systems, files have
            // other inodes after a restart.
            if holds_expected(At(parent, name), expect) {
                return Ok(false);
            }
            self.taken.check_taken_out(path, waits, expect, Some(staged), &mut self.parents)?;
            // What was put may have been replaced since.
            let (parent, name) = self.parents.open(path)?;
            let is_ours = is_file(look_at(parent, name)?, staged);
            return if is_ours { Ok(true) } else { Err(KeptWhy::Changed) };
        }
        self.recover_across(path, Some(waits), expect)?;
        Ok(false)
    }

    fn recover_across(
        &mut self,
        path: &[u8],
        waits: Option<&[u8]>,
        expect: Option<&Expected>,
    ) -> Outcome {
        let Ok((parent, name)) = self.parents.open(path) else { return Ok(()) };
        let across = Across::beside(path, At(parent, name));
        match self.rules {
            Rules::Exchange => across.recover(waits.map(|name| self.site.waiting(name)), expect),
            Rules::Rename => across.recover_copies(),
        }
    }

    /// After a crash: once all steps are done, keeps each file that is still under a step's
    /// temporary name and is not the step's own, since nobody has checked it.
    fn keep_unseen<'p>(&mut self, steps: &'p [Step]) -> Vec<&'p [u8]> {
        let mut folders = Vec::new();
        for (number, Step { path, action }) in steps.iter().enumerate() {
            let (waits, expect, staged) = match action {
                Action::Put { temporary, staged, expect: Some(expect) } => {
                    (temporary_name(*temporary), expect, Some(staged))
                }
                Action::Remove(expect) => (removed_name(number), expect, None),
                _ => continue,
            };
            let parents = &mut self.parents;
            if let Some(kept) = self.taken.keep_unseen(path, &waits, expect, staged, parents) {
                self.kept.push(kept);
                folders.push(split(path).0);
            }
        }
        folders
    }
}

/// Puts what is ready at `here` where nothing is.
fn put_new(path: &[u8], here: At<'_>, there: At<'_>) -> Outcome {
    if let Some(original) = original_of(there.1) {
        // As private as the file beside which it is put, if that exists.
        let _ = copy_mode(At(there.0, &original), here);
    }
    match move_new(here, there)? {
        Renamed::Done => Ok(()),
        Renamed::Across => Across::beside(path, there).put_new(here),
        Renamed::Taken | Renamed::Unable => Err(KeptWhy::Changed),
    }
}
