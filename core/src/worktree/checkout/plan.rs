//! Computes what has to change for a working copy to become another tree. Changes nothing.

use std::collections::{HashMap, HashSet};

use crate::object::id::TreeId;
use crate::object::item::{Item, Root};
use crate::object::name::name_is_allowed;
use crate::object::path::{join, to_path};
use crate::object::source::ObjectSource;
use crate::object::state_name::is_state_name;
use crate::object::tree::{DEPTH_MAX, find, read_directory, read_root};
use crate::worktree::checkout::change::{Change, Expected, What};
use crate::worktree::checkout::error::CheckoutError;
use crate::worktree::checkout::folding::{Clash, Folding};
use crate::worktree::checkout::replaced::Replaced;
use crate::worktree::checkout::target_rules::TargetRules;
use crate::worktree::database::Database;
use crate::worktree::left::{Left, is_in_left, is_left};
use crate::worktree::stat_index::{IndexedDirectory, IndexedEntry, StatIndex};

/// Changes to a working copy, in the order in which they are made: removals first, children before
/// parents; then additions, parents before children.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) removals: Vec<Change>,
    pub(super) additions: Vec<Change>,
    /// The resulting tree; `None` if only some paths are restored.
    pub(super) to: Option<Root>,
    pub(super) folding: Folding,
    /// Files that are kept although the new tree lacks them, since it newly ignores them.
    pub(super) untracked: Vec<Vec<u8>>,
    /// Whether to leave what is in the way of a new file, and to do the rest.
    pub(super) leaves_obstacles: bool,
    /// Paths that earlier checkouts left and this one tries again, sorted.
    pub(super) tried: Vec<Left>,
    /// Those of them that the new tree lacks. What is there is deleted, if it is content of the
    /// project's past.
    pub(super) dropped: Vec<Left>,
    /// Trees of the project's past.
    pub(super) past: Vec<TreeId>,
    /// Databases with files beside them that are replaced or deleted.
    pub(super) databases: HashMap<Vec<u8>, Replaced>,
}

impl Plan {
    /// Returns the changes from the tree of `index` to the tree `to`.
    ///
    /// # Errors
    /// If a node of `to` is missing or damaged, or two names in a directory would be one here.
    pub fn whole(
        index: &StatIndex,
        to: &TreeId,
        source: &dyn ObjectSource,
        folding: Folding,
    ) -> Result<Self, CheckoutError> {
        Self::to_tree(index, to, Planner::new(source, folding))
    }

    /// Like [`Plan::whole`], but leaves what is in the way of a new file or folder, such as a file
    /// that was ignored so far, and does the rest. The state folder records what was left. `left`
    /// is what it has recorded so far, which is tried again.
    ///
    /// # Errors
    /// Those of [`Plan::whole`].
    pub fn around(
        index: &StatIndex,
        to: &TreeId,
        left: Vec<Left>,
        source: &dyn ObjectSource,
        folding: Folding,
    ) -> Result<Self, CheckoutError> {
        let planner = Planner { left, ..Planner::new(source, folding) };
        Ok(Self::to_tree(index, to, planner)?.leaving_obstacles())
    }

    /// Leaves what is in the way of a new file or folder, and does the rest.
    pub fn leaving_obstacles(mut self) -> Self {
        self.leaves_obstacles = true;
        self
    }

    /// Sets the trees of the project's past. A file in the way may be replaced if one of them has
    /// it at this path: it means that an earlier checkout left the file behind, or could not
    /// replace it.
    pub fn with_past(mut self, past: Vec<TreeId>) -> Self {
        self.past = past;
        self
    }

