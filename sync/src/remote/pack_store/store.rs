//! Pack stores: where packs lie that are too large for a row of the primary.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::remote::sanitize::said;

/// The bytes of a pack, as they come.
pub type PackStream = BoxStream<'static, Result<Bytes, PackStoreError>>;

/// A place for packs, by key (`{user}/packs/{pack id}`). Packs never change once they are there.
#[async_trait]
pub trait PackStore: Send + Sync {
    /// Where it is, without secrets: for messages.
    fn place(&self) -> &str;

    /// Stores the file at `from`, durably; false where the key was there already, which is
    /// harmless.
    async fn put(&self, key: &str, from: &Path) -> Result<bool, PackStoreError>;

    /// Stores the file at `from` in place of what is there under the key, whatever that is.
    async fn replace(&self, key: &str, from: &Path) -> Result<(), PackStoreError>;

    /// The pack's bytes from `from` on; [`PackStoreError::Missing`] where there is none.
    async fn get(&self, key: &str, from: u64) -> Result<PackStream, PackStoreError>;

    /// What it, or a primary, says of it, fit for a message. Whoever sends it secrets takes them
    /// out here.
    fn said(&self, text: &str) -> String {
        said(text)
    }

    /// Stores, reads and compares something small.
    async fn check(&self) -> Result<(), PackStoreError>;
}

/// Why a pack could not be stored or had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackStoreError {
    /// No pack has this key.
    #[error("pack {key} is not in the pack store {place}")]
    Missing {
        /// The key.
        key: String,
        /// The store.
        place: String,
    },
    /// A key that names no pack: it would leave the store's folder.
    #[error("{key:?} is no key of a pack")]
    BadKey {
        /// The key.
        key: String,
    },
    /// The file system failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The store could not be reached, or broke off.
    #[error("the pack store {place} is out of reach: {reason}")]
    Unreachable {
        /// The store.
        place: String,
        /// What the system says.
        reason: String,
    },
    /// The store does not let us in.
    #[error("the pack store {place} refuses: {reason}")]
    Denied {
        /// The store.
        place: String,
        /// Its own words, or ours.
        reason: String,
    },
    /// The store failed, or what it gives is not what was put.
    #[error("the pack store {place} failed: {reason}")]
    Failed {
        /// The store.
        place: String,
        /// Its own words, or ours.
        reason: String,
    },
    /// The address is of no known form.
    #[error("{url:?} is no address of a pack store: {reason}")]
    BadUrl {
        /// As given, without what may be a secret.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The remote keeps its packs in the primary, and the pack is not there.
    #[error("pack {key} lies in a pack store, and this remote has none")]
    NoStore {
        /// The key.
        key: String,
    },
}

impl PackStoreError {
    /// Whether a later try may succeed without anything being mended.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// Checks that a key names a pack, and nothing outside of the store.
pub(super) fn check_key(key: &str) -> Result<(), PackStoreError> {
    let safe = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    match key.split('/').all(safe) {
        true => Ok(()),
        false => Err(PackStoreError::BadKey { key: key.to_owned() }),
    }
}

/// The pack store of a remote that has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPackStore;

#[async_trait]
impl PackStore for NoPackStore {
    fn place(&self) -> &str {
        "none"
    }

    async fn put(&self, key: &str, _: &Path) -> Result<bool, PackStoreError> {
        Err(PackStoreError::NoStore { key: key.to_owned() })
    }

    async fn replace(&self, key: &str, _: &Path) -> Result<(), PackStoreError> {
        Err(PackStoreError::NoStore { key: key.to_owned() })
    }

    async fn get(&self, key: &str, _: u64) -> Result<PackStream, PackStoreError> {
        Err(PackStoreError::NoStore { key: key.to_owned() })
    }

    async fn check(&self) -> Result<(), PackStoreError> {
        Ok(())
    }
}

/// Where packs over [`INLINE_BYTES_MAX`] go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LargePacks {
    /// Into a pack store.
    Stored,
    /// Into rows of the primary.
    Rows,
}

/// A pack of at most this size travels inside the payload.
pub const INLINE_BYTES_MAX: u64 = 256 << 10;
