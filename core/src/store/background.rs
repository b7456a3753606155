//! Work on a thread of its own, while the caller does something else.

use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

/// A job on a thread of its own. If the system cannot start a thread, the job has run already, in
/// the caller.
#[derive(Debug)]
#[must_use = "only `result` waits for the job"]
pub(crate) enum BackgroundJob<T> {
    /// It runs on this thread.
    Thread(JoinHandle<T>),
    /// It ran in the caller.
    Done(T),
}

impl<T: Send + 'static> BackgroundJob<T> {
    /// Starts a job, which must not panic.
    pub(crate) fn begin(job: impl FnOnce() -> T + Send + 'static) -> Self {
        Self::begin_on(Builder::new(), job)
    }

    fn begin_on(thread: Builder, job: impl FnOnce() -> T + Send + 'static) -> Self {
        // If the thread cannot be started, the closure that it was given is lost: so the job is
        // shared.
        let waiting = Arc::new(Mutex::new(Some(job)));
        let theirs = Arc::clone(&waiting);
        match thread.spawn(move || take(&theirs)()) {
            Ok(thread) => Self::Thread(thread),
            Err(_) => Self::Done(take(&waiting)()),
        }
    }

    /// Waits for the job, and returns its result.
    pub(crate) fn result(self) -> T {
        match self {
            Self::Thread(thread) => thread.join().expect("the job does not panic"),
            Self::Done(result) => result,
        }
    }
}

fn take<J>(waiting: &Mutex<Option<J>>) -> J {
    let job = waiting.lock().expect("no holder panics").take();
    job.expect("it is taken by the thread, or where there is none")
}

/// A thread with more stack than any system has memory for.
#[cfg(test)]
pub(crate) fn impossible() -> Builder {
    Builder::new().stack_size(1 << 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_done_with_a_thread_and_without() {
        let with = BackgroundJob::begin(|| 7);
        assert!(matches!(with, BackgroundJob::Thread(_)));
        assert_eq!(with.result(), 7);
        let without = BackgroundJob::begin_on(impossible(), || 7);
        assert!(matches!(without, BackgroundJob::Done(7)));
        assert_eq!(without.result(), 7);
    }
}