    fn to_tree(
        index: &StatIndex,
        to: &TreeId,
        mut planner: Planner<'_>,
    ) -> Result<Self, CheckoutError> {
        let source = planner.source;
        let to = read_root(to, source)?;
        if index.root().is_none_or(|root| root.id != to.id) {
            let old = index.root().map(|root| root.id);
            planner.target = Some(TargetRules::new(old, to.id, source));
            planner.directory(&[], index.directory(), &Item::directory(&to), 0)?;
        }
        if !planner.left.is_empty() {
            planner.target.get_or_insert_with(|| TargetRules::new(None, to.id, source));
        }
        for left in planner.left.clone() {
            let parts: Vec<&[u8]> = left.path.split(|&byte| byte == b'/').collect();
            match find(&to.id, &parts, source)? {
                Some(item) => planner.retry(index, left.path, item),
                None => planner.dropped(left)?,
            }
        }
        let tried = planner.left.clone();
        Ok(Self { tried, ..planner.plan(Some(to)) })
    }

    /// Returns the changes that bring single paths to an item, or delete them (`None`). Missing
    /// parents are created. The index is not changed by such a checkout. `left` is what earlier
    /// checkouts left: the index does not describe these paths.
    ///
    /// # Errors
    /// Those of [`Plan::whole`]; also if a path has a name that no tree may have.
    pub fn paths(
        index: &StatIndex,
        wanted: &[(Vec<u8>, Option<Item>)],
        left: &[Left],
        source: &dyn ObjectSource,
        folding: Folding,
    ) -> Result<Self, CheckoutError> {
        let mut planner = Planner { left: left.to_vec(), ..Planner::new(source, folding) };
        let mut tried = Vec::new();
        for (path, item) in wanted {
            let is_allowed = |name: &[u8]| name_is_allowed(name) && !is_state_name(name);
            if !path.split(|&byte| byte == b'/').all(is_allowed) {
                return Err(CheckoutError::Name { path: to_path(path) });
            }
            if let Some(item) = item.filter(|_| is_in_left(left, path)) {
                planner.retry(index, path.clone(), item);
                tried.extend(left.iter().filter(|left| left.path == *path).cloned());
                continue;
            }
            let known = index.find(path);
            if item.is_some() && known.is_none() {
                planner.parents(index, path);
            }
            planner.entry(path.clone(), known.as_ref(), item.as_ref(), 0)?;
            for left in left {
                let Some(rest) = below(&left.path, path) else { continue };
                if let Some(item) = find_in(item.as_ref(), rest, source)? {
                    planner.retry(index, left.path.clone(), item);
                    tried.push(left.clone());
                }
            }
        }
        Ok(Self { tried, ..planner.plan(None) })
    }

    /// Adds the databases with files beside them that were found by the scan that returned `index`.
    /// The files are replaced with the database. Without this call such a database is left as it
    /// is.
    pub fn with_databases(mut self, index: &StatIndex, databases: &[Database]) -> Self {
        for database in databases {
            let Some(entry) = index.find(&database.path) else { continue };
            let mut changes = self.removals.iter_mut().chain(&mut self.additions);
            let Some(change) = changes.find(|change| change.path == database.path) else {
                continue;
            };
            let replaced = Replaced::new(entry.item, database);
            match &mut change.what {
                What::Remove(expect) | What::Put(_, Some(expect)) => *expect = replaced.main,
                _ => continue,
            }
            self.databases.insert(database.path.clone(), replaced);
        }
        self
    }

    /// Returns the files that are kept although the new tree lacks them, since it newly ignores
    /// them.
    pub fn untracked(&self) -> &[Vec<u8>] {
        &self.untracked
    }

    /// Returns whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.removals.is_empty() && self.additions.is_empty() && self.dropped.is_empty()
    }

    /// Returns the paths that the plan changes, relative to the root, in the order of the changes.
    /// A directory that is put in place as a whole is one path.
    pub fn touched(&self) -> impl Iterator<Item = &[u8]> {
        self.removals.iter().chain(&self.additions).map(|change| change.path.as_slice())
    }
}

