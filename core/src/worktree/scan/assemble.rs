//! Builds the tree and the new index, from the deepest level up.

use rayon::prelude::*;

use crate::object::item::{Item, Root};
use crate::object::tree::{find, read_root, write_directory};
use crate::worktree::scan::context::{Context, IndexUse};
use crate::worktree::scan::error::ScanError;
use crate::worktree::scan::listing::{Found, Listing};
use crate::worktree::scan::task::Task;
use crate::worktree::stat_index::{Block, BlockBuilder, IndexedDirectory, IndexedEntry, StatIndex};

/// A directory whose tree is known.
struct Done<'a> {
    /// Its entry in the parent's tree; `None` if it is not content.
    item: Option<Item>,
    /// Its entry in the new index. Under [`IndexUse::Refresh`] its tree may differ from `item`.
    indexed: Option<(Item, Block<'a>)>,
    /// Whether both are equal to those of the given index.
    untouched: bool,
}

/// Returns the tree of the root, and the new index if it differs from the given one.
pub(super) fn assemble(
    mut levels: Vec<Vec<(Task<'_>, Listing<'_>)>>,
    context: &Context<'_>,
) -> Result<(Root, Option<StatIndex>), ScanError> {
    let mut below = Vec::new();
    while let Some(level) = levels.pop() {
        let mut children = below.into_iter();
        let with_children: Vec<_> = level
            .into_iter()
            .map(|(task, listing)| {
                let own = children.by_ref().take(listing.children()).collect::<Vec<_>>();
                (task, listing, own)
            })
            .collect();
        below = with_children
            .into_par_iter()
            .map(|(task, listing, children)| directory(&task, &listing, children, context))
            .collect::<Result<Vec<_>, _>>()?;
    }
    let done = below.pop().expect("the first level is the root");
    let item = done.item.expect("the root is content");
    let index = match done.indexed {
        Some((item, block)) if !done.untouched => Some(StatIndex::build(&root_of(&item), &block)),
        _ => None,
    };
    Ok((root_of(&item), index))
}

fn root_of(item: &Item) -> Root {
    let id = item.tree_id().expect("the item of a directory");
    Root { id, files: item.files, bytes: item.bytes }
}

