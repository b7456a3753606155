//! Before anything is written: fits a plan to what really stands in the working copy, or refuses.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, Dir, Mode};
use rustix::io::Errno;

use crate::foreign::{is_of_its_own, is_repository_of_others};
use crate::ignore_rules::IGNORE_FILES;
use crate::object::ObjectSource;
use crate::path::{DIRECTORY, Parents, join, split};
use crate::scan::SIDES;
use crate::stat::Node;
use crate::tree::Item;

use super::database::{Replaced, beside, lock_unchanged};
use super::folding::Folding;
use super::plan::{Change, Expected, Plan, What, entries_of};
use super::target::{Standing, content_id, standing};
use super::{CheckoutError, Kept, KeptWhy, display};

/// The changes of a plan, fitted to one working copy.
pub(super) struct Prepared<'p> {
    root: &'p Path,
    /// In the order in which they are to be made.
    pub(super) changes: Vec<Change>,
    pub(super) folding: Folding,
    /// Keys of the paths that the changes vacate before anything new comes.
    vacated: HashSet<Vec<u8>>,
    /// Directories that the changes create one by one.
    made: HashSet<Vec<u8>>,
    /// The device that the state folder is on.
    device: u64,
    /// Databases with files beside them among what is replaced or deleted.
    pub(super) databases: HashMap<Vec<u8>, Replaced>,
    /// Paths that are left as they were found.
    pub(super) kept: Vec<Kept>,
}

impl<'p> Prepared<'p> {
    /// Splits directories that cannot be brought as a whole into their parts, and leaves out
    /// files that are there already.
    pub(super) fn fit(
        plan: Plan,
        root: &'p Path,
        state_device: u64,
        source: &dyn ObjectSource,
    ) -> Result<Self, CheckoutError> {
        let folding = plan.folding;
        let vacates =
            |change: &&Change| !matches!(change.what, What::RemoveDirectory { replaced: false });
        let vacated = plan.removals.iter().filter(vacates).map(|change| folding.key(&change.path));
        let sides = plan.databases.keys().flat_map(|path| SIDES.map(|side| beside(path, side)));
        let sides = sides.map(|side| folding.key(&side));
        let vacated = vacated.chain(sides).collect();
        let (made, changes, databases) = (HashSet::new(), plan.removals, plan.databases);
        let (device, kept) = (state_device, Vec::new());
        let mut fitted = Self { root, changes, folding, vacated, made, device, databases, kept };
        let mut parents = Parents::below(root).map_err(CheckoutError::io("open", root))?;
        for change in plan.additions {
            fitted.addition(change, &mut parents, source)?;
        }
        fitted.leave_foreign(&mut parents);
        fitted.leave_databases(&mut parents);
        if plan.leaves_obstacles {
            fitted.leave_obstacles()?;
        }
        Ok(fitted)
    }

    /// Leaves out all changes in folders that are others': a working copy or a git working tree of
    /// its own, or the state of another version control system. The scan leaves these alone too.
    fn leave_foreign(&mut self, parents: &mut Parents) {
        let mut known = HashMap::new();
        self.changes.retain(|change| {
            let slashes = change.path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
            let ends = slashes.map(|(slash, _)| slash).chain([change.path.len()]);
            !ends.into_iter().any(|end| {
                let folder = &change.path[..end];
                match known.get(folder) {
                    Some(is_foreign) => *is_foreign,
                    None => {
                        let is_foreign = is_foreign(folder, parents);
                        known.insert(folder.to_vec(), is_foreign);
                        is_foreign
                    }
                }
            })
        });
    }

    /// Leaves out databases that changed since they were scanned, or that an application has open.
    fn leave_databases(&mut self, parents: &mut Parents) {
        let Self { databases, kept, changes, .. } = self;
        changes.retain(|Change { path, .. }| {
            let Some(Replaced { main, sides, .. }) = databases.get(path) else { return true };
            let sides: Vec<_> =
                sides.iter().map(|(side, expect)| (beside(path, side), *expect)).collect();
            match lock_unchanged(path, Some(main), &sides, parents) {
                Ok(_) => true,
                Err(why) => {
                    kept.push(Kept { path: display(path), why });
                    false
                }
            }
        });
    }

