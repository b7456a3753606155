//! Work that goes on beside other work.

use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};

/// A job on a thread of its own. Where the system has no thread left, it was done at once instead.
#[derive(Debug)]
pub struct Beside<T>(State<T>);

#[derive(Debug)]
enum State<T> {
    Thread(JoinHandle<T>),
    Done(T),
}

impl<T: Send + 'static> Beside<T> {
    /// Begins a job, which must not panic. It ends by itself where nobody asks for its result.
    pub fn begin(job: impl FnOnce() -> T + Send + 'static) -> Self {
        Self::begin_on(job, |thread| Builder::new().spawn(thread))
    }

    fn begin_on<J: FnOnce() -> T + Send + 'static>(
        job: J,
        spawn: impl FnOnce(Box<dyn FnOnce() -> T + Send>) -> std::io::Result<JoinHandle<T>>,
    ) -> Self {
        // A thread that cannot be had takes what it was given with it.
        let waiting = Arc::new(Mutex::new(Some(job)));
        let take = |waiting: &Mutex<Option<J>>| {
            let job = waiting.lock().expect("no holder panics").take();
            job.expect("it is taken by the thread, or where there is none")
        };
        let theirs = Arc::clone(&waiting);
        match spawn(Box::new(move || take(&theirs)())) {
            Ok(thread) => Self(State::Thread(thread)),
            Err(_) => Self(State::Done(take(&waiting)())),
        }
    }

    /// What the job came to, once it is done.
    pub fn result(self) -> T {
        match self.0 {
            State::Thread(thread) => thread.join().expect("the job does not panic"),
            State::Done(result) => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_done_with_a_thread_and_without() {
        assert_eq!(Beside::begin(|| 7).result(), 7);
        let none = |_| Err(std::io::ErrorKind::WouldBlock.into());
        assert_eq!(Beside::begin_on(|| 7, none).result(), 7);
    }
}
