//! Decides what a checkout leaves as it was found, before it writes anything: folders that belong
//! to others, files that are absent on purpose, and what is in the way of something new.

use std::collections::HashMap;

use rustix::fs::{Dir, Mode};

use crate::files::beneath::change::{At, names_of};
use crate::files::beneath::{DIRECTORY, Parents};
use crate::files::foreign::{is_nested_repo, is_repository_of_others};
use crate::files::stat::Node;
use crate::object::path::{join, to_path};
use crate::object::source::ObjectSource;
use crate::worktree::checkout::change::{Change, Expected, What};
use crate::worktree::checkout::database_lock::{has_filled_side, is_in_use, lock_unchanged};
use crate::worktree::checkout::error::CheckoutError;
use crate::worktree::checkout::outcome::{Kept, KeptWhy};
use crate::worktree::checkout::past::Past;
use crate::worktree::checkout::plan::Plan;
use crate::worktree::checkout::prepare::{Prepared, write_access};
use crate::worktree::checkout::replaced::{Replaced, beside};
use crate::worktree::checkout::site::Site;
use crate::worktree::checkout::target::{Standing, content_id};
use crate::worktree::left::{Left, LeftWhy, is_in_left};

impl<'p> Prepared<'p> {
    /// Fits a plan to what is really in the working copy.
    pub(super) fn fit(
        mut plan: Plan,
        site: &'p Site,
        source: &dyn ObjectSource,
    ) -> Result<Self, CheckoutError> {
        let (leaves_obstacles, to) = (plan.leaves_obstacles, plan.to.map(|to| to.id));
        let (past, dropped) = (std::mem::take(&mut plan.past), std::mem::take(&mut plan.dropped));
        let mut parents = site.parents();
        let mut fitted = Self::new(plan, site, source, &mut parents)?;
        fitted.leave_foreign(&mut parents);
        fitted.leave_databases(leaves_obstacles, &mut parents);
        fitted.leave_absent(&mut parents)?;
        fitted.vacate();
        if leaves_obstacles {
            fitted.leave_obstacles(&dropped, &Past { trees: &past, to, source })?;
        }
        Ok(fitted)
    }

    /// Drops the changes of databases that changed since they were scanned, or that an application
    /// has open.
    fn leave_databases(&mut self, leaves_obstacles: bool, parents: &mut Parents<'_>) {
        let Self { databases, kept, left, changes, .. } = self;
        changes.retain(|Change { path, .. }| {
            let Some(Replaced { main, sides, .. }) = databases.get(path) else { return true };
            let sides: Vec<_> =
                sides.iter().map(|(side, expect)| (beside(path, side), *expect)).collect();
            match lock_unchanged(path, Some(main), &sides, parents) {
                Ok(_) => true,
                Err(KeptWhy::InUse) if leaves_obstacles => {
                    left.push(Left { path: path.clone(), why: LeftWhy::InUse });
                    false
                }
                Err(why) => {
                    kept.push(Kept { path: to_path(path), why });
                    false
                }
            }
        });
    }

    /// Drops all changes in folders that belong to others: another working copy or git working
    /// tree, or the state folder of another version control system. The scan skips these as well.
    fn leave_foreign(&mut self, parents: &mut Parents<'_>) {
        let mut known = HashMap::new();
        let mut left: Vec<Vec<u8>> = Vec::new();
        self.changes.retain(|change| {
            let slashes = change.path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
            let ends = slashes.map(|(slash, _)| slash).chain([change.path.len()]);
            let folders = ends.into_iter().map(|end| &change.path[..end]);
            let foreign = folders.into_iter().find(|folder| {
                let known = known.entry(folder.to_vec());
                *known.or_insert_with(|| is_foreign(folder, parents))
            });
            if let Some(folder) = foreign.filter(|folder| !left.iter().any(|left| left == folder)) {
                left.push(folder.to_vec());
            }
            foreign.is_none()
        });
        // Recorded, because what was not written there must not count as an edit once the folder no
        // longer belongs to others.
        let why = LeftWhy::NestedRepo;
        self.left.extend(left.into_iter().map(|path| Left { path, why }));
    }

