//! The commands: each a method of [`crate::Device`], each reporting a struct of [`crate::report`].

mod clone;
mod conflicts;
mod doctor;
mod drift;
mod init;
mod log;
mod pull;
mod push;
mod remote;
mod remote_check;
mod restore;
mod scan;
mod snapshot;
mod status;
mod untrack;
mod workspace;
