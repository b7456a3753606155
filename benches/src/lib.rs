//! Measured, not asserted: what the benches and the two binaries here share.
//!
//! `cargo bench -p fastest-benches` runs the pieces on trees in memory ([`project`]). Two binaries run
//! the whole command: `compare` beside git, restic, rsync, tar and cp on a tree that the caller names
//! ([`compare`]), and `scale` on trees that it makes ([`scale`]).
//!
//! Both time processes ([`measure`]), keep every value ([`results`]), and print tables, JSON and plots
//! ([`table`], [`report`], [`plot`]). What a step did is always checked: a figure of work that was not
//! done would be worth nothing.

pub mod compare;
pub mod error;
pub mod fastest;
pub mod folder;
pub mod machine;
pub mod made;
pub mod measure;
pub mod plot;
pub mod project;
pub mod report;
pub mod results;
pub mod room;
pub mod scale;
pub mod settings;
pub mod table;
