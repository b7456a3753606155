//! Adopts tables that another tool creates, so that they are synced.

pub mod changed;
pub mod chosen;
pub(crate) mod column;
pub mod declarations;
pub mod error;
pub(crate) mod key;
pub mod misfits;
pub(crate) mod name;
pub mod notes;
pub mod rebuild;
pub(crate) mod reference;
pub(crate) mod scope;
pub(crate) mod unique;
pub(crate) mod watched;
