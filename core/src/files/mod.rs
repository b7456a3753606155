//! The file system, where somebody else may have chosen what a name refers to.
//!
//! Whatever is in a working copy is opened through the handle of a folder, and never through a link
//! (`beneath`). Whatever is changed on a disk is changed through [`disk`].

pub(crate) mod beneath;
pub mod disk;
pub mod foreign;
pub mod mapped;
pub mod network;
pub mod private;
pub mod regular_file;
pub mod stat;
