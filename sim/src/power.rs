//! Power loss. A command runs once, and every change that it makes on the disk is recorded. From the
//! record, disks are built as a crash may leave them, at any point and with any part of what was not
//! synced. Each is opened, checked, and the command is repeated on it.
//!
//! `sim/POWER.md` says which disks are built, what must hold on each, and what was found.

mod build;
mod check;
mod crash;
mod files;
mod op;
mod record;
pub mod run;
mod scene;
mod story;
mod tree;
