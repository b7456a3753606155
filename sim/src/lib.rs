//! A simulator: devices, an application and a primary in one process. The seed of a run determines
//! everything in it: what is written, what fails, each id, each time. `sim/README.md` says what is
//! simulated, what must hold, and how to add to it.

// Only the binary and the tests of this workspace use it.
#![allow(missing_docs)]

mod baton;
mod events;
pub mod files;
pub mod finding;
mod folders;
pub mod network;
pub mod panics;
pub mod play;
pub mod power;
pub mod rows;
pub mod schedule;
mod shrink;
mod story;
mod world;
