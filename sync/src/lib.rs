//! Fastest on one device: the replica, the primary, packs between them, and the commands.
//!
//! For an application with tables of its own, [`Database`] is the door: rows in, rows out, push and
//! pull with a [`Remote`], and none of the rest.
//!
//! [`Device`] is the door: it opens a store, and each command is a method of it that returns a
//! struct of [`report`]. Whatever can be decided without IO is decided by pure functions
//! ([`push_plan`], `order`, `transactions`, `merge_row`, [`dag`]); thin code carries it out. This crate reads neither the
//! home folder nor the environment: its callers do.
//!
//! - [`primary`], [`address`], [`embedded`], [`d1`], [`turso`], [`retry`], [`pack_store`], [`remote`],
//!   [`meter`], [`secret`], `guard`: the other side
//! - [`replica`], `layout`, [`outbox`], `apply`, `children`, `conflict`, `own`: rows here
//! - [`push`](mod@push), `sent`, `blame`, `trial`, `refused`, `queue`, [`pull`](mod@pull), [`push_plan`],
//!   `transactions`, `order`, `merge_row`, [`dag`]: between the two
//! - [`database`], [`transaction`], [`local_write`]: what applications see
//! - [`device`], [`working_copy`], `commands`, [`report`], [`activity`], [`path`], [`waiting`]: what users see

pub mod base;
pub mod database;
pub mod device;
pub mod error;
pub mod exchange;
pub mod migrations;
pub mod remote;
pub mod replica;
pub mod rows;

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
