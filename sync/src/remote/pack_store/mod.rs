//! Pack stores, for packs that are too large to be sent inline.

pub mod address;
pub(crate) mod directory;
pub(crate) mod s3;
pub mod store;
