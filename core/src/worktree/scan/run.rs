//! Runs the steps of a scan.

use std::path::Path;
use std::sync::Mutex;

use rayon::prelude::*;

use crate::files::beneath::Beneath;
use crate::files::stat::updates_dir_times;
use crate::object::item::Item;
use crate::object::source::ObjectSink;
use crate::progress::Progress;
use crate::worktree::scan::assemble::assemble;
use crate::worktree::scan::content::read_changed;
use crate::worktree::scan::context::{Context, IndexUse, Selection};
use crate::worktree::scan::error::ScanError;
use crate::worktree::scan::listing::Listing;
use crate::worktree::scan::report::{Scan, Warning};
use crate::worktree::scan::task::Task;
use crate::worktree::scan::verify::Verified;
use crate::worktree::scan::walk;
use crate::worktree::stat_index::StatIndex;
use crate::worktree::state_dir::StateDir;

/// Computes the tree of the working copy at `root`. A file or folder that cannot be read does not
/// stop the scan: see [`Scan::skipped`].
///
/// The index is used only if `sink` has the tree that it describes. Otherwise every file is read,
/// and every object is put. `progress` counts files seen and bytes read.
///
/// # Errors
/// If the folder itself cannot be read, or objects cannot be read or put.
pub fn scan(
    root: &Path,
    index: &StatIndex,
    selection: Selection<'_>,
    sink: &dyn ObjectSink,
    index_use: IndexUse,
    progress: &Progress,
) -> Result<Scan, ScanError> {
    let beneath = Beneath::of(root).map_err(ScanError::io("read directory", root))?;
    let clock_ns = clock_ns(root);
    let known = match index.root() {
        Some(tree) if sink.has(&tree.id.into())? => {
            index.directory().map(|directory| (Item::directory(&tree), directory))
        }
        _ => None,
    };
    let dated = dating_device(&beneath);
    let is_of_head = selection.untrack.is_empty()
        && known.is_some_and(|(item, _)| item.tree_id() == selection.head);
    let verified = match (dated, &known) {
        (Some(device), Some((_, directory))) if is_of_head => {
            Verified::look(&beneath, device, *directory)
        }
        _ => Verified::default(),
    };
    // Whether a directory need not be listed depends on the head. So an index may record it only if
    // it describes the head's tree: the tree of this scan, which will be the head (`Replace`), or
    // the given index's tree, if that is the head.
    let may_list = index_use == IndexUse::Replace || is_of_head;
    let dated = dated.filter(|_| may_list);
    let databases = Mutex::default();
    let context = Context {
        root,
        beneath: &beneath,
        selection,
        sink,
        index_use,
        verified,
        dated,
        clock_ns,
        progress,
        databases,
    };
    let mut levels = walk_levels(Task::root(root, known, &context), &context)?;
    read_changed(&mut levels, &context)?;
    let (mut skipped, mut warnings, mut unknown_rules) = (Vec::new(), Vec::new(), Vec::new());
    warnings.extend(selection.git.warning.clone().map(Warning::Git));
    for (_, listing) in levels.iter_mut().flatten() {
        skipped.append(&mut listing.skipped);
        warnings.append(&mut listing.warnings);
        unknown_rules.append(&mut listing.unknown_rules);
    }
    let (root, index) = assemble(levels, &context)?;
    let databases = context.databases.into_inner().expect("no holder panics");
    Ok(Scan { root, index, skipped, warnings, databases, unknown_rules })
}

/// Returns the file system's clock. Where that is unknown, because the folder is not a working copy
/// or cannot be written to, every entry counts as racy.
fn clock_ns(root: &Path) -> i64 {
    let state = StateDir::of(root);
    let clock = if state.path().is_dir() { state.clock_ns().ok() } else { None };
    clock.unwrap_or(i64::MIN)
}

/// Returns the device of a folder, if its file system updates a directory's times with its names.
fn dating_device(root: &Beneath) -> Option<i128> {
    let directory = Some(root).filter(|directory| updates_dir_times(directory))?;
    Some(i128::from(rustix::fs::fstat(directory).ok()?.st_dev))
}

/// Returns all directories with their listings, level by level from the root. The children of a
/// directory are consecutive in the next level, in the order of their parents.
fn walk_levels<'a>(
    root: Task<'a>,
    context: &Context<'_>,
) -> Result<Vec<Vec<(Task<'a>, Listing<'a>)>>, ScanError> {
    let mut levels = Vec::new();
    let mut tasks = vec![root];
    while !tasks.is_empty() {
        let listed = tasks.into_par_iter().map(|task| {
            let listing = walk::list(&task, context)?;
            context.progress.add(listing.files, 0);
            Ok((task, listing))
        });
        let mut level = listed.collect::<Result<Vec<_>, ScanError>>()?;
        tasks = level.iter_mut().flat_map(|(_, listing)| listing.directories.drain(..)).collect();
        levels.push(level);
    }
    Ok(levels)
}
