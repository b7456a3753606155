//! Counts requests and bytes.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use fastest_core::progress::Progress;

/// The requests and bytes so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Requests made, retries included. For a file: statements run.
    pub requests: u64,
    /// Bytes of statements, parameters and packs.
    pub bytes_sent: u64,
    /// Bytes of answers and packs.
    pub bytes_received: u64,
}

/// A counter that the clients of a remote's primary and pack store share.
#[derive(Debug, Default, Clone)]
pub struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    shown: Mutex<Arc<Progress>>,
}

impl Meter {
    /// Counts a request and the bytes of its body.
    pub fn request(&self, bytes_sent: u64) {
        self.0.requests.fetch_add(1, Relaxed);
        self.sent(bytes_sent);
    }

    /// Counts bytes sent as part of a request that is counted already.
    pub fn sent(&self, bytes: u64) {
        self.0.sent.fetch_add(bytes, Relaxed);
        self.progress().add(0, bytes);
    }

    /// Counts bytes of an answer.
    pub fn received(&self, bytes: u64) {
        self.0.received.fetch_add(bytes, Relaxed);
        self.progress().add(0, bytes);
    }

    /// Shows the bytes that are counted from now on in a progress bar.
    pub fn show(&self, progress: Arc<Progress>) {
        *self.0.shown.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }

    /// Tells the progress bar how many bytes are still to come.
    pub(crate) fn expect(&self, bytes: u64) {
        self.progress().add_total(0, bytes);
    }

    fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.0.shown.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns what was counted so far.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.0.requests.load(Relaxed),
            bytes_sent: self.0.sent.load(Relaxed),
            bytes_received: self.0.received.load(Relaxed),
        }
    }
}
