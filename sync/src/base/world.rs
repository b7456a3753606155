//! Time, randomness and waiting: everything that a device takes from outside, besides files and
//! networks.
//!
//! The caller that opens a store, a database or a remote passes a world. Other code of this crate
//! does not ask the system; `sync/tests/sync/outside.rs` checks the sources, and lists the
//! exception, which is messages about locks. In a world that is made from a seed, the same seed
//! gives the same run. `docs/decisions/0020-the-world-from-outside.md` says what a world does not
//! cover.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use futures_util::future::{Either, select};
use jiff::Timestamp;
use rusqlite::Connection;
use ulid::Ulid;

use crate::base::clock;

/// The clocks, the randomness and the waits of a [`World`].
#[async_trait]
pub trait Sources: fmt::Debug + Send + Sync {
    /// Returns the wall clock, as the time since 1970 in UTC.
    fn unix_time(&self) -> Duration;

    /// Returns the time since a fixed moment. It never decreases.
    fn monotonic(&self) -> Duration;

    /// Returns a uniformly random number.
    fn random(&self) -> u64;

    /// Waits, and lets other tasks run.
    async fn wait(&self, time: Duration);

    /// Completes when work that begins now has taken longer than `limit`. It is polled together
    /// with that work, and dropped when the work is done. Where [`Sources::wait`] takes no time,
    /// this must not complete at once, or work would be given up at once.
    async fn expire(&self, limit: Duration);

    /// Blocks the thread.
    fn pause(&self, time: Duration);

    /// Prepares a connection before its first statement. SQL has a clock and random numbers of its
    /// own: a world that is not the system's replaces these functions here.
    #[doc(hidden)]
    fn prepare(&self, _: &Connection) -> Result<(), rusqlite::Error> {
        Ok(())
    }
}

/// The world that a device is in. Clones are the same world.
#[derive(Debug, Clone)]
pub struct World(Arc<dyn Sources>);

impl World {
    /// Creates a world from its sources.
    pub fn new(sources: Arc<dyn Sources>) -> Self {
        Self(sources)
    }

    /// Returns the system's world. Its waits and timeouts need a tokio runtime with timers.
    pub fn system() -> Self {
        Self(Arc::new(System { since: Instant::now() }))
    }

    /// Returns the time of the wall clock.
    pub fn timestamp(&self) -> Timestamp {
        // Clocks that are set to before 1970 or to after 9999 are wrong anyway.
        let time = self.0.unix_time().try_into().ok();
        time.and_then(|time| Timestamp::from_duration(time).ok()).unwrap_or(Timestamp::MAX)
    }

    /// Returns the time of the wall clock as rows store it: ISO 8601, UTC, with milliseconds.
    pub fn now_text(&self) -> String {
        clock::text(self.timestamp())
    }

    /// Returns a new ULID.
    pub fn new_id(&self) -> String {
        let time_ms = u64::try_from(self.0.unix_time().as_millis()).unwrap_or(u64::MAX);
        let random = u128::from(self.random()) << 64 | u128::from(self.random());
        // `from_parts` takes the low 48 bits of the time, and the low 80 of the number.
        Ulid::from_parts(time_ms, random).to_string()
    }

    /// Returns a uniformly random number.
    pub fn random(&self) -> u64 {
        self.0.random()
    }

    /// Starts a stopwatch, which uses the monotonic clock.
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch { world: self.clone(), since: self.0.monotonic() }
    }

    /// Waits, and lets other tasks run.
    pub async fn wait(&self, time: Duration) {
        self.0.wait(time).await;
    }

    /// Runs `work` with a time limit. Returns `None`, and drops the work, if it takes longer.
    pub async fn timeout<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), self.0.expire(limit)).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }

    /// Blocks the thread.
    pub fn pause(&self, time: Duration) {
        self.0.pause(time);
    }

    /// Prepares a connection before its first statement.
    pub(crate) fn prepare(&self, connection: &Connection) -> Result<(), rusqlite::Error> {
        self.0.prepare(connection)
    }
}

/// Measures a time that passes in a world.
#[derive(Debug, Clone)]
pub struct Stopwatch {
    world: World,
    since: Duration,
}

impl Stopwatch {
    /// Returns the time since the last start or restart.
    pub fn passed(&self) -> Duration {
        self.world.0.monotonic().saturating_sub(self.since)
    }

    /// Starts to measure again.
    pub fn restart(&mut self) {
        self.since = self.world.0.monotonic();
    }
}

/// The system's clocks, its randomness, and the runtime's timers.
#[derive(Debug)]
struct System {
    since: Instant,
}

#[async_trait]
impl Sources for System {
    fn unix_time(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.since.elapsed()
    }

    fn random(&self) -> u64 {
        // The low 64 of its 80 random bits.
        Ulid::generate().random() as u64
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn expire(&self, limit: Duration) {
        tokio::time::sleep(limit).await;
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A world in which nothing moves.
    #[derive(Debug)]
    struct Still(Duration, u64);

    #[async_trait]
    impl Sources for Still {
        fn unix_time(&self) -> Duration {
            self.0
        }

        fn monotonic(&self) -> Duration {
            self.0
        }

        fn random(&self) -> u64 {
            self.1
        }

        async fn wait(&self, _: Duration) {}

        async fn expire(&self, _: Duration) {}

        fn pause(&self, _: Duration) {}
    }

    #[test]
    fn times_and_ids_have_the_form_of_rows() {
        let check = |time: Duration, random: u64, text: &str, id: &str| {
            let world = World::new(Arc::new(Still(time, random)));
            assert_eq!((world.now_text().as_str(), world.new_id().as_str()), (text, id));
        };
        let time = Duration::from_micros(1_767_323_045_678_901);
        check(time, 0, "2026-01-02T03:04:05.678Z", "01KDYAK3SE0000000000000000");
        check(time, u64::MAX, "2026-01-02T03:04:05.678Z", "01KDYAK3SEZZZZZZZZZZZZZZZZ");
        check(Duration::ZERO, 7, "1970-01-01T00:00:00.000Z", "0000000000003G000000000007");
        // A clock that is wrong is no reason to panic.
        check(Duration::MAX, 0, "9999-12-30T22:00:00.999Z", "7ZZZZZZZZZ0000000000000000");
    }

    #[test]
    fn the_systems_world_moves() {
        let world = World::system();
        let stopwatch = world.stopwatch();
        world.pause(Duration::from_millis(2));
        assert!(stopwatch.passed() >= Duration::from_millis(2));
        let ids = [world.new_id(), world.new_id()];
        assert!(ids[0] != ids[1] && ids[0].len() == 26, "{ids:?}");
        assert_ne!(world.random(), world.random());
    }

    #[test]
    fn work_that_takes_too_long_is_given_up() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (world, second) = (World::system(), Duration::from_secs(1));
        let done = runtime.block_on(world.timeout(second, async { 7 }));
        assert_eq!(done, Some(7));
        let never = world.timeout(Duration::from_millis(1), std::future::pending::<()>());
        assert_eq!(runtime.block_on(never), None);
    }
}
