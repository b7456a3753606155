//! The commands: each a method of [`crate::Device`], each reporting a struct of [`crate::report`].

mod ahead;
mod announce;
mod clone;
mod conflicts;
mod doctor;
mod doctor_remote;
mod drift;
mod init;
mod join;
mod log;
mod newest_first;
mod project;
mod pull;
mod push;
mod remote;
mod remote_check;
mod restore;
mod scan;
mod snapshot;
mod status;
mod unfinished;
mod untrack;
mod workspace;

pub(crate) use announce::tell_workspace;
pub(crate) use clone::find_on_primary;
pub(crate) use snapshot::tree_of;
