//! Runs of working copies: several devices with folders of one project, and a primary.

mod clock;
mod contested;
mod desk;
mod folder;
mod model;
pub mod run;
pub mod schedule;
mod shared;
mod tree;
mod trouble;
