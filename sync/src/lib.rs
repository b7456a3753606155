//! Fastest on one device: the replica, the primary, packs between them, and the commands.
//!
//! There are two entry points. [`Database`] is for an application with its own tables: it reads and
//! writes rows, and pushes and pulls them with a [`Remote`]. It has no packs and no working copies.
//! [`Device`] is for commands: it opens a store, and each command is a method. Most of them return
//! a struct of [`device::report`].
//!
//! Three more modules are public: [`remote`], because both entry points need one, and an
//! application may bring its own primary; [`migrations`], because developers run them; and
//! [`waiting`], because a program decides how to tell its user that it waits.
//!
//! Pure functions decide whatever can be decided without I/O, and thin code carries the decisions
//! out. This crate leaves the home folder and the environment to its callers, with one exception:
//! the check that keeps `push` from making a home folder a project. Time, randomness and waiting
//! come from the [`World`] that the caller passes. `ARCHITECTURE.md` describes the modules
//! ("rooms").

pub(crate) mod base;
pub mod database;
pub mod device;
pub(crate) mod error;
pub(crate) mod exchange;
pub mod migrations;
pub mod remote;
pub(crate) mod replica;
pub(crate) mod rows;

pub use base::waiting;
pub use base::world::{Sources, World};
pub use database::error::DatabaseError;
pub use database::open::Database;
pub use device::door::Device;
pub use device::open::Identity;
pub use device::trust::Trust;
pub use device::working_copy::WorkingCopy;
pub use error::SyncError;
pub use error::code::Code;
pub use error::named::Named;
pub use exchange::pull::Pulled;
pub use exchange::push::state::Pushed;
pub use fastest_core::worktree::git::settings::UserSettings as GitSettings;
pub use fastest_schema::{
    DeviceId, Kind, ProjectId, PushId, RowKey, ScopeId, SnapshotId, Value, WorkspaceId,
};
pub use remote::level::migrate;
pub use remote::open::Remote;
pub use replica::local::conflicts::ConflictId;
pub use replica::local::held::HeldRow;
pub use replica::local::refused::RefusedTransaction;
pub use rows::resolve::{Resolution, RowConflict};
pub use rows::write_error::WriteError;

/// The decoders of this crate that are not public, for the fuzz targets of this workspace. They may
/// change in any version.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::remote::d1::interpret as d1_answer;
    pub use crate::remote::turso::{bind, interpret as hrana_error};
}

/// Internals that the tests and benches of this workspace use. They may change in any version.
#[doc(hidden)]
pub mod internals {
    pub use crate::exchange::plan::plan_all;
    pub use crate::exchange::pull::pull_scope;
    pub use crate::exchange::push::push_scope;
    pub use crate::remote::d1::{D1, resolve};
    pub use crate::remote::pack_store::directory::{Directory, packs_dir};
    pub use crate::remote::turso::LibsqlPrimary;
    pub use crate::replica::error::ReplicaError;
    pub use crate::replica::local::outbox::{Entry, Outbox};
    pub use crate::replica::local::remote_row::RemoteRow;
    pub use crate::replica::open::Replica;
}
