//! Fits a plan to what is really in the working copy, before anything is written, or refuses it.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;

use rustix::fs::{Access, AtFlags, Dir};
use rustix::io::Errno;

use crate::files::beneath::Parents;
use crate::files::beneath::change::At;
use crate::files::stat::Node;
use crate::object::item::Item;
use crate::object::path::{join, split, to_path};
use crate::object::source::ObjectSource;
use crate::worktree::checkout::change::{Change, Expected, What};
use crate::worktree::checkout::error::CheckoutError;
use crate::worktree::checkout::folding::Folding;
use crate::worktree::checkout::outcome::Kept;
use crate::worktree::checkout::plan::{Plan, entries_of};
use crate::worktree::checkout::replaced::{Replaced, beside};
use crate::worktree::checkout::site::Site;
use crate::worktree::checkout::target::{Standing, content_id, standing};
use crate::worktree::database::SIDES;
use crate::worktree::left::Left;

/// The changes of a plan, fitted to one working copy.
pub(super) struct Prepared<'p> {
    pub(super) site: &'p Site,
    /// In the order in which they are made.
    pub(super) changes: Vec<Change>,
    pub(super) folding: Folding,
    /// Keys of the paths that the changes vacate before anything new is put in place.
    vacated: HashSet<Vec<u8>>,
    /// Directories that the changes create one by one.
    made: HashSet<Vec<u8>>,
    /// The device of the state folder.
    device: u64,
    /// Databases with files beside them that are replaced or deleted.
    pub(super) databases: HashMap<Vec<u8>, Replaced>,
    /// Paths that are left as they are, because something else is there.
    pub(super) left: Vec<Left>,
    /// Databases that are left as they were found.
    pub(super) kept: Vec<Kept>,
}

impl<'p> Prepared<'p> {
    /// Splits directories that cannot be put in place as a whole into their parts, and drops
    /// changes that put files which are there already.
    pub(super) fn new(
        plan: Plan,
        site: &'p Site,
        source: &dyn ObjectSource,
        parents: &mut Parents<'_>,
    ) -> Result<Self, CheckoutError> {
        let folding = plan.folding;
        let (made, changes, databases) = (HashSet::new(), plan.removals, plan.databases);
        let vacated = HashSet::new();
        let device = site.device().map_err(CheckoutError::io("look at", site.state.tmp()))?;
        let (left, kept) = (Vec::new(), Vec::new());
        let mut fitted =
            Self { site, changes, folding, vacated, made, device, databases, left, kept };
        fitted.vacate();
        for change in plan.additions {
            fitted.addition(change, parents, source)?;
        }
        Ok(fitted)
    }

    /// Computes which paths the current changes vacate.
    pub(super) fn vacate(&mut self) {
        let vacates =
            |change: &&Change| !matches!(change.what, What::RemoveDirectory { replaced: false });
        let removals =
            self.changes.iter().filter(vacates).filter(|change| {
                matches!(change.what, What::Remove(_) | What::RemoveDirectory { .. })
            });
        let vacated = removals.map(|change| self.folding.key(&change.path));
        let going = self.changes.iter().filter(|change| self.databases.contains_key(&change.path));
        let sides = going.flat_map(|change| SIDES.map(|side| beside(&change.path, side)));
        let sides = sides.map(|side| self.folding.key(&side));
        self.vacated = vacated.chain(sides).collect();
    }

    fn addition(
        &mut self,
        change: Change,
        parents: &mut Parents<'_>,
        source: &dyn ObjectSource,
    ) -> Result<(), CheckoutError> {
        match change.what {
            What::PutDirectory(item) if self.must_split(&change.path, parents)? => {
                self.split(change.path, &item, parents, source)
            }
            What::Put(item, expect) if self.is_there(&change.path, &item, &expect, parents)? => {
                Ok(())
            }
            _ => {
                self.make_parents(&change.path, parents)?;
                if change.what == What::MakeDirectory {
                    self.made.insert(change.path.clone());
                }
                self.changes.push(change);
                Ok(())
            }
        }
    }

