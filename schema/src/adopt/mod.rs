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

// Old paths, until every crate uses the new ones.
pub use changed::changed;
pub use chosen::{Chosen, adopt};
pub use declarations::declarations;
pub use error::AdoptError;
pub use misfits::{misfits, misfits_sql};
pub use notes::notes;
pub use rebuild::{hold_sql, release_sql};
