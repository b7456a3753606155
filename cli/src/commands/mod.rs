//! The commands. Each calls the engine and prints its report.

mod conflicts;
mod diff;
pub mod dispatch;
mod doctor;
mod drift;
mod history;
mod lines;
mod login;
mod merge;
mod project;
mod remote;
mod save;
mod schema;
mod shell;
mod sync;
mod undo;
mod workspace;
