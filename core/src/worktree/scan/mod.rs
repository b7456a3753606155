//! Takes the tree of a working copy, reading only what changed since the stat index was made.
//!
//! In four steps: look at what the index knows (in no order, on all threads), walk the directories
//! that are not as the index has them (level by level, all threads in each level), read what the
//! index does not vouch for, and put the tree together from the deepest level up. There is no
//! recursion, so no depth of folders can exhaust a stack, and a directory in which nothing changed
//! is neither listed, encoded nor hashed.
//!
//! A scan writes nothing but objects, to its sink. The caller saves [`report::Scan::index`] once that sink
//! is durable; [`context::IndexUse`] says what the index then promises.

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
