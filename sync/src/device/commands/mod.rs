//! The commands. Each is a method of [`crate::Device`], and most return a struct of
//! [`crate::device::report`].

mod ahead;
pub(crate) mod announce;
mod bases;
pub(crate) mod clone;
mod conflicts;
mod diff;
mod doctor;
mod doctor_remote;
mod drift;
mod drift_all;
mod drift_history;
mod init;
mod join;
mod land;
mod log;
mod merge;
mod neighbours;
pub(crate) mod operation;
mod project;
mod pull;
mod purpose;
mod push;
mod remote;
mod remote_check;
mod restore;
mod scan;
mod settle;
pub(crate) mod snapshot;
mod status;
mod undo;
mod unfinished;
mod unsaved;
mod untrack;
mod workspace;
