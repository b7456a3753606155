//! The hot path of Fastest: hash, tree, pack, scan, diff, drift, merge and checkout of project trees.
//!
//! This crate works on local files only. It knows no network, no async runtime and no SQL, and
//! nothing of the rows that describe snapshots: callers pass ids and folders, and receive ids, lists
//! and files. Formats are specified in `docs/formats.md` and `docs/formats-workspace.md`, and frozen by
//! test vectors.
//!
//! Work runs on rayon's global pool. Where threads may be lacking, build the pool before the first call:
//! rayon panics where it cannot.
//!
//! The rooms, from the bottom up. A file imports from its own room and from the rooms below it:
//! - [`progress`]: counters of a long operation
//! - [`object`]: ids, objects, trees, content in chunks; no file is opened
//! - [`files`]: the file system, by handles of folders; what stands below a folder, private modes
//! - [`store`]: packs and their index
//! - [`compare`]: diff, drift and merge of trees; ancestors and merge bases of histories
//! - [`worktree`]: the state folder, stat index, ignore rules and git repository of a working copy
//! - [`worktree::scan`]: from a working copy to its tree
//! - [`worktree::checkout`]: from a tree to a working copy

pub mod compare;
pub mod files;
pub mod object;
pub mod progress;
pub mod store;
pub mod worktree;

// Old paths, until every crate uses the new ones.
#[doc(hidden)]
pub use compare::{ancestry, diff, extent, merge, merge_base, reach};
#[doc(hidden)]
pub use files::{foreign, mapped, network, private, regular_file, stat};
#[doc(hidden)]
pub use object::{chunk, id};
#[doc(hidden)]
pub use store::{check, incoming, index, pack, writer};
#[doc(hidden)]
pub use worktree::{git, left, stat_index, state_dir};
#[doc(hidden)]
pub mod drift {
    pub use crate::compare::drift::*;
    pub use crate::object::tree::empty_directory;
}
#[doc(hidden)]
pub mod tree {
    pub use crate::object::item::*;
    pub use crate::object::name::*;
    pub use crate::object::tree::*;
}
#[doc(hidden)]
pub mod ignore_rules {
    pub use crate::object::name::IGNORE_FILES;
    pub use crate::worktree::ignore_rules::*;
}
#[doc(hidden)]
pub mod scan {
    pub use crate::worktree::database::{Database, Databases, Refusal};
    pub use crate::worktree::scan::{context::*, error::*, report::*, run::*};
}
#[doc(hidden)]
pub mod checkout {
    pub use crate::worktree::checkout::{edit, error::*, folding::*, outcome::*, plan::*, run::*};
}
