//! Primaries, pack stores, and the layers between them and the engine.
//!
//! Nothing here depends on the replica.

pub mod address;
pub mod cause;
pub(crate) mod d1;
pub mod embedded;
pub(crate) mod guard;
pub(crate) mod half_made;
pub(crate) mod level;
pub mod meter;
pub mod open;
pub mod pack_store;
pub mod primary;
pub mod retry;
pub(crate) mod sanitize;
pub mod secret;
pub mod sharing;
pub mod state;
pub mod statement;
pub(crate) mod tls;
pub(crate) mod turso;
pub(crate) mod words;
