//! Runs the real binary, and compares its output and exit status with what is promised.
//!
//! [`usage`] tests the command line alone. [`tokens`] starts servers. [`crash`], [`parallel`],
//! [`real_tree`] and [`git_history`] run many commands against each other. The other tests run
//! commands with the engine.

mod bad_input;
mod conflicts;
mod crash;
mod databases;
mod diff;
mod drift;
mod file_conflicts;
mod finding;
mod folders;
mod git_history;
mod golden;
mod hostile;
mod ignoring;
mod landing;
mod mend;
mod merge;
mod modes;
mod network;
mod parallel;
mod power_loss;
mod primaries;
mod real_tree;
mod remote;
mod restored;
mod scene;
mod schema;
mod tokens;
mod truth;
mod undo;
mod unfinished;
mod usage;
mod waiting;
mod world;