    /// Drops the changes of files that are absent on purpose, as in a sparse working tree. The scan
    /// did not look at them, and the tree keeps the head's version of them.
    fn leave_absent(&mut self, parents: &mut Parents<'_>) -> Result<(), CheckoutError> {
        let mut absent = Vec::new();
        for change in &self.changes {
            let expect = match &change.what {
                What::Remove(expect) | What::Put(_, Some(expect)) => expect,
                _ => continue,
            };
            if expect.stat.inode == 0
                && matches!(
                    self.look(parents, &change.path, None)?,
                    Standing::Absent | Standing::NoParent
                )
            {
                absent.push(change.path.clone());
            }
        }
        self.changes.retain(|change| !absent.contains(&change.path));
        Ok(())
    }

    /// Drops the changes that would put something where something unexpected is, and all changes
    /// below such a path.
    fn leave_obstacles(&mut self, dropped: &[Left], past: &Past<'_>) -> Result<(), CheckoutError> {
        self.remove_dropped(dropped, past)?;
        self.replace_past(past)?;
        loop {
            let obstacles = self.obstacles()?;
            if obstacles.is_empty() {
                return Ok(());
            }
            self.changes.retain(|change| !is_in_left(&obstacles, &change.path));
            self.left.extend(obstacles);
            self.vacate();
        }
    }

    /// Removes what an earlier checkout left and the new tree lacks, if it is content of the
    /// project's past. Anything else stays in the list of what is left, until somebody moves it.
    fn remove_dropped(&mut self, dropped: &[Left], past: &Past<'_>) -> Result<(), CheckoutError> {
        let mut parents = self.site.parents();
        for left in dropped {
            let path = &left.path;
            let is_there = !matches!(
                self.look(&mut parents, path, None)?,
                Standing::Absent | Standing::NoParent | Standing::Blocked
            );
            if !is_there || left.why == LeftWhy::NestedRepo && !is_foreign(path, &mut parents) {
                continue;
            }
            let Some(mut removals) = self.removals_of_the_past(path, &mut parents, past)? else {
                self.left.push(left.clone());
                continue;
            };
            let slashes = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
            for parent in slashes.map(|(slash, _)| &path[..slash]) {
                if past.now_has(parent)? {
                    break;
                }
                let what = What::RemoveDirectory { replaced: false };
                removals.push(Change { path: parent.to_vec(), what });
            }
            self.changes.splice(0..0, removals);
        }
        self.vacate();
        Ok(())
    }

    /// Lets what is in the way be replaced, if it is content of the project's past.
    fn replace_past(&mut self, past: &Past<'_>) -> Result<(), CheckoutError> {
        let mut parents = self.site.parents();
        let (mut known, mut removals) = (Vec::new(), Vec::new());
        for (number, change) in self.changes.iter().enumerate() {
            let is_file = match change.what {
                What::Put(_, None) => true,
                What::PutDirectory(_) | What::MakeDirectory => false,
                _ => continue,
            };
            let path = &change.path;
            let standing = self.look(&mut parents, path, None)?;
            if self.fits(change, standing) {
                continue;
            }
            match standing {
                Standing::Other(Node::Content(..)) if is_file => {
                    if let Some(expected) = self.of_the_past(path, &mut parents, past)? {
                        known.push((number, expected));
                    }
                }
                Standing::Other(_) => {
                    let past = self.removals_of_the_past(path, &mut parents, past)?;
                    removals.extend(past.into_iter().flatten().map(Change::making_room));
                }
                _ => {}
            }
        }
        for (number, expected) in known {
            if let What::Put(_, expect) = &mut self.changes[number].what {
                *expect = Some(expected);
            }
        }
        self.changes.splice(0..0, removals);
        self.vacate();
        Ok(())
    }

    /// Returns the changes that remove what is at `path`, a file or a folder with everything in it;
    /// `None` if any of it is not content of the project's past.
    fn removals_of_the_past(
        &self,
        path: &[u8],
        parents: &mut Parents<'_>,
        past: &Past<'_>,
    ) -> Result<Option<Vec<Change>>, CheckoutError> {
        let (mut removals, mut folders) = (Vec::new(), Vec::new());
        let mut waiting = vec![path.to_vec()];
        while let Some(path) = waiting.pop() {
            match self.look(parents, &path, None)? {
                Standing::Other(Node::Directory) if !is_foreign(&path, parents) => {
                    let Some(names) = self.names_in(&path)? else { return Ok(None) };
                    waiting.extend(names.iter().map(|name| join(&path, name)));
                    let what = What::RemoveDirectory { replaced: false };
                    folders.push(Change { path, what });
                }
                Standing::Other(Node::Content(..)) if removals.len() < PAST_FILES_MAX => {
                    let Some(expected) = self.of_the_past(&path, parents, past)? else {
                        return Ok(None);
                    };
                    removals.push(Change { path, what: What::Remove(expected) });
                }
                _ => return Ok(None),
            }
        }
        removals.extend(folders.into_iter().rev());
        Ok(Some(removals))
    }

