//! SQL as text: quoting, tokens, LIKE patterns, statements, and mending exports.

pub mod export;
pub(crate) mod pattern;
pub(crate) mod quote;
pub(crate) mod statements;
pub(crate) mod tokens;