struct Planner<'s> {
    source: &'s dyn ObjectSource,
    folding: Folding,
    removals: Vec<Change>,
    additions: Vec<Change>,
    /// Parents that the plan creates.
    made: HashSet<Vec<u8>>,
    /// The ignore rules of the new tree, if the plan leads to a whole one.
    target: Option<TargetRules<'s>>,
    untracked: Vec<Vec<u8>>,
    /// Paths at which the working copy does not match the index, sorted.
    left: Vec<Left>,
    dropped: Vec<Left>,
}

impl<'s> Planner<'s> {
    fn new(source: &'s dyn ObjectSource, folding: Folding) -> Self {
        let (removals, additions, made, untracked) = Default::default();
        let (target, left, dropped) = (None, Vec::new(), Vec::new());
        Self { source, folding, removals, additions, made, target, untracked, left, dropped }
    }

    fn plan(self, to: Option<Root>) -> Plan {
        let Self { folding, removals, additions, untracked, dropped, .. } = self;
        let (tried, past, databases) = Default::default();
        Plan {
            removals,
            additions,
            to,
            folding,
            untracked,
            leaves_obstacles: false,
            tried,
            dropped,
            past,
            databases,
        }
    }

    fn directory(
        &mut self,
        path: &[u8],
        known: Option<IndexedDirectory<'_>>,
        to: &Item,
        depth: usize,
    ) -> Result<(), CheckoutError> {
        let wanted = entries_of(path, to, self.source, self.folding, depth)?;
        let mut wanted = wanted.iter().peekable();
        let known = known.iter().flat_map(IndexedDirectory::entries);
        for entry in known.filter(|entry| !is_state_name(entry.name)) {
            while let Some((name, item)) = wanted.next_if(|wanted| wanted.0.as_slice() < entry.name)
            {
                self.entry(join(path, name), None, Some(item), depth)?;
            }
            let item = wanted.next_if(|wanted| wanted.0 == entry.name).map(|wanted| &wanted.1);
            if item != Some(&entry.item) {
                self.entry(join(path, entry.name), Some(&entry), item, depth)?;
            }
        }
        wanted.try_for_each(|(name, item)| self.entry(join(path, name), None, Some(item), depth))
    }

    fn entry(
        &mut self,
        path: Vec<u8>,
        known: Option<&IndexedEntry<'_>>,
        wanted: Option<&Item>,
        depth: usize,
    ) -> Result<(), CheckoutError> {
        if is_left(&self.left, &path) {
            return Ok(());
        }
        let known_directory = known.and_then(|known| known.directory);
        let expect = known.filter(|known| known.directory.is_none()).map(|known| Expected {
            kind: known.item.kind,
            stat: known.stat,
            racy: known.racy,
            id: known.item.id,
        });
        match wanted {
            Some(wanted) if wanted.is_directory() => {
                if known_directory.is_some() {
                    return self.directory(&path, known_directory, wanted, depth + 1);
                }
                if let Some(expect) = expect {
                    self.removals.push(Change { path: path.clone(), what: What::Remove(expect) });
                }
                self.additions.push(Change { path, what: What::PutDirectory(*wanted) });
            }
            Some(wanted) => {
                if let Some(directory) = known_directory {
                    self.remove(&path, directory, true)?;
                }
                self.additions.push(Change { path, what: What::Put(*wanted, expect) });
            }
            None => match (known_directory, expect) {
                (Some(directory), _) => self.remove(&path, directory, false)?,
                (None, Some(expect)) => self.remove_file(path, expect, false)?,
                (None, None) => {}
            },
        }
        Ok(())
    }

    fn remove(
        &mut self,
        path: &[u8],
        directory: IndexedDirectory<'_>,
        replaced: bool,
    ) -> Result<(), CheckoutError> {
        for entry in directory.entries().filter(|entry| !is_state_name(entry.name)) {
            let path = join(path, entry.name);
            if is_left(&self.left, &path) {
                continue;
            }
            if let Some(below) = entry.directory {
                self.remove(&path, below, replaced)?;
                continue;
            }
            let IndexedEntry { item: Item { kind, id, .. }, stat, racy, .. } = entry;
            self.remove_file(path, Expected { kind, stat, racy, id }, replaced)?;
        }
        let what = What::RemoveDirectory { replaced };
        self.removals.push(Change { path: path.to_vec(), what });
        Ok(())
    }

