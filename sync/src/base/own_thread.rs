//! Runs blocking work on a thread of its own, behind a future.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The stack of a thread, in bytes: as much as a main thread has, because work recurses into folders.
const STACK_BYTES: usize = 8 << 20;

/// The system could not start a thread.
#[derive(Debug)]
pub(crate) struct NoThread(pub(crate) io::Error);

/// A value whose use may block: SQLite, fsync, hashing.
///
/// Synchronous work uses it on the caller's thread. Asynchronous work uses it on a thread of its
/// own, so that the threads of the caller's runtime never block.
#[derive(Debug)]
pub(crate) struct OwnThread<T>(Arc<Mutex<T>>);

impl<T> OwnThread<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    /// Locks the value for synchronous work. If a future of [`OwnThread::run`] was dropped, waits
    /// until its work has stopped.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        lock(&self.0)
    }
}

impl<T: Send + 'static> OwnThread<T> {
    /// Runs `work` on a thread of its own. Must be called within a tokio runtime, which drives the
    /// network and the timers that `work` waits for. The thread is not one of that runtime's: these
    /// may run out, and `work` may need them, for example to resolve a host's name.
    ///
    /// If the future is dropped, `work` is dropped at its next await.
    pub(crate) async fn run<R, E>(
        &self,
        work: impl AsyncFnOnce(&mut T) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<NoThread> + Send + 'static,
    {
        let thread = Builder::new().name("fastest".to_owned()).stack_size(STACK_BYTES);
        self.run_on(thread, work).await
    }

    async fn run_on<R, E>(
        &self,
        thread: Builder,
        work: impl AsyncFnOnce(&mut T) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<NoThread> + Send + 'static,
    {
        let (is_wanted, unwanted) = oneshot::channel::<()>();
        let (finish, finished) = oneshot::channel();
        let (value, runtime) = (Arc::clone(&self.0), Handle::current());
        let body = move || {
            let working = AssertUnwindSafe(|| {
                let mut value = lock(&value);
                runtime.block_on(async {
                    match select(unwanted, pin!(work(&mut value))).await {
                        Either::Left(_) => None,
                        Either::Right((done, _)) => Some(done),
                    }
                })
            });
            let done = panic::catch_unwind(working);
            // Before the answer, so that whoever drops the value afterwards knows that it is gone: its
            // files are closed.
            drop(value);
            // Nobody may be left who waits for it.
            let _ = finish.send(done);
        };
        thread.spawn(body).map_err(NoThread)?;
        let done = finished.await.expect("the thread sends before it ends");
        drop(is_wanted);
        let done = done.unwrap_or_else(|payload| panic::resume_unwind(payload));
        done.expect("the work is wanted until here")
    }
}

/// Locks the value even if the lock is poisoned. A panic leaves unfinished transactions, as a
/// killed process does, and SQLite and the file system cope with those.
fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use futures_util::future::join;
    use tokio::runtime::Builder;
    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    #[test]
    fn the_runtime_goes_on_while_work_blocks() {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let value = OwnThread::new(1);
            let (began, begun) = std::sync::mpsc::channel();
            let (finish, finished) = std::sync::mpsc::channel();
            let work = value.run(async move |value: &mut i32| {
                began.send(()).unwrap();
                finished.recv().unwrap();
                *value += 1;
                sleep(Duration::from_millis(1)).await;
                Ok::<_, NoThread>(*value)
            });
            let other = async {
                // The work waits for this task, which only a runtime that is not blocked can run.
                while begun.try_recv().is_err() {
                    sleep(Duration::from_millis(1)).await;
                }
                finish.send(()).unwrap();
            };
            assert_eq!(join(work, other).await.0.unwrap(), 2);
        });
    }

    #[test]
    fn a_thread_lets_the_value_go_before_it_answers() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let value = OwnThread::new(());
        for _ in 0..1000 {
            runtime.block_on(value.run(async |()| Ok::<_, NoThread>(()))).unwrap();
            assert_eq!(Arc::strong_count(&value.0), 1);
        }
    }

    #[test]
    fn dropped_work_stops_and_lets_the_value_go() {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let value = OwnThread::new(0);
            let work = value.run(async |value: &mut i32| {
                *value += 1;
                pending::<()>().await;
                *value += 1;
                Ok::<_, NoThread>(())
            });
            timeout(Duration::from_millis(50), work).await.unwrap_err();
            let began = Instant::now();
            let now = value.run(async |value: &mut i32| Ok::<_, NoThread>(*value)).await;
            assert_eq!(now.unwrap(), 1);
            assert!(began.elapsed() < Duration::from_secs(60), "it did not wait for the lost work");
            assert_eq!(*value.lock(), 1);
        });
    }

    #[test]
    fn work_may_need_the_threads_of_the_runtime() {
        let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let value = OwnThread::new(());
        let work = value
            .run(async |()| Ok::<_, NoThread>(tokio::task::spawn_blocking(|| 7).await.unwrap()));
        assert_eq!(runtime.block_on(work).unwrap(), 7);
    }

    #[test]
    fn without_a_thread_there_is_an_error() {
        // More stack than any system has memory for.
        let impossible = std::thread::Builder::new().stack_size(1 << 60);
        let runtime = Builder::new_current_thread().build().unwrap();
        let value = OwnThread::new(());
        let work = value.run_on(impossible, async |()| Ok::<_, NoThread>(()));
        assert!(runtime.block_on(work).is_err());
    }

    #[test]
    #[should_panic(expected = "as it is")]
    fn a_panic_comes_through() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let work = async |(): &mut ()| -> Result<(), NoThread> { panic!("as it is") };
        let _ = runtime.block_on(OwnThread::new(()).run(work));
    }
}
