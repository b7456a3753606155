//! Computes the tree of a working copy, reading only what changed since the stat index was made.
//!
//! A scan has four steps. It looks at everything that the index knows, in no order and on all
//! threads. It walks the directories that differ from the index, level by level. It reads the files
//! that the index does not vouch for. And it builds the tree from the deepest level up. Nothing is
//! recursive, so no depth of folders exhausts a stack. A directory in which nothing changed is
//! neither listed, encoded nor hashed.
//!
//! A scan writes nothing but objects, to its sink. The caller saves [`report::Scan::index`] once
//! that sink is durable; [`context::IndexUse`] says what the index then promises.

mod assemble;
mod choose;
mod content;
pub mod context;
mod database_copy;
pub mod error;
mod head;
mod ignore_files;
mod listing;
pub mod report;
mod rules;
pub mod run;
mod task;
mod verify;
mod walk;
