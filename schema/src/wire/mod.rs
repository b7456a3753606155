//! The engine's SQL on a primary, what devices send to it, and what it answers.

pub(crate) mod engine;
pub(crate) mod ids;
pub(crate) mod lookup;
pub(crate) mod page;
pub(crate) mod payload;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod refusal;
pub(crate) mod row_view;
pub(crate) mod triggers;
