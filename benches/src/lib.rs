//! Code that the benches and the two binaries of this crate share.
//!
//! `cargo bench -p fastest-benches` measures parts of the engine one by one: content, trees in
//! memory ([`project`]), rows, the store, and working copies on disk. Two binaries run the whole
//! command: `compare` beside git, restic, rsync, tar and cp on a tree that the caller names
//! ([`compare`]), and `scale` on trees that it generates ([`scale`]). A third, `merges`, makes the
//! merges of a public history again, and compares them with git's ([`merges`]).
//!
//! Both time processes ([`measure`]), keep every value ([`results`]), and print tables, JSON and
//! plots ([`table`], [`report`], [`plot`]). The outcome of each step is checked, because a figure
//! of work that was not done would be worthless.

pub mod compare;
pub mod error;
pub mod fastest;
pub mod folder;
pub mod machine;
pub mod made;
pub mod measure;
pub mod merges;
pub mod plot;
pub mod project;
pub mod report;
pub mod results;
pub mod room;
pub mod scale;
pub mod settings;
pub mod table;
