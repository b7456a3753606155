//! Checks of declarations and schemas.

pub mod cascade;
pub(crate) mod declarations;
pub(crate) mod schema;
