//! Fuzz targets for every decoder that reads what others wrote. A target runs one decoder on any
//! bytes, and panics if something that must always hold does not: [`target`] lists them.
//!
//! Two engines run the targets: the driver of this crate, which needs stable Rust only, and
//! libFuzzer (`fuzz/libfuzzer`). `fuzz/README.md` says how, and `fuzz/FOUND.md` what was found.

pub mod corpus;
pub mod drive;
pub mod limits;
pub mod mutate;
pub mod place;
pub mod reader;
pub mod target;
mod targets;
