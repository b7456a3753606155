//! fastest-core from outside: trees against naive models, stores on a real file system, working
//! copies, and the vectors of `docs/formats.md`.

mod against_git;
mod conflicts;
mod damage;
mod drifting;
mod encodings;
mod file_access;
mod formats;
mod histories;
mod line_merges;
mod merging;
mod model;
mod patches;
mod renames;
mod store;
mod trees;
mod worktree;
