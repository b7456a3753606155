//! What a checkout leaves as it was found, before it writes anything: folders that are others', files
//! that are not there on purpose, and what stands in the way of something new.

use std::collections::HashMap;

use rustix::fs::Mode;

use crate::foreign::{is_of_its_own, is_repository_of_others};
use crate::id::BlobId;
use crate::ignore_rules::IGNORE_FILES;
use crate::object::ObjectSource;
use crate::path::{DIRECTORY, Parents, split};
use crate::stat::Node;

use super::left::Left;
use super::plan::{Change, Expected, What};
use super::prepare::Prepared;
use super::target::{Standing, content_id, standing};
use super::{CheckoutError, display};

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
        self.left.extend(left.into_iter().map(|path| Left { path, stood: None }));
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

    /// Leaves out what would come where something stands that nobody expects, with all below it, and
    /// the ignore files above it: these may be what hides it.
    pub(super) fn leave_obstacles(
        &mut self,
        before: &[Left],
        source: &dyn ObjectSource,
    ) -> Result<(), CheckoutError> {
        self.replace_stored(source)?;
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
            let (left, others): (Vec<_>, Vec<_>) =
                std::mem::take(&mut self.changes).into_iter().partition(is_left);
            self.changes = others;
            let hiding = left.into_iter().filter(|change| {
                !obstacles.iter().any(|obstacle| is_at_or_below(&change.path, obstacle))
            });
            let hiding: Vec<Left> = hiding
                .map(|Change { path, what }| {
                    let stood = match what {
                        What::Put(_, Some(expect)) | What::Remove(expect) => Some(expect.id),
                        _ => None,
                    };
                    Left { path, stood }
                })
                .collect();
            let stood = |path: &Vec<u8>| before.iter().find(|left| left.path == *path)?.stood;
            let standing =
                obstacles.iter().map(|path| Left { path: path.clone(), stood: stood(path) });
            self.left.extend(standing.chain(hiding));
            self.vacate();
        }
    }

    /// An ignore file that an earlier checkout left, and that nobody touched since, may be replaced.
    pub(super) fn replace_left(
        &mut self,
        left: &[Left],
        parents: &mut Parents,
    ) -> Result<(), CheckoutError> {
        for change in &mut self.changes {
            let What::Put(_, expect @ None) = &mut change.what else { continue };
            let path = &change.path;
            let stood = left.iter().find(|left| left.path == *path).and_then(|left| left.stood);
            let Some(id) = stood else { continue };
            let failed = |error| CheckoutError::io("look at", self.root.join(display(path)))(error);
            let Standing::Other(Node::Content(kind, stat)) =
                standing(parents, path, None).map_err(failed)?
            else {
                continue;
            };
            let expected = Expected { kind, stat, racy: true, id };
            if standing(parents, path, Some(&expected)).map_err(failed)? == Standing::Expected {
                *expect = Some(expected);
            }
        }
        Ok(())
    }

    /// A file that stands in the way may be replaced where the store has its content: it is an earlier
    /// version, which an earlier checkout left behind.
    fn replace_stored(&mut self, source: &dyn ObjectSource) -> Result<(), CheckoutError> {
        let mut parents =
            Parents::below(self.root).map_err(CheckoutError::io("open", self.root))?;
        let mut known = Vec::new();
        for (number, change) in self.changes.iter().enumerate() {
            let What::Put(_, None) = change.what else { continue };
            let path = &change.path;
            let Standing::Other(Node::Content(kind, stat)) = self.look(&mut parents, path, None)?
            else {
                continue;
            };
            let (parent, name) = parents.open(path).map_err(self.failed("open", path))?;
            // What cannot be read is an obstacle like any other.
            let Ok(id) = content_id(parent, name, kind) else { continue };
            if source.has(&BlobId(id).into())? {
                known.push((number, Expected { kind, stat, racy: true, id }));
            }
        }
        for (number, expected) in known {
            if let What::Put(_, expect) = &mut self.changes[number].what {
                *expect = Some(expected);
            }
        }
        Ok(())
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
                What::RemoveDirectory { replaced: false } => {}
                What::MakeDirectory | What::Grow(_) | What::Put(_, None) => {
                    let standing = self.look(&mut parents, path, None)?;
                    let is_there = matches!(standing, Standing::Other(_) | Standing::Denied);
                    if is_there && !self.fits(change, standing) {
                        found.push(path.clone());
                    }
                }
                // Of what could not be read, nobody knows what it holds.
                What::Remove(expect) | What::Put(_, Some(expect)) => {
                    let standing = self.look(&mut parents, path, Some(expect))?;
                    let is_unread =
                        expect.stat.inode == 0 && matches!(standing, Standing::Other(_));
                    if is_unread || standing == Standing::Denied {
                        found.push(path.clone());
                    }
                }
            }
        }
        Ok(found)
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
