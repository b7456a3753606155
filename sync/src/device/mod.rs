//! The entry point for commands: a device's store, its working copies, and the commands.

pub mod activity;
pub(crate) mod app_databases;
pub(crate) mod commands;
pub(crate) mod contact;
pub(crate) mod copies;
pub mod diff;
pub(crate) mod door;
pub(crate) mod find;
pub(crate) mod left;
pub mod merge;
pub(crate) mod names;
pub mod nearest;
pub(crate) mod notices;
pub mod open;
pub mod path;
pub(crate) mod read_only;
pub mod report;
pub(crate) mod resolver;
pub(crate) mod store_modes;
pub(crate) mod trust;
pub mod working_copy;
