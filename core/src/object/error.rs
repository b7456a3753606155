//! Why an object could not be read or stored.

use std::io;
use std::path::{Path, PathBuf};

use crate::object::id::{BlobId, ObjectId, PackId, TreeId};
use crate::object::tree::format::TreeError;

/// Why an object could not be read or stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No pack of the store has the object.
    #[error("object {id} is missing from the store")]
    Missing {
        /// The object asked for.
        id: ObjectId,
    },
    /// The object exceeds the largest size of the format.
    #[error(
        "an object of {bytes} bytes is over the limit of {} bytes",
        crate::object::kind::OBJECT_BYTES_MAX
    )]
    ObjectTooLarge {
        /// Its size.
        bytes: u64,
    },
    /// A tree node breaks a rule of its encoding.
    #[error("tree {id}: {source}")]
    Tree {
        /// The node.
        id: TreeId,
        /// The rule that it breaks.
        source: TreeError,
    },
    /// An object's bytes break a rule of its encoding.
    #[error("object {id} is damaged")]
    DamagedObject {
        /// The object.
        id: ObjectId,
    },
    /// The stored chunks do not add up to the file that they are listed for.
    #[error("the stored content of file {id} is not that file")]
    WrongContent {
        /// The file's id.
        id: BlobId,
    },
    /// A pack is truncated, altered, or not a pack.
    #[error("pack {} is damaged: {what}", path.display())]
    DamagedPack {
        /// The pack file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A pack's bytes do not have the id that they were requested or named by.
    #[error("pack {id} holds other bytes than its id says")]
    WrongPack {
        /// The id that was promised.
        id: PackId,
    },
    /// An index file is truncated, altered, or not an index.
    #[error("index {} is damaged: {what}", path.display())]
    DamagedIndex {
        /// The index file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A file of the store was written by a newer version.
    #[error("{} has format version {version}, newer than this build reads", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version found.
        version: u32,
    },
    /// The file system failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The action that failed, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl StoreError {
    /// Returns a closure for `map_err` that adds the action and the path to a system error.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { action, path, source }
    }
}
