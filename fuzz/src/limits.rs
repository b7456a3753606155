//! What one run of a target may use. A decoder that allocates what an input claims, recurses as
//! deep as an input nests, or does not end is stopped, and the process with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Memory of the whole process, in bytes. An object may have 64 MiB, and a store reads blocks on
/// all threads.
const MEMORY_BYTES: u64 = 512 << 20;

/// The stack of a target, in bytes: that of any thread which is not the first.
pub const STACK_BYTES: usize = 2 << 20;

/// The time of one run.
const TIME: Duration = Duration::from_secs(20);

/// Limits the memory of this process.
#[cfg(target_os = "linux")]
pub fn limit_memory() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Data).maximum;
    let limit = Rlimit { current: Some(MEMORY_BYTES), maximum };
    setrlimit(Resource::Data, limit).expect("a limit can be lowered");
}

/// Other systems do not count what is allocated.
#[cfg(not(target_os = "linux"))]
pub fn limit_memory() {
    let _ = MEMORY_BYTES;
}

/// Ends the process if a run takes too long.
#[derive(Debug, Clone)]
pub struct Watch {
    began: Instant,
    /// When the current run began, in milliseconds since `began`.
    run_began_ms: Arc<AtomicU64>,
}

impl Watch {
    /// Begins to watch, on another thread.
    pub fn begin() -> Self {
        let watch = Self { began: Instant::now(), run_began_ms: Arc::default() };
        let seen = watch.clone();
        thread::spawn(move || {
            loop {
                thread::sleep(Duration::from_secs(1));
                let since = seen.now_ms().saturating_sub(seen.run_began_ms.load(Ordering::Relaxed));
                if Duration::from_millis(since) > TIME {
                    eprintln!("it takes longer than {TIME:?}");
                    std::process::abort();
                }
            }
        });
        watch
    }

    /// Notes that a run begins.
    pub fn next_run(&self) {
        self.run_began_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