    /// Creates the directories above `path` that do not exist although the index has them:
    /// everything in them may be absent on purpose.
    fn make_parents(
        &mut self,
        path: &[u8],
        parents: &mut Parents<'_>,
    ) -> Result<(), CheckoutError> {
        if self.look(parents, path, None)? != Standing::NoParent {
            return Ok(());
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for (slash, _) in slashes {
            let parent = &path[..slash];
            if self.look(parents, parent, None)? == Standing::Absent && !self.made.contains(parent)
                || self.made.contains(split(parent).0) && !self.made.contains(parent)
            {
                self.made.insert(parent.to_vec());
                let path = parent.to_vec();
                self.changes.push(Change { path, what: What::MakeDirectory });
            }
        }
        Ok(())
    }

    fn split(
        &mut self,
        path: Vec<u8>,
        item: &Item,
        parents: &mut Parents<'_>,
        source: &dyn ObjectSource,
    ) -> Result<(), CheckoutError> {
        let depth = path.iter().filter(|&&byte| byte == b'/').count() + 1;
        self.made.insert(path.clone());
        self.changes.push(Change { path: path.clone(), what: What::MakeDirectory });
        for (name, item) in entries_of(&path, item, source, self.folding, depth)? {
            let path = join(&path, &name);
            let what =
                if item.is_directory() { What::PutDirectory(item) } else { What::Put(item, None) };
            self.addition(Change { path, what }, parents, source)?;
        }
        Ok(())
    }

    /// Returns whether a new directory must be put in place in parts: a directory is there already,
    /// or it is on another file system.
    fn must_split(&self, path: &[u8], parents: &mut Parents<'_>) -> Result<bool, CheckoutError> {
        match self.look(parents, path, None)? {
            Standing::Other(Node::Directory) => Ok(!self.is_vacated(path)),
            _ => Ok(self.is_across(path, parents)?),
        }
    }

    /// Returns whether the nearest existing directory above `path` is on another file system.
    fn is_across(&self, path: &[u8], parents: &mut Parents<'_>) -> Result<bool, CheckoutError> {
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

    /// Returns whether the wanted content is there already, put there by somebody else.
    fn is_there(
        &self,
        path: &[u8],
        item: &Item,
        expect: &Option<Expected>,
        parents: &mut Parents<'_>,
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
        // What cannot be read counts as something else.
        Ok(content_id(At(parent, name), kind).ok() == Some(item.id))
    }

    fn is_vacated(&self, path: &[u8]) -> bool {
        self.vacated.contains(&self.folding.key(path))
    }

    /// Returns the paths where something is that no change expects, in the order of the changes.
    pub(super) fn in_the_way(&self) -> Result<Vec<PathBuf>, CheckoutError> {
        let mut parents = self.site.parents();
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
                What::MakeDirectory | What::PutDirectory(_) | What::Put(..) => (&change.path, None),
            };
            let standing = self.look(&mut parents, path, expect)?;
            if !self.fits(change, standing) {
                found.push(self.site.root.join(to_path(path)));
            }
        }
        Ok(found)
    }

    /// Returns whether a change can be made, given what is at its path.
    pub(super) fn fits(&self, change: &Change, standing: Standing) -> bool {
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
            Standing::Denied => false,
        }
    }

    /// Fails for a folder that may not be written to. What could not be changed in it would be left
    /// as it is, and the next snapshot would take it for an edit.
    fn check_writable(&self, path: &[u8], parents: &mut Parents<'_>) -> Result<(), CheckoutError> {
        match write_access(path, parents) {
            Err(error) => Err(self.failed("write in", split(path).0)(error.into())),
            Ok(()) => Ok(()),
        }
    }

    /// Adds to `found` what is in a directory that is to be replaced, and is not removed by the
    /// changes.
    pub(super) fn strangers(
        &self,
        path: &[u8],
        found: &mut Vec<PathBuf>,
    ) -> Result<(), CheckoutError> {
        let directory = self.site.folder.directory(path);
        let mut directory = match directory.and_then(Dir::new) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(()),
            // Its content is unknown.
            Err(Errno::ACCESS | Errno::PERM) => {
                found.push(self.site.root.join(to_path(path)));
                return Ok(());
            }
            Err(error) => return Err(self.failed("read directory", path)(error.into())),
        };
        while let Some(entry) = directory.read() {
            let entry = entry.map_err(|error| self.failed("read directory", path)(error.into()))?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." && !self.is_vacated(&join(path, name)) {
                found.push(self.site.root.join(to_path(&join(path, name))));
            }
        }
        Ok(())
    }

    pub(super) fn look(
        &self,
        parents: &mut Parents<'_>,
        path: &[u8],
        expect: Option<&Expected>,
    ) -> Result<Standing, CheckoutError> {
        standing(parents, path, expect).map_err(self.failed("look at", path))
    }

    pub(super) fn failed(
        &self,
        action: &'static str,
        path: &[u8],
    ) -> impl FnOnce(io::Error) -> CheckoutError + use<> {
        CheckoutError::io(action, self.site.root.join(to_path(path)))
    }
}

/// Fails if the folder of `path` may not be written to. If there is no such folder, looking at the
/// path itself reports that.
pub(super) fn write_access(path: &[u8], parents: &mut Parents<'_>) -> Result<(), Errno> {
    let Ok((parent, _)) = parents.open(path) else { return Ok(()) };
    let access = Access::WRITE_OK | Access::EXEC_OK;
    match rustix::fs::accessat(parent, ".", access, AtFlags::empty()) {
        Err(error @ (Errno::ACCESS | Errno::PERM | Errno::ROFS)) => Err(error),
        _ => Ok(()),
    }
}
