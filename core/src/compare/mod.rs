//! What two or three trees have in common, and what two histories have.

pub mod ancestry;
pub(crate) mod aside;
pub mod changes;
pub mod content;
pub(crate) mod cut;
pub mod diff;
pub mod drift;
pub mod extent;
pub mod merge;
pub mod merge_base;
pub mod overlap;
pub mod parting;
pub mod reach;
pub mod renames;
pub mod text;
