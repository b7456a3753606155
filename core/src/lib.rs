//! The hot path of Fastest: hash, tree, pack, scan, diff, drift, merge and checkout of project trees.
//!
//! This crate works on local files only. It knows no network, no async runtime and no SQL, and
//! nothing of the rows that describe snapshots: it is given ids and folders, and gives back ids,
//! lists and files. Formats are given in `docs/formats.md` and `docs/formats-workspace.md`, and
//! frozen by test vectors.
//!
//! Work runs on rayon's global pool. Where threads may be lacking, build the pool before the first call:
//! rayon panics where it cannot.
//!
//! The modules, from the bottom up:
//! - `beneath`: what stands below a folder, by handles; all changes to a working copy go through it
//! - [`id`]: BLAKE3 ids and what exactly is hashed
//! - [`tree`]: directory nodes: encode, decode, the split of wide directories
//! - [`object`]: what is stored, and the two traits between producers and stores
//! - [`chunk`]: large files, cut by content
//! - [`diff`], [`drift`], [`merge`], [`reach`]: what two or three trees have in common
//! - [`ancestry`], [`merge_base`]: what two histories have in common
//! - [`pack`], [`index`], [`store`], [`writer`]: objects on disk; [`check`] reads them all
//! - [`stat_index`], [`ignore_rules`], [`scan`]: from a working copy to its tree
//! - [`checkout`]: from a tree to a working copy

pub mod ancestry;
mod beneath;
mod beside;
mod cache;
pub mod check;
pub mod checkout;
pub mod chunk;
mod cut;
pub mod diff;
pub mod drift;
mod error;
pub mod extent;
pub mod foreign;
pub mod git;
pub mod id;
pub mod ignore_rules;
pub mod incoming;
pub mod index;
pub mod item;
pub mod kind;
pub mod left;
mod lent;
pub mod mapped;
pub mod memory;
pub mod merge;
pub mod merge_base;
pub mod name;
pub mod network;
pub mod object;
pub mod pack;
mod path;
pub mod private;
pub mod progress;
pub mod reach;
pub mod regular_file;
pub mod scan;
pub mod stat;
pub mod stat_index;
pub mod state_dir;
mod state_name;
pub mod store;
mod temp;
pub mod tree;
mod varint;
pub mod writer;
