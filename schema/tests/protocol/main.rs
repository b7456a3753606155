//! Runs the generated SQL on a real SQLite: what the triggers record, what a push does and refuses,
//! and what a pull returns.

mod adopt;
mod changes;
mod convergence;
mod declarations;
mod every_table;
mod guards;
mod operations;
mod primary;
mod pull;
mod push;
mod random;
mod refusals;
mod vectors;
