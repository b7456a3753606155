//! Takes the tree of a working copy, reading only what changed since the stat index was made.
//!
//! In four steps: look at what the index knows (in no order, on all threads), walk the directories
//! that are not as the index has them (level by level, all threads in each level), read what the
//! index does not vouch for, and put the tree together from the deepest level up. There is no
//! recursion, so no depth of folders can exhaust a stack, and a directory in which nothing changed
//! is neither listed, encoded nor hashed.
//!
//! A scan writes nothing but objects, to its sink. The caller saves [`Scan::index`] once that sink
//! is durable; [`IndexUse`] says what the index then promises.

mod assemble;
mod content;
mod verify;
mod walk;

use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::ignore_rules::IgnoreRules;
use crate::object::ObjectSink;
use crate::progress::Progress;
use crate::stat::dates_names;
use crate::stat_index::StatIndex;
use crate::state_dir::StateDir;
use crate::store::StoreError;
use crate::tree::{DEPTH_MAX, Item, NAME_BYTES_MAX, Root};

use verify::Verified;
pub(crate) use walk::look_at;
use walk::{Listing, Task};

/// What the index that a scan yields is to describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexUse {
    /// The tree of this scan. To be saved only once all its objects are durable in a store.
    Replace,
    /// The tree of the index that was given, with newer stat data for files whose content is
    /// still that of this tree. It claims nothing new, so it may be saved whatever the sink did
    /// with the objects: for commands that only look.
    Refresh,
}

/// What a scan found.
#[derive(Debug)]
pub struct Scan {
    /// The tree of the working copy.
    pub root: Root,
    /// The new index, for the caller to save; `None` where it would equal the one given.
    pub index: Option<StatIndex>,
    /// What no tree can hold, left out.
    pub skipped: Vec<Skipped>,
    /// What did not stop the scan.
    pub warnings: Vec<Warning>,
}

/// A FIFO, socket or device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it stands.
    pub path: PathBuf,
    /// What it is, as a noun.
    pub what: &'static str,
}

/// Something that the user should know, and that did not stop the scan.
#[derive(Debug, thiserror::Error)]
pub enum Warning {
    /// An ignore file was left out.
    #[error("cannot read {}, so its rules do not apply: {source}", path.display())]
    IgnoreFile {
        /// The ignore file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A line of an ignore file was left out.
    #[error("{}: {what}", path.display())]
    IgnoreLine {
        /// The ignore file.
        path: PathBuf,
        /// The line, and what is wrong with it.
        what: String,
    },
}

/// Why a scan was given up. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The file system failed, or denied access.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A file changed each time while it was read.
    #[error("{} keeps changing while it is read", path.display())]
    Changing {
        /// The file.
        path: PathBuf,
    },
    /// Directories nest too deep for a tree.
    #[error("{} lies deeper than {DEPTH_MAX} directories", path.display())]
    TooDeep {
        /// The first directory beyond the limit.
        path: PathBuf,
    },
    /// A name is too long for a tree.
    #[error("the name of {} is longer than {NAME_BYTES_MAX} bytes", path.display())]
    Name {
        /// The entry.
        path: PathBuf,
    },
    /// The sink failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ScanError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// The same in every directory of one scan.
struct Context<'s> {
    sink: &'s dyn ObjectSink,
    index_use: IndexUse,
    /// What of the index still holds.
    verified: Verified,
    /// The device of the root, where its file system dates the names in a directory.
    dated: Option<u128>,
    /// The file system's clock when the scan began.
    clock_ns: i64,
    progress: &'s Progress,
}

/// Takes the tree of the working copy at `root`.
///
/// The index counts only where `sink` has the tree that it describes; otherwise every file is
/// read, and every object given. `progress` counts files seen and bytes read.
///
/// # Errors
/// Where something cannot be read, or changes faster than it can be read.
pub fn scan(
    root: &Path,
    index: &StatIndex,
    sink: &dyn ObjectSink,
    index_use: IndexUse,
    progress: &Progress,
) -> Result<Scan, ScanError> {
    let clock_ns = clock_ns(root);
    let known = match index.root() {
        Some(tree) if sink.has(&tree.id.into())? => {
            index.directory().map(|directory| (Item::directory(&tree), directory))
        }
        _ => None,
    };
    let dated = dating_device(root);
    let verified = match (dated, &known) {
        (Some(device), Some((_, directory))) => Verified::look(root, device, *directory),
        _ => Verified::default(),
    };
    let context = Context { sink, index_use, verified, dated, clock_ns, progress };
    let rules = IgnoreRules::default();
    let task = Task { path: root.to_owned(), prefix: Vec::new(), rules, known };
    let mut levels = walk_levels(task, &context)?;
    content::read_changed(&mut levels, &context)?;
    let (mut skipped, mut warnings) = (Vec::new(), Vec::new());
    for (_, listing) in levels.iter_mut().flatten() {
        skipped.append(&mut listing.skipped);
        warnings.append(&mut listing.warnings);
    }
    let (root, index) = assemble::assemble(levels, &context)?;
    Ok(Scan { root, index, skipped, warnings })
}

/// Where the clock cannot be had (the folder is no working copy, or cannot be written), every
/// entry counts as racy.
fn clock_ns(root: &Path) -> i64 {
    let state = StateDir::of(root);
    let clock = if state.path().is_dir() { state.clock_ns().ok() } else { None };
    clock.unwrap_or(i64::MIN)
}

/// The device of a folder whose file system dates the names in its directories.
fn dating_device(root: &Path) -> Option<u128> {
    let directory = std::fs::File::open(root).ok().filter(|directory| dates_names(directory))?;
    Some(u128::from(rustix::fs::fstat(&directory).ok()?.st_dev))
}

/// All directories with their listings, level by level from the root. The children of a
/// directory follow each other in the next level, in the order of their parents.
fn walk_levels<'a>(
    root: Task<'a>,
    context: &Context<'_>,
) -> Result<Vec<Vec<(Task<'a>, Listing<'a>)>>, ScanError> {
    let mut levels = Vec::new();
    let mut tasks = vec![root];
    while let Some(first) = tasks.first() {
        if levels.len() > DEPTH_MAX {
            return Err(ScanError::TooDeep { path: first.path.clone() });
        }
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
