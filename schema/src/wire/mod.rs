//! The engine's SQL on a primary, and the formats of requests to it and of its answers.

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
