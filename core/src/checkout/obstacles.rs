//! What a checkout leaves as it was found, before it writes anything: folders that are others', files
//! that are not there on purpose, and what stands in the way of something new.

use std::collections::HashMap;

use rustix::fs::Mode;

use crate::foreign::{is_of_its_own, is_repository_of_others};
use crate::id::TreeId;
use crate::left::{Left, LeftWhy, is_in_left};
use crate::object::ObjectSource;
use crate::path::{DIRECTORY, Parents};
use crate::stat::Node;
use crate::store::StoreError;
use crate::tree::{Kind, find};

use super::CheckoutError;
use super::database::has_filled_side;
use super::plan::{Change, Expected, What};
use super::prepare::{Prepared, write_access};
use super::target::{Standing, content_id};

impl Prepared<'_> {
    /// Leaves out all changes in folders that are others': a working copy or a git working tree of
    /// its own, or the state of another version control system. The scan leaves these alone too.
    pub(super) fn leave_foreign(&mut self, parents: &mut Parents) {
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
        // What was not brought there must not be taken for an edit once the folder is nobody else's.
        let why = LeftWhy::OfItsOwn;
        self.left.extend(left.into_iter().map(|path| Left { path, why }));
    }

    /// Leaves out files that are not there on purpose, as in a sparse working tree: nobody has looked
    /// at them, and the head's version of them stays in the tree.
    pub(super) fn leave_absent(&mut self, parents: &mut Parents) -> Result<(), CheckoutError> {
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

    /// Leaves out what would come where something stands that nobody expects, with all below it.
    pub(super) fn leave_obstacles(
        &mut self,
        dropped: &[Left],
        past: &Past<'_>,
    ) -> Result<(), CheckoutError> {
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

    /// Removes what an earlier checkout left and the new tree lacks, where it is content of the
    /// project's past. Anything else stays left until somebody moves it.
    fn remove_dropped(&mut self, dropped: &[Left], past: &Past<'_>) -> Result<(), CheckoutError> {
        let mut parents =
            Parents::below(self.root).map_err(CheckoutError::io("open", self.root))?;
        for Left { path, why } in dropped {
            match self.look(&mut parents, path, None)? {
                Standing::Absent | Standing::NoParent | Standing::Blocked => {}
                standing => match self.of_the_past(path, standing, &mut parents, past)? {
                    Some(expected) => self
                        .changes
                        .insert(0, Change { path: path.clone(), what: What::Remove(expected) }),
                    None => self.left.push(Left { path: path.clone(), why: *why }),
                },
            }
        }
        self.vacate();
        Ok(())
    }

    /// A file that stands in the way may be replaced where it is content of the project's past.
    fn replace_past(&mut self, past: &Past<'_>) -> Result<(), CheckoutError> {
        let mut parents =
            Parents::below(self.root).map_err(CheckoutError::io("open", self.root))?;
        let mut known = Vec::new();
        for (number, change) in self.changes.iter().enumerate() {
            let What::Put(_, None) = change.what else { continue };
            let standing = self.look(&mut parents, &change.path, None)?;
            if let Some(expected) = self.of_the_past(&change.path, standing, &mut parents, past)? {
                known.push((number, expected));
            }
        }
        for (number, expected) in known {
            if let What::Put(_, expect) = &mut self.changes[number].what {
                *expect = Some(expected);
            }
        }
        Ok(())
    }

    /// The file that stands at `path`, where the project's past has it there. A database is more than
    /// its main file while something stands beside it, so it counts as unknown then.
    fn of_the_past(
        &self,
        path: &[u8],
        standing: Standing,
        parents: &mut Parents,
        past: &Past<'_>,
    ) -> Result<Option<Expected>, CheckoutError> {
        let Standing::Other(Node::Content(kind, stat)) = standing else { return Ok(None) };
        if past.trees.is_empty() {
            return Ok(None);
        }
        if !matches!(has_filled_side(path, parents), Ok(false)) {
            return Ok(None);
        }
        let (parent, name) = parents.open(path).map_err(self.failed("open", path))?;
        // What cannot be read is an obstacle like any other.
        let Ok(id) = content_id(parent, name, kind) else { return Ok(None) };
        let was_there = past.had(path, kind, &id)?;
        Ok(was_there.then_some(Expected { kind, stat, racy: true, id }))
    }

    /// Paths at which a change cannot be made, sorted.
    fn obstacles(&self) -> Result<Vec<Left>, CheckoutError> {
        let mut parents =
            Parents::below(self.root).map_err(CheckoutError::io("open", self.root))?;
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
        parents: &mut Parents,
    ) -> Result<Option<LeftWhy>, CheckoutError> {
        let path = &change.path;
        if write_access(path, parents).is_err() {
            return Ok(Some(LeftWhy::Denied));
        }
        let (standing, is_in_the_way) = match &change.what {
            What::RemoveDirectory { replaced: true } => {
                let mut strangers = Vec::new();
                self.strangers(path, &mut strangers)?;
                return Ok((!strangers.is_empty()).then_some(LeftWhy::InTheWay));
            }
            What::RemoveDirectory { replaced: false } => return Ok(None),
            What::MakeDirectory | What::Grow(_) | What::Put(_, None) => {
                let standing = self.look(parents, path, None)?;
                (standing, matches!(standing, Standing::Other(_) | Standing::Blocked))
            }
            What::Remove(expect) | What::Put(_, Some(expect)) => {
                let standing = self.look(parents, path, Some(expect))?;
                // Nobody knows the content of a file that could not be read.
                let is_unread = expect.stat.inode == 0 && matches!(standing, Standing::Other(_));
                (standing, is_unread || standing == Standing::Blocked)
            }
        };
        if standing == Standing::Denied {
            return Ok(Some(LeftWhy::Denied));
        }
        Ok((is_in_the_way && !self.fits(change, standing)).then_some(LeftWhy::InTheWay))
    }
}

/// Trees of a project's past.
pub(super) struct Past<'s> {
    pub(super) trees: &'s [TreeId],
    pub(super) source: &'s dyn ObjectSource,
}

impl Past<'_> {
    fn had(&self, path: &[u8], kind: Kind, id: &[u8; 32]) -> Result<bool, CheckoutError> {
        let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
        for tree in self.trees {
            match find(tree, &parts, self.source) {
                Ok(Some(item))
                    if item.id == *id
                        && (item.kind == Kind::Symlink) == (kind == Kind::Symlink) =>
                {
                    return Ok(true);
                }
                Ok(_) => {}
                // A tree that is damaged or gone proves nothing.
                Err(StoreError::Missing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}

/// Whether a folder is not ours to write in. What cannot be looked at is found out later.
fn is_foreign(folder: &[u8], parents: &mut Parents) -> bool {
    let Ok((parent, name)) = parents.open(folder) else { return false };
    let Ok(directory) = rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()) else {
        return false;
    };
    is_of_its_own(&directory).is_some() || is_repository_of_others(parent, name)
}