    /// Removes a file that the new tree lacks, unless somebody only stopped syncing it. A file
    /// whose place is needed is removed in any case.
    fn remove_file(
        &mut self,
        path: Vec<u8>,
        expect: Expected,
        replaced: bool,
    ) -> Result<(), CheckoutError> {
        let stays = match &mut self.target {
            Some(target) if !replaced => target.stopped_syncing(&path)?,
            _ => false,
        };
        if stays {
            self.untracked.push(path)
        } else {
            self.removals.push(Change { path, what: What::Remove(expect) })
        }
        Ok(())
    }

    /// Plans once more what an earlier checkout could not create.
    fn retry(&mut self, index: &StatIndex, path: Vec<u8>, item: Item) {
        self.parents(index, &path);
        let what =
            if item.is_directory() { What::PutDirectory(item) } else { What::Put(item, None) };
        self.additions.push(Change { path, what });
    }

    /// Handles a path that an earlier checkout left and the new tree lacks. If the new tree ignores
    /// it, what is there does not matter any more.
    fn dropped(&mut self, left: Left) -> Result<(), CheckoutError> {
        let ignores = match &mut self.target {
            Some(target) => target.ignores(&left.path)?,
            None => false,
        };
        if !ignores {
            self.dropped.push(left);
        }
        Ok(())
    }

    /// Creates the parents of `path` that the index does not have.
    fn parents(&mut self, index: &StatIndex, path: &[u8]) {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for (slash, _) in slashes {
            let parent = &path[..slash];
            let known = index.find(parent).is_some_and(|entry| entry.directory.is_some());
            if !known && self.made.insert(parent.to_vec()) {
                let path = parent.to_vec();
                self.additions.push(Change { path, what: What::MakeDirectory });
            }
        }
    }
}

/// Returns the rest of `path` below `folder`, without a leading slash; empty if they are equal.
fn below<'p>(path: &'p [u8], folder: &[u8]) -> Option<&'p [u8]> {
    match path.strip_prefix(folder)? {
        [] => Some(&[]),
        [b'/', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// Returns the item at a path below another item, or that item itself if the path is empty.
fn find_in(
    item: Option<&Item>,
    path: &[u8],
    source: &dyn ObjectSource,
) -> Result<Option<Item>, CheckoutError> {
    let Some(item) = item else { return Ok(None) };
    if path.is_empty() {
        return Ok(Some(*item));
    }
    let Some(tree) = item.tree_id() else { return Ok(None) };
    let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
    Ok(find(&tree, &parts, source)?)
}

/// Returns the entries of a directory that is to be at `path`. Names that would clash here are an
/// error.
pub(super) fn entries_of(
    path: &[u8],
    directory: &Item,
    source: &dyn ObjectSource,
    folding: Folding,
    depth: usize,
) -> Result<Vec<(Vec<u8>, Item)>, CheckoutError> {
    if depth > DEPTH_MAX {
        // The top is enough: the path itself would fill pages.
        let top = path.split(|byte| *byte == b'/').next().unwrap_or_default();
        return Err(CheckoutError::TooDeep { path: to_path(top) });
    }
    let id = directory.tree_id().expect("the item of a directory");
    let mut entries = read_directory(&id, source)?;
    // Trees of earlier builds may have git's state folder, which must not be written.
    entries.retain(|(name, _)| !is_state_name(name));
    match folding.clash(entries.iter().map(|entry| entry.0.as_slice())) {
        None => Ok(entries),
        Some(Clash(first, second)) => Err(CheckoutError::Clash {
            first: to_path(&join(path, &first)),
            second: to_path(&join(path, &second)),
        }),
    }
}
