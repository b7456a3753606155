//! Moves a working copy from one tree to another, without ever overwriting what it did not expect.
//!
//! A [`plan::Plan`] is computed from the stat index and the new tree. [`run::execute`] fits it to what really
//! stands there, and refuses where something is in the way. Then, in two phases, everything new
//! is written under temporary names in `.fastest/tmp` and made durable, a journal is written, and
//! renames and deletions follow, each after a last look. After a crash every file is old or new;
//! [`run::recover`] rolls forward from the journal. What the user changed in between is kept, and
//! reported.
//!
//! One command at a time: whoever calls [`run::execute`] or [`run::recover`] holds the working copy's lock.
//! `docs/formats-workspace.md` gives the journal's encoding.

mod across;
mod apply;
mod change;
mod database;
mod database_lock;
mod durable;
pub mod edit;
pub mod error;
pub mod folding;
mod journal;
mod mode;
mod obstacles;
pub mod outcome;
mod past;
pub mod plan;
mod prepare;
mod put_back;
mod reindex;
mod replaced;
pub mod run;
mod site;
mod sparse;
mod stage;
pub mod step;
mod taken;
mod target;
mod target_rules;
