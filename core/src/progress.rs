//! How far a long operation has come: counters that any thread bumps and any thread reads.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one operation. Totals stay 0 until they are known; nothing ever counts down.
#[derive(Debug, Default)]
pub struct Progress {
    files: AtomicU64,
    bytes: AtomicU64,
    files_total: AtomicU64,
    bytes_total: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Files dealt with.
    pub files: u64,
    /// Bytes dealt with.
    pub bytes: u64,
    /// Files to deal with in all, or 0.
    pub files_total: u64,
    /// Bytes to deal with in all, or 0.
    pub bytes_total: u64,
}

impl Progress {
    /// Counts files and bytes as dealt with.
    pub fn add(&self, files: u64, bytes: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts files and bytes as still to be dealt with.
    pub fn add_total(&self, files: u64, bytes: u64) {
        self.files_total.fetch_add(files, Ordering::Relaxed);
        self.bytes_total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The counters now. Each is exact; together they are of about the same moment.
    pub fn counts(&self) -> Counts {
        Counts {
            files: self.files.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            files_total: self.files_total.load(Ordering::Relaxed),
            bytes_total: self.bytes_total.load(Ordering::Relaxed),
        }
    }
}
