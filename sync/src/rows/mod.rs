//! Operations on rows of a replica: writes, deletes, merges, applying pulled rows, and resolving conflicts.
//!
//! Nothing here talks to a primary.

pub(crate) mod apply;
pub(crate) mod deletes;
pub(crate) mod drift_reports;
pub(crate) mod merge;
pub(crate) mod newest_first;
pub(crate) mod projects;
pub(crate) mod requeue;
pub(crate) mod resolve;
pub(crate) mod snapshots;
pub(crate) mod transactions;
pub(crate) mod undone;
pub(crate) mod unique;
pub mod write;
pub mod write_error;
