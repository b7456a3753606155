//! Pack stores: where packs are stored that are too large for a row of the primary.

pub mod address;
pub(crate) mod directory;
pub(crate) mod s3;
pub mod store;
