//! Pack stores: where packs are stored that are too large for a row of the primary.

pub mod address;
pub mod directory;
pub mod s3;
pub mod store;
