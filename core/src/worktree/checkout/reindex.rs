//! Builds the stat index of the new tree, from the old index and from what was written.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::files::stat::{Node, Stat};
use crate::object::error::StoreError;
use crate::object::item::{Item, Root};
use crate::object::path::join;
use crate::object::source::ObjectSource;
use crate::object::tree::read_directory;
use crate::worktree::checkout::site::Site;
use crate::worktree::checkout::step::{Action, Step};
use crate::worktree::checkout::target::is_file;
use crate::worktree::database::SIDES;
use crate::worktree::stat_index::{Block, BlockBuilder, IndexedDirectory, IndexedEntry, StatIndex};

/// The stat data of files that were put in place one by one, and whether it is racy.
pub(super) type Placed = HashMap<Vec<u8>, (Stat, bool)>;

/// Looks at each such file once more, because renaming it changed its ctime. A file that was
/// written at `begun_ns` or later, or renamed at `after_ns` or later, may have been edited in the
/// same tick.
pub(super) fn placed(site: &Site, steps: &[Step], begun_ns: i64, after_ns: i64) -> Placed {
    let is_last = |at: usize| {
        // The content of a database as a single file is followed by what replaces it.
        let after = &steps[at + 1..steps.len().min(at + 2 + SIDES.len())];
        !after.iter().any(|step| step.path == steps[at].path)
    };
    let put = |(at, step): (usize, &Step)| match step.action {
        Action::Put { staged, .. } if is_last(at) => {
            let stat = match site.folder.look(&step.path) {
                Ok(Some(node @ Node::Content(_, stat))) if is_file(Some(node), &staged) => stat,
                // The user's version is there. It never equals what was staged.
                _ => return Some((step.path.clone(), (staged, true))),
            };
            let racy = stat.is_racy_renamed(begun_ns, after_ns);
            Some((step.path.clone(), (stat, racy)))
        }
        _ => None,
    };
    steps.par_iter().enumerate().filter_map(put).collect()
}

/// Returns the index of the tree `to`.
pub(super) fn reindex(
    index: &StatIndex,
    to: &Root,
    placed: Placed,
    grown: HashMap<Vec<u8>, Block<'_>>,
    source: &dyn ObjectSource,
) -> Result<StatIndex, StoreError> {
    let mut work = Reindex { placed, grown, source };
    let block = work.directory(&[], index.directory(), &Item::directory(to))?;
    Ok(StatIndex::build(to, &block))
}

struct Reindex<'a, 's> {
    placed: Placed,
    grown: HashMap<Vec<u8>, Block<'a>>,
    source: &'s dyn ObjectSource,
}

impl<'a> Reindex<'a, '_> {
    /// Recursive: the depth is that of the plan, which was checked.
    fn directory(
        &mut self,
        path: &[u8],
        known: Option<IndexedDirectory<'a>>,
        item: &Item,
    ) -> Result<Block<'a>, StoreError> {
        let id = item.tree_id().expect("the item of a directory");
        let mut known = known.iter().flat_map(IndexedDirectory::entries).peekable();
        let mut block = BlockBuilder::default();
        for (name, item) in read_directory(&id, self.source)? {
            while known.next_if(|entry| entry.name < name.as_slice()).is_some() {}
            let entry = known.next_if(|entry| entry.name == name);
            // A file that the scan did not look at (its inode is 0) may have been put in place now.
            let is_known = |entry: &IndexedEntry<'_>| {
                entry.item == item && (entry.directory.is_some() || entry.stat.inode != 0)
            };
            if let Some(entry) = entry.filter(is_known) {
                block.copied(&entry);
                continue;
            }
            let path = join(path, &name);
            if item.is_directory() {
                let below = match self.grown.remove(&path) {
                    Some(grown) => grown,
                    None => {
                        let known = entry.and_then(|entry| entry.directory);
                        self.directory(&path, known, &item)?
                    }
                };
                block.directory(&name, &item, below);
            } else {
                match self.placed.get(&path) {
                    Some((stat, racy)) => block.content(&name, &item, stat, *racy),
                    // A file that was there already was not checked closely.
                    None => block.unread(&name, &item),
                }
            }
        }
        Ok(block.finish())
    }
}
