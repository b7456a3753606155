//! Runs the real binary, and holds what it prints and its exit status against what is promised.
//!
//! [`usage`] needs the command line alone; [`golden`] and [`bad_input`] need the engine.

mod bad_input;
mod golden;
mod primaries;
mod scene;
mod usage;
