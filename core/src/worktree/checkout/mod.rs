//! Brings a working copy from one tree to another, without ever overwriting what it did not expect.
//!
//! A [`plan::Plan`] is computed from the stat index and the new tree. [`run::execute`] fits it to
//! what is really there, and refuses if something is in the way. The checkout then has two phases.
//! First everything new is written under temporary names in `.fastest/tmp` and made durable. Then a
//! journal is written, and renames and deletions follow, each after a last look. After a crash
//! every file is either old or new, and [`run::recover`] finishes the work from the journal. What
//! the user changed in between is kept and reported.
//!
//! Only one command at a time: the caller of [`run::execute`] or [`run::recover`] holds the lock of
//! the working copy. `docs/formats-workspace.md` specifies the encoding of the journal.

mod across;
mod apply;
mod change;
mod database;
mod database_lock;
mod durable;
pub mod edit;
pub mod error;
pub mod folding;
pub(crate) mod journal;
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
mod step;
mod taken;
mod target;
mod target_rules;
