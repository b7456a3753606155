//! SQL as text: quotes, tokens, patterns and statements.

pub mod export;
pub(crate) mod pattern;
pub(crate) mod quote;
pub(crate) mod statements;
pub(crate) mod tokens;
