//! The trait of pack stores, which store packs that are too large to be sent inline.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::remote::sanitize::sanitize;

/// The bytes of a pack, as they arrive.
pub type PackStream = BoxStream<'static, Result<Bytes, PackStoreError>>;

/// A place for packs, by key (`{user}/packs/{pack id}`). A pack never changes once it is there.
#[async_trait]
pub trait PackStore: Send + Sync {
    /// Returns the store's address without secrets, for messages.
    fn place(&self) -> &str;

    /// Stores the file at `from`, durably. Returns false if the key was there already, which is
    /// harmless.
    async fn put(&self, key: &str, from: &Path) -> Result<bool, PackStoreError>;

    /// Stores the file at `from` in place of whatever is there under the key.
    async fn replace(&self, key: &str, from: &Path) -> Result<(), PackStoreError>;

    /// Returns the pack's bytes from `from` on; [`PackStoreError::Missing`] if there is none.
    async fn get(&self, key: &str, from: u64) -> Result<PackStream, PackStoreError>;

    /// Makes a text fit for a message, if it came from the store, or from a primary and concerns
    /// the store. An implementation that sends secrets to the store removes them here.
    fn sanitize(&self, text: &str) -> String {
        sanitize(text)
    }

    /// Stores and reads back something small, to find out whether the store works.
    async fn check(&self) -> Result<(), PackStoreError>;
}

/// Why a pack could not be stored or read.
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
    /// The key is not a pack's: it is malformed, so that it might lead out of the store, or it
    /// names something other than a file.
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
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The store could not be reached, or the connection broke.
    #[error("the pack store {place} is out of reach: {reason}")]
    Unreachable {
        /// The store.
        place: String,
        /// The system's reason.
        reason: String,
    },
    /// The store refuses access.
    #[error("the pack store {place} refuses: {reason}")]
    Denied {
        /// The store.
        place: String,
        /// Its own message, or ours.
        reason: String,
    },
    /// The store failed, or did not return what was stored.
    #[error("the pack store {place} failed: {reason}")]
    Failed {
        /// The store.
        place: String,
        /// Its own message, or ours.
        reason: String,
    },
    /// The address is not valid.
    #[error("{url:?} is no address of a pack store: {reason}")]
    BadUrl {
        /// The address as given, without parts that may be secret.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The pack is in a pack store, and this remote has none.
    #[error("pack {key} lies in a pack store, and this remote has none")]
    NoStore {
        /// The key.
        key: String,
    },
}

impl PackStoreError {
    /// Whether a retry may succeed without a repair.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// Checks that the parts of a key are not empty and consist of letters, digits and hyphens, so that
/// it cannot lead out of the store.
pub(super) fn check_key(key: &str) -> Result<(), PackStoreError> {
    let safe = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if key.split('/').all(safe) {
        Ok(())
    } else {
        Err(PackStoreError::BadKey { key: key.to_owned() })
    }
}

/// The pack store of a remote that has no pack store. To put or get a pack fails with
/// [`PackStoreError::NoStore`].
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

/// Where packs of more than [`INLINE_BYTES_MAX`] bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LargePacks {
    /// Into a pack store.
    Stored,
    /// Into rows of the primary.
    Rows,
}

/// Packs of at most this many bytes are sent inside the payload.
pub const INLINE_BYTES_MAX: u64 = 256 << 10;
