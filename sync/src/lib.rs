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

pub mod activity;
pub mod address;
mod app_databases;
mod apply;
mod blame;
mod children;
mod clock;
mod commands;
mod conflict;
mod copies;
pub mod d1;
pub mod dag;
pub mod database;
pub mod device;
pub mod embedded;
pub mod error;
mod guard;
mod half_made;
mod held;
mod layout;
pub mod local_write;
mod merge_row;
pub mod meter;
pub mod migrations;
mod order;
pub mod outbox;
mod own;
pub mod pack_store;
mod packs;
pub mod path;
pub mod primary;
pub mod pull;
pub mod push;
pub mod push_plan;
mod queue;
mod read_only;
mod referrers;
mod refused;
pub mod remote;
pub mod replica;
pub mod report;
mod resend_packs;
pub mod retry;
mod said;
pub mod secret;
mod sent;
pub mod sharing;
mod sqlite;
mod tls;
pub mod transaction;
mod transactions;
mod trial;
mod trust;
pub mod turso;
mod unique;
pub mod waiting;
mod words;
pub mod working_copy;

pub use conflict::Resolution;
pub use database::Database;
pub use device::{Device, Identity};
pub use error::SyncError;
pub use fastest_core::git::UserSettings as GitSettings;
pub use fastest_schema::{Kind, Value};
pub use remote::{Remote, migrate};
pub use trust::Trust;
pub use working_copy::WorkingCopy;