    /// Leaves out what would come where something stands that nobody expects, with all below it, and
    /// the ignore files above it: these may be what hides it.
    fn leave_obstacles(&mut self) -> Result<(), CheckoutError> {
        loop {
            let obstacles: Vec<Vec<u8>> = self.obstacles()?;
            if obstacles.is_empty() {
                return Ok(());
            }
            let is_left = |change: &Change| {
                let path = &change.path;
                let (parent, name) = split(path);
                let is_ignore_file = IGNORE_FILES.iter().any(|file| file.as_bytes() == name);
                obstacles.iter().any(|obstacle| {
                    is_at_or_below(path, obstacle)
                        || is_ignore_file && (parent.is_empty() || is_at_or_below(obstacle, parent))
                })
            };
            self.changes.retain(|change| !is_left(change));
            let why = || KeptWhy::Obstacle;
            let kept = obstacles.iter().map(|path| Kept { path: display(path), why: why() });
            self.kept.extend(kept);
        }
    }

    /// Paths of new files and folders where something else stands already.
    fn obstacles(&self) -> Result<Vec<Vec<u8>>, CheckoutError> {
        let mut parents =
            Parents::below(self.root).map_err(CheckoutError::io("open", self.root))?;
        let mut found = Vec::new();
        for change in &self.changes {
            let path = &change.path;
            match &change.what {
                What::RemoveDirectory { replaced: true } => {
                    let mut strangers = Vec::new();
                    self.strangers(path, &mut strangers)?;
                    if !strangers.is_empty() {
                        found.push(path.clone());
                    }
                }
                What::MakeDirectory | What::Grow(_) | What::Put(_, None) => {
                    let standing = self.look(&mut parents, path, None)?;
                    if matches!(standing, Standing::Other(_)) && !self.fits(change, standing) {
                        found.push(path.clone());
                    }
                }
                What::Remove(_) | What::RemoveDirectory { .. } | What::Put(..) => {}
            }
        }
        Ok(found)
    }

    fn addition(
        &mut self,
        change: Change,
        parents: &mut Parents,
        source: &dyn ObjectSource,
    ) -> Result<(), CheckoutError> {
        match change.what {
            What::Grow(item) if self.must_split(&change.path, parents)? => {
                self.split(change.path, &item, parents, source)
            }
            What::Put(item, expect) if self.is_there(&change.path, &item, &expect, parents)? => {
                Ok(())
            }
            _ => {
                if change.what == What::MakeDirectory {
                    self.made.insert(change.path.clone());
                }
                self.changes.push(change);
                Ok(())
            }
        }
    }

    fn split(
        &mut self,
        path: Vec<u8>,
        item: &Item,
        parents: &mut Parents,
        source: &dyn ObjectSource,
    ) -> Result<(), CheckoutError> {
        let depth = path.iter().filter(|&&byte| byte == b'/').count() + 1;
        self.made.insert(path.clone());
        self.changes.push(Change { path: path.clone(), what: What::MakeDirectory });
        for (name, item) in entries_of(&path, item, source, self.folding, depth)? {
            let path = join(&path, &name);
            let what = if item.is_directory() { What::Grow(item) } else { What::Put(item, None) };
            self.addition(Change { path, what }, parents, source)?;
        }
        Ok(())
    }

    /// Whether a directory stands where a whole one is to come, or the two are on different file
    /// systems.
    fn must_split(&self, path: &[u8], parents: &mut Parents) -> Result<bool, CheckoutError> {
        match self.look(parents, path, None)? {
            Standing::Other(Node::Directory) => Ok(!self.is_vacated(path)),
            _ => Ok(self.is_across(path, parents)?),
        }
    }

    /// Whether the nearest directory above `path` is on another file system.
    fn is_across(&self, path: &[u8], parents: &mut Parents) -> Result<bool, CheckoutError> {
        let mut path = path;
        loop {
            match parents.open(path) {
                Ok((parent, _)) => {
                    let stat = rustix::fs::fstat(parent)
                        .map_err(|error| self.failed("look at", path)(error.into()))?;
                    return Ok(u64::try_from(i128::from(stat.st_dev)).ok() != Some(self.device));
                }
                Err(_) if !split(path).0.is_empty() => path = split(path).0,
                Err(error) => return Err(self.failed("open", path)(error)),
            }
        }
    }

    /// Whether just what is wanted stands there, brought by someone else.
    fn is_there(
        &self,
        path: &[u8],
        item: &Item,
        expect: &Option<Expected>,
        parents: &mut Parents,
    ) -> Result<bool, CheckoutError> {
        let Standing::Other(Node::Content(kind, stat)) =
            self.look(parents, path, expect.as_ref())?
        else {
            return Ok(false);
        };
        if kind != item.kind || stat.bytes != item.bytes || self.is_vacated(path) {
            return Ok(false);
        }
        let (parent, name) = parents.open(path).map_err(self.failed("open", path))?;
        let id = content_id(parent, name, kind).map_err(self.failed("read", path))?;
        Ok(id == item.id)
    }

