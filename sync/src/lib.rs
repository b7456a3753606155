//! Fastest on one device: the replica, the primary, packs between them, and the commands.
//!
//! There are two ways in. [`Database`] is for an application with tables of its own: it reads and
//! writes rows, and pushes and pulls them with a [`Remote`]. It has no packs and no working copies.
//! [`Device`] is for commands: it opens a store, and each command is a method that returns a struct of
//! [`device::report`].
//!
//! Pure functions decide what can be decided without IO, and thin code carries it out. This crate reads
//! neither the home folder nor the environment, but for the check that keeps `push` from making a home
//! folder a project: its callers do. Time, randomness and waiting come from the [`World`] that its
//! callers open things with. `ARCHITECTURE.md` lists the rooms.

pub mod base;
pub mod database;
pub mod device;
pub mod error;
pub mod exchange;
pub mod migrations;
pub mod remote;
pub mod replica;
pub mod rows;

pub use base::world::World;
pub use database::open::Database;
pub use device::open::{Device, Identity};
pub use device::trust::Trust;
pub use device::working_copy::WorkingCopy;
pub use error::SyncError;
pub use fastest_core::worktree::git::settings::UserSettings as GitSettings;
pub use fastest_schema::{Kind, Value};
pub use remote::level::migrate;
pub use remote::open::Remote;
pub use rows::resolve::Resolution;
