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
mod choose;
mod content;
mod database;
mod head;
mod rules;
mod verify;
mod walk;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;

use crate::beneath::Beneath;
use crate::error::StoreError;
use crate::foreign::OfItsOwn;
use crate::git::{Git, UnknownRules};
use crate::id::TreeId;
use crate::item::{Item, Root};
use crate::left::Left;
use crate::name::NAME_BYTES_MAX;
use crate::object::{ObjectSink, ObjectSource};
use crate::progress::Progress;
use crate::stat::dates_names;
use crate::stat_index::StatIndex;
use crate::state_dir::StateDir;
use crate::tree::format::DEPTH_MAX;

pub use database::{Database, Databases, Refusal};
pub(crate) use database::{FileState, SIDES, database_of, is_database, is_side_at, open};
use verify::Verified;
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

/// What, besides the files of a folder and the ignore files among them, decides which are content.
///
/// **To ignore is not to delete**: what the head's tree holds stays content, until an ignore file of
/// the folder matches it that in the head's version did not. What git tracks is content whatever is
/// ignored.
#[derive(Clone, Copy)]
pub struct Selection<'s> {
    /// The tree of the head.
    pub head: Option<TreeId>,
    /// Holds that tree, and its ignore files.
    pub source: &'s dyn ObjectSource,
    /// The git repository that the folder lies in.
    pub git: &'s Git,
    /// Paths, relative to the root, that leave content though the head holds them.
    pub untrack: &'s [Vec<u8>],
    /// What checkouts could not bring: it is as the head has it, whatever stands there. Sorted by path.
    pub left: &'s [Left],
    /// What makes one file of a SQLite database and of what stands beside it. Without, they are
    /// files as any.
    pub databases: Option<&'s dyn Databases>,
}

/// What a scan found.
#[derive(Debug)]
pub struct Scan {
    /// The tree of the working copy.
    pub root: Root,
    /// The new index, for the caller to save; `None` where it would equal the one given.
    pub index: Option<StatIndex>,
    /// What was passed over.
    pub skipped: Vec<Skipped>,
    /// What did not stop the scan.
    pub warnings: Vec<Warning>,
    /// Databases with files beside them, which the tree has as one file each.
    pub databases: Vec<Database>,
    /// Ignore files that cannot be used. What they would have ruled on is content only where the
    /// head holds it, or git tracks it: enough to look, and to keep safe what is to be replaced. A
    /// command whose purpose is to save should refuse.
    pub unknown_rules: Vec<UnknownRules>,
}

/// Something that was passed over. Of what the head holds of it, the tree has the head's version.
#[derive(Debug)]
pub struct Skipped {
    /// Where it stands.
    pub path: PathBuf,
    /// Why.
    pub why: SkippedWhy,
}

/// Why something was passed over.
#[derive(Debug, thiserror::Error)]
pub enum SkippedWhy {
    /// A FIFO, socket or device, as a noun.
    #[error("{0}")]
    Special(&'static str),
    /// Another working copy of ours.
    #[error("a working copy of its own")]
    WorkingCopy,
    /// A git submodule or a linked working tree.
    #[error("a git working tree of its own")]
    GitWorkingTree,
    /// A name that some file systems take for that of a state folder.
    #[error("a name that some file systems take for a state folder's")]
    StateName,
    /// It lies too deep.
    #[error("deeper than {DEPTH_MAX} directories")]
    TooDeep,
    /// Its name is too long for a tree.
    #[error("its name is longer than {NAME_BYTES_MAX} bytes")]
    LongName,
    /// It changed each time while it was read.
    #[error("it keeps changing while it is read")]
    Changing,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// A SQLite database of which no consistent copy could be had.
    #[error("no consistent copy of this database: {0}")]
    Database(#[source] Refusal),
}

impl From<OfItsOwn> for SkippedWhy {
    fn from(of_its_own: OfItsOwn) -> Self {
        match of_its_own {
            OfItsOwn::WorkingCopy => Self::WorkingCopy,
            OfItsOwn::GitWorkingTree => Self::GitWorkingTree,
        }
    }
}

impl SkippedWhy {
    /// Whether this is content that could not be saved, as opposed to what is no content.
    pub fn is_unsaved_content(&self) -> bool {
        match self {
            Self::Special(_) | Self::WorkingCopy | Self::GitWorkingTree | Self::StateName => false,
            Self::TooDeep
            | Self::LongName
            | Self::Changing
            | Self::Unreadable(_)
            | Self::Database(_) => true,
        }
    }
}

/// Something that the user should know, and that did not stop the scan.
#[derive(Debug, thiserror::Error)]
pub enum Warning {
    /// A file grew while it was read.
    #[error("{} grows while it is read: saved up to where it ended at first", path.display())]
    Growing {
        /// The file.
        path: PathBuf,
    },
    /// It is not known what git tracks.
    #[error("{0}")]
    Git(String),
}

/// Why a scan was given up. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The folder itself cannot be read.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The sink failed, or the head's tree cannot be read.
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
    root: &'s Path,
    /// The same, open.
    beneath: &'s Beneath,
    selection: Selection<'s>,
    sink: &'s dyn ObjectSink,
    index_use: IndexUse,
    /// What of the index still holds.
    verified: Verified,
    /// The device of the root, where its file system dates the names in a directory.
    dated: Option<i128>,
    /// The file system's clock when the scan began.
    clock_ns: i64,
    progress: &'s Progress,
    /// Those that were copied.
    databases: Mutex<Vec<Database>>,
}

/// Takes the tree of the working copy at `root`. One file or folder that cannot be read does not keep
/// the others from it: see [`Scan::skipped`].
///
/// The index counts only where `sink` has the tree that it describes; otherwise every file is
/// read, and every object given. `progress` counts files seen and bytes read.
///
/// # Errors
/// Where the folder itself cannot be read, or objects cannot be read or given.
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
    // What names an index lists is true for whoever stands on its tree. So it may say so of the tree
    // of this scan, which will be the head, but of another only where that is the head.
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
    content::read_changed(&mut levels, &context)?;
    let (mut skipped, mut warnings, mut unknown_rules) = (Vec::new(), Vec::new(), Vec::new());
    warnings.extend(selection.git.warning.clone().map(Warning::Git));
    for (_, listing) in levels.iter_mut().flatten() {
        skipped.append(&mut listing.skipped);
        warnings.append(&mut listing.warnings);
        unknown_rules.append(&mut listing.unknown_rules);
    }
    let (root, index) = assemble::assemble(levels, &context)?;
    let databases = context.databases.into_inner().expect("no holder panics");
    Ok(Scan { root, index, skipped, warnings, databases, unknown_rules })
}

/// Where the clock cannot be had (the folder is no working copy, or cannot be written), every
/// entry counts as racy.
fn clock_ns(root: &Path) -> i64 {
    let state = StateDir::of(root);
    let clock = if state.path().is_dir() { state.clock_ns().ok() } else { None };
    clock.unwrap_or(i64::MIN)
}

/// The device of a folder whose file system dates the names in its directories.
fn dating_device(root: &Beneath) -> Option<i128> {
    let directory = Some(root).filter(|directory| dates_names(directory))?;
    Some(i128::from(rustix::fs::fstat(directory).ok()?.st_dev))
}

/// All directories with their listings, level by level from the root. The children of a
/// directory follow each other in the next level, in the order of their parents.
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