    fn is_vacated(&self, path: &[u8]) -> bool {
        self.vacated.contains(&self.folding.key(path))
    }

    /// The paths where something stands that no change expects, in the order of the changes.
    pub(super) fn in_the_way(&self) -> Result<Vec<PathBuf>, CheckoutError> {
        let mut parents =
            Parents::below(self.root).map_err(CheckoutError::io("open", self.root))?;
        let mut found = Vec::new();
        let mut writable = None;
        for change in &self.changes {
            let parent = split(&change.path).0;
            if writable != Some(parent) {
                self.check_writable(&change.path, &mut parents)?;
                writable = Some(parent);
            }
            let (path, expect) = match &change.what {
                What::RemoveDirectory { replaced } => {
                    if *replaced {
                        self.strangers(&change.path, &mut found)?;
                    }
                    continue;
                }
                What::Remove(expect) | What::Put(_, Some(expect)) => (&change.path, Some(expect)),
                What::MakeDirectory | What::Grow(_) | What::Put(..) => (&change.path, None),
            };
            let standing = self.look(&mut parents, path, expect)?;
            if !self.fits(change, standing) {
                found.push(self.root.join(display(path)));
            }
        }
        Ok(found)
    }

    /// Whether a change can be made where this stands.
    fn fits(&self, change: &Change, standing: Standing) -> bool {
        let path = &change.path;
        let is_removal = matches!(change.what, What::Remove(_));
        let expects_nothing = !matches!(change.what, What::Remove(_) | What::Put(_, Some(_)));
        match standing {
            Standing::Expected => true,
            Standing::Absent => is_removal || expects_nothing,
            Standing::NoParent => is_removal || self.made.contains(split(path).0),
            Standing::Other(Node::Directory) if change.what == What::MakeDirectory => true,
            Standing::Other(_) => !is_removal && self.is_vacated(path),
            Standing::Blocked => is_removal || self.made.contains(split(path).0),
        }
    }

    /// Refuses a folder that may not be written to: what could not be changed in it would be left
    /// as it is, and the next snapshot would take it for the user's wish.
    fn check_writable(&self, path: &[u8], parents: &mut Parents) -> Result<(), CheckoutError> {
        // Where there is no such folder, the look at the path itself says so.
        let Ok((parent, _)) = parents.open(path) else { return Ok(()) };
        let access = Access::WRITE_OK | Access::EXEC_OK;
        match rustix::fs::accessat(parent, ".", access, AtFlags::empty()) {
            Err(error @ (Errno::ACCESS | Errno::PERM | Errno::ROFS)) => {
                Err(self.failed("write in", split(path).0)(error.into()))
            }
            _ => Ok(()),
        }
    }

    /// What stands in a directory that is to be replaced, and that the changes do not remove.
    fn strangers(&self, path: &[u8], found: &mut Vec<PathBuf>) -> Result<(), CheckoutError> {
        let full = self.root.join(display(path));
        let directory = rustix::fs::openat(CWD, &full, DIRECTORY, Mode::empty());
        let mut directory = match directory.and_then(Dir::new) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            Err(error) => return Err(self.failed("read directory", path)(error.into())),
        };
        while let Some(entry) = directory.read() {
            let entry = entry.map_err(|error| self.failed("read directory", path)(error.into()))?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." && !self.is_vacated(&join(path, name)) {
                found.push(self.root.join(display(&join(path, name))));
            }
        }
        Ok(())
    }

    fn look(
        &self,
        parents: &mut Parents,
        path: &[u8],
        expect: Option<&Expected>,
    ) -> Result<Standing, CheckoutError> {
        standing(parents, path, expect).map_err(self.failed("look at", path))
    }

    fn failed(
        &self,
        action: &'static str,
        path: &[u8],
    ) -> impl FnOnce(io::Error) -> CheckoutError + use<> {
        CheckoutError::io(action, self.root.join(display(path)))
    }
}

/// Whether `path` is `folder`, or lies in it.
fn is_at_or_below(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

/// Whether a folder is not ours to write in. What cannot be looked at is found out later.
fn is_foreign(folder: &[u8], parents: &mut Parents) -> bool {
    let Ok((parent, name)) = parents.open(folder) else { return false };
    let Ok(directory) = rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()) else {
        return false;
    };
    is_of_its_own(&directory).is_some() || is_repository_of_others(parent, name)
}
