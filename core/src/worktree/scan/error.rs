//! Why a scan was aborted.

use std::io;
use std::path::PathBuf;

use crate::object::error::StoreError;

/// Why a scan was aborted. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The folder itself cannot be read.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The action that failed, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The sink failed, or the head's tree cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ScanError {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
