//! The hot path of Fastest: hash, tree, pack, scan, diff, drift, merge and checkout of project trees.
//!
//! This crate works on local files only. It has no network, no async runtime and no SQL, and does
//! not know the rows that describe snapshots: callers pass ids and folders, and receive ids, lists
//! and files. Formats are specified in `docs/formats.md` and `docs/formats-workspace.md`, and
//! frozen by test vectors.
//!
//! Work runs on rayon's global pool. If the system may refuse to start threads, build the pool
//! before the first call: rayon panics if it cannot.
//!
//! The modules, lowest first. A file imports from its own module and from those below it:
//! - [`progress`]: counters of a long operation
//! - [`object`]: ids, objects, trees, content in chunks; no file is opened
//! - [`files`]: the file system, through handles of folders; private modes
//! - [`store`]: packs and their index
//! - [`compare`]: diff, drift and merge of trees; ancestors and merge bases of histories
//! - [`worktree`]: the state folder, stat index, ignore rules and git repository of a working copy
//! - [`worktree::scan`]: from a working copy to its tree
//! - [`worktree::checkout`]: from a tree to a working copy

pub mod compare;
pub mod files;
#[doc(hidden)]
pub mod fuzzing;
pub mod object;
pub mod progress;
pub mod store;
pub mod worktree;