fn directory<'a>(
    task: &Task<'a>,
    listing: &Listing<'a>,
    children: Vec<Done<'a>>,
    context: &Context<'_>,
) -> Result<Done<'a>, ScanError> {
    let copied = |known: (Item, IndexedDirectory<'a>)| (known.0, Block::Copied(known.1.extent()));
    if listing.gone {
        let refresh = context.index_use == IndexUse::Refresh;
        let indexed = task.known.filter(|_| refresh).map(copied);
        return Ok(Done { item: None, indexed, untouched: false });
    }
    if listing.left_alone {
        return left_alone(task, context);
    }
    let below_untouched = children.iter().all(|child| child.untouched);
    if let Some(known) = task
        .known
        .filter(|(_, known)| listing.same && below_untouched && listing.listed == known.listed())
    {
        return Ok(Done { item: Some(known.0), indexed: Some(copied(known)), untouched: true });
    }

    let mut entries = Entries::collect(task, listing, children, context)?;
    if let Some(listed) = listing.listed.filter(|_| entries.are_all_names) {
        entries.block.listed(&listed);
    }
    // A folder with nothing but ignored files is content only if it was before.
    let stays = task.prefix.is_empty()
        || task.head.is_some() && task.ignored.is_none_or(|ignored| ignored.stays);
    let item = match task.known {
        _ if entries.items.is_empty() && listing.is_absent => None,
        _ if entries.items.is_empty() && listing.occupied && !stays => None,
        Some((item, known)) if entries.are_those_of(known) => Some(item),
        _ => Some(Item::directory(&write_directory(&entries.items, context.sink)?)),
    };
    let block = entries.block.finish();
    let same_block = |known: &(Item, IndexedDirectory<'_>)| block.equals(known.1.extent());
    if let Some(known) = task.known.filter(|known| {
        // This is the case of a racy file that was read again, is equal, and is still racy.
        below_untouched && item == Some(known.0) && same_block(known)
    }) {
        return Ok(Done { item, indexed: Some(copied(known)), untouched: true });
    }
    let described = match context.index_use {
        IndexUse::Replace => item,
        IndexUse::Refresh => task.known.map(|known| known.0),
    };
    Ok(Done { item, indexed: described.map(|item| (item, block)), untouched: false })
}

/// Returns the head's version of a directory that was not looked into.
fn left_alone<'a>(task: &Task<'a>, context: &Context<'_>) -> Result<Done<'a>, ScanError> {
    let source = context.selection.source;
    let item = match (task.head, task.head_above) {
        (Some(head), _) => Some(Item::directory(&read_root(&head, source)?)),
        // The head has a file or link where the directory is now.
        (None, Some(above)) => find(&above, &[task.name()], source)?,
        (None, None) => None,
    };
    let known =
        task.known.filter(|known| context.index_use == IndexUse::Refresh || item == Some(known.0));
    let indexed = match (known, item) {
        (Some((known, directory)), _) => Some((known, Block::Copied(directory.extent()))),
        (None, Some(item)) if item.is_directory() && context.index_use == IndexUse::Replace => {
            Some((item, StatIndex::unread(&item, source)?))
        }
        _ => None,
    };
    let untouched = item.is_some() && item == known.map(|known| known.0);
    Ok(Done { item, indexed, untouched })
}

/// The entries of a directory, for its tree and for the new index.
struct Entries<'l, 'a> {
    index_use: IndexUse,
    items: Vec<(&'l [u8], Item)>,
    block: BlockBuilder<'a>,
    /// Whether the block has exactly the names that are content.
    are_all_names: bool,
    children: std::vec::IntoIter<Done<'a>>,
}

impl<'l, 'a: 'l> Entries<'l, 'a> {
    fn collect(
        task: &Task<'a>,
        listing: &'l Listing<'a>,
        children: Vec<Done<'a>>,
        context: &Context<'_>,
    ) -> Result<Self, ScanError> {
        let index_use = context.index_use;
        let (items, block) = (Vec::with_capacity(listing.found.len()), BlockBuilder::default());
        let children = children.into_iter();
        let mut all = Self { index_use, items, block, are_all_names: true, children };
        let mut known = task.known.iter().flat_map(|known| known.1.entries()).peekable();
        if listing.same {
            for entry in known {
                match entry.directory {
                    Some(_) => all.add(entry.name, &Found::Directory, Some(&entry), context)?,
                    None => {
                        all.add(entry.name, &Found::Same(entry.item, entry.stat), None, context)?;
                    }
                }
            }
            return Ok(all);
        }
        for (range, found) in &listing.found {
            let name = &listing.names[range.clone()];
            while let Some(left) = known.next_if(|entry| entry.name < name) {
                all.keep_absent(&left);
            }
            all.add(name, found, known.next_if(|entry| entry.name == name).as_ref(), context)?;
        }
        known.for_each(|left| all.keep_absent(&left));
        Ok(all)
    }

    fn add(
        &mut self,
        name: &'l [u8],
        found: &Found,
        known: Option<&IndexedEntry<'a>>,
        context: &Context<'_>,
    ) -> Result<(), ScanError> {
        match found {
            Found::Same(item, stat) => {
                self.items.push((name, *item));
                self.block.content(name, item, stat, false);
            }
            Found::Read { item, stat, racy, .. } => {
                self.items.push((name, *item));
                let replace = self.index_use == IndexUse::Replace;
                if replace || known.is_some_and(|known| known.item == *item) {
                    self.block.content(name, item, stat, *racy);
                } else {
                    self.are_all_names &= known.is_some_and(|known| known.directory.is_none());
                    self.keep(known);
                }
            }
            Found::Directory => {
                let child = self.children.next().expect("a listed directory was done");
                // A folder that is not content today may be tomorrow, without a change of this
                // directory.
                self.are_all_names &= child.item.is_some() && child.indexed.is_some();
                self.items.extend(child.item.map(|item| (name, item)));
                match (child.indexed, child.item) {
                    (Some((item, block)), _) => self.block.directory(name, &item, block),
                    (None, Some(item)) if self.index_use == IndexUse::Replace => {
                        self.block.unread(name, &item);
                    }
                    (None, _) => self.keep(known),
                }
            }
            Found::Kept(item) => {
                self.items.push((name, *item));
                self.are_all_names = false;
                // The file's old stat data would state that it is there.
                match known.filter(|known| known.item == *item && item.is_directory()) {
                    Some(known) => self.block.copied(known),
                    None if self.index_use == IndexUse::Refresh => self.keep(known),
                    None if item.is_directory() => {
                        let below = StatIndex::unread(item, context.selection.source)?;
                        self.block.directory(name, item, below);
                    }
                    None => self.block.unread(name, item),
                }
            }
            Found::Gone => {
                self.are_all_names = false;
                self.keep(known);
            }
            Found::Changed(..) | Found::Database(..) | Found::Unread(..) => {
                unreachable!("every changed file was read")
            }
        }
        Ok(())
    }

    fn keep_absent(&mut self, known: &IndexedEntry<'a>) {
        self.are_all_names &= self.index_use == IndexUse::Replace;
        self.keep(Some(known));
    }

    /// Under [`IndexUse::Refresh`], keeps an entry of the index although it is not there any more.
    fn keep(&mut self, known: Option<&IndexedEntry<'a>>) {
        if let Some(known) = known.filter(|_| self.index_use == IndexUse::Refresh) {
            self.block.copied(known);
        }
    }

    fn are_those_of(&self, known: IndexedDirectory<'_>) -> bool {
        let known = known.entries().map(|entry| (entry.name, entry.item));
        known.eq(self.items.iter().copied())
    }
}
