//! Objects on disk: packs, and the index of which pack has which object.

pub(crate) mod background;
pub(crate) mod cache;
pub mod check;
pub mod incoming;
pub mod index;
pub mod lent;
pub mod open;
pub mod pack;
pub(crate) mod temp;
pub mod verified;
pub mod writer;