    /// Returns the names in a folder; `None` if it cannot be read.
    fn names_in(&self, path: &[u8]) -> Result<Option<Vec<Vec<u8>>>, CheckoutError> {
        let directory = self.site.folder.directory(path);
        let Ok(directory) = directory.and_then(Dir::new) else { return Ok(None) };
        let names = names_of(directory);
        names.map(Some).map_err(|error| self.failed("read directory", path)(error.into()))
    }

    /// Returns the file at `path`, if the project's past has it there. A database that may be open,
    /// or whose log has content, counts as unknown, because its main file is not all of it.
    fn of_the_past(
        &self,
        path: &[u8],
        parents: &mut Parents<'_>,
        past: &Past<'_>,
    ) -> Result<Option<Expected>, CheckoutError> {
        let Standing::Other(Node::Content(kind, stat)) = self.look(parents, path, None)? else {
            return Ok(None);
        };
        if past.trees.is_empty() || !matches!(has_filled_side(path, parents), Ok(false)) {
            return Ok(None);
        }
        let (parent, name) = parents.open(path).map_err(self.failed("open", path))?;
        // What cannot be read is an obstacle like any other.
        let Ok(id) = content_id(At(parent, name), kind) else { return Ok(None) };
        if !past.had(path, kind, &id)? || is_in_use(parent, name) {
            return Ok(None);
        }
        Ok(Some(Expected { kind, stat, racy: true, id }))
    }

    /// Returns the paths at which a change cannot be made, sorted.
    fn obstacles(&self) -> Result<Vec<Left>, CheckoutError> {
        let mut parents = self.site.parents();
        let mut found = Vec::new();
        for change in &self.changes {
            let path = &change.path;
            if let Some(why) = self.obstacle(change, &mut parents)? {
                found.push(Left { path: path.clone(), why });
            }
        }
        found.sort_unstable();
        found.dedup_by(|a, b| a.path == b.path);
        Ok(found)
    }

    fn obstacle(
        &self,
        change: &Change,
        parents: &mut Parents<'_>,
    ) -> Result<Option<LeftWhy>, CheckoutError> {
        let path = &change.path;
        if write_access(path, parents).is_err() {
            return Ok(Some(LeftWhy::Denied));
        }
        let (standing, is_in_the_way) = match &change.what {
            What::RemoveDirectory { replaced: false } => return Ok(None),
            What::RemoveDirectory { replaced: true } => {
                let mut strangers = Vec::new();
                self.strangers(path, &mut strangers)?;
                return Ok((!strangers.is_empty()).then_some(LeftWhy::InTheWay));
            }
            What::MakeDirectory | What::PutDirectory(_) | What::Put(_, None) => {
                let standing = self.look(parents, path, None)?;
                (standing, matches!(standing, Standing::Other(_) | Standing::Blocked))
            }
            What::Remove(expect) | What::Put(_, Some(expect)) => {
                let standing = self.look(parents, path, Some(expect))?;
                // The content of a file that could not be read is unknown.
                let is_unread = expect.stat.inode == 0 && matches!(standing, Standing::Other(_));
                (standing, is_unread || standing == Standing::Blocked)
            }
        };
        if standing == Standing::Denied {
            return Ok(Some(LeftWhy::Denied));
        }
        if !is_in_the_way || self.fits(change, standing) {
            return Ok(None);
        }
        let opened = parents.open(path);
        let is_in_use = opened.is_ok_and(|(parent, name)| is_in_use(parent, name));
        Ok(Some(if is_in_use { LeftWhy::InUse } else { LeftWhy::InTheWay }))
    }
}

/// How many files of a folder in the way are compared with the past, at most.
const PAST_FILES_MAX: usize = 10_000;

/// Returns whether a folder belongs to others and must not be written into. False if it cannot be
/// looked at: a later look reports that.
fn is_foreign(folder: &[u8], parents: &mut Parents<'_>) -> bool {
    let Ok((parent, name)) = parents.open(folder) else { return false };
    let Ok(directory) = rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()) else {
        return false;
    };
    is_nested_repo(&directory).is_some() || is_repository_of_others(parent, name)
}
