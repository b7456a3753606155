//! Runs the real binary, and holds what it prints and its exit status against what is promised.
//!
//! [`usage`] needs the command line alone; [`golden`], [`bad_input`], [`conflicts`], [`finding`],
//! [`folders`], [`hostile`], [`ignoring`], [`truth`], [`unfinished`], [`waiting`] and [`remote`] the engine; [`tokens`] servers; [`crash`], [`parallel`],
//! [`real_tree`] and [`git_history`] run many commands against each other.

mod bad_input;
mod conflicts;
mod crash;
mod databases;
mod finding;
mod folders;
mod git_history;
mod golden;
mod hostile;
mod ignoring;
mod mend;
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
mod unfinished;
mod usage;
mod waiting;
mod world;
