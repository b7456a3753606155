//! Time and randomness of a run. All parties share one time, and each has a clock of its own, which may
//! be wrong.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use fastest_fixtures::random::Random;
use fastest_sync::{Sources, World};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use crate::baton::Runner;

/// When each run begins: 2026-01-01T00:00:00Z, as the time since 1970.
const BEGINNING: Duration = Duration::from_secs(1_767_225_600);

/// How far each look moves a clock, so that no two looks see the same time.
const LOOK: Duration = Duration::from_millis(1);

/// The world of one party: a device, or an application on it.
#[derive(Debug, Clone)]
pub struct Party(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    random: Random,
    /// Time since [`BEGINNING`]. It never goes back.
    passed: Duration,
    /// How wrong the wall clock is, in milliseconds.
    skew: i64,
    /// Set while another command runs at the same time.
    runner: Option<Runner>,
    /// Whether databases cannot grow.
    is_full: bool,
}

impl Party {
    /// Makes the world of a party. `seed` determines its random numbers.
    pub fn new(seed: u64) -> Arc<Self> {
        let random = Random::new(seed);
        let state = State { random, passed: Duration::ZERO, skew: 0, runner: None, is_full: false };
        Arc::new(Self(Arc::new(Mutex::new(state))))
    }

    /// Returns the handle with which a device is opened.
    pub fn world(self: &Arc<Self>) -> World {
        World::new(Arc::<Self>::clone(self))
    }

    /// Moves the clock on to `time`, if it is not there yet.
    pub fn advance_to(&self, time: Duration) {
        let mut state = self.state();
        state.passed = state.passed.max(time);
    }

    /// Returns the time since the beginning. This does not move the clock.
    pub fn passed(&self) -> Duration {
        self.state().passed
    }

    /// Returns the time that the wall clock shows.
    pub fn wall_time(&self) -> Duration {
        self.unix_time()
    }

    /// Sets how wrong the wall clock is.
    pub fn set_skew(&self, ms: i64) {
        self.state().skew = ms;
    }

    /// Sets, or with `None` forgets, as which of two commands the next one runs.
    pub fn set_runner(&self, runner: Option<Runner>) {
        self.state().runner = runner;
    }

    /// Fills the disk, or makes room. Databases that are open do not notice.
    pub fn set_full(&self, is_full: bool) {
        self.state().is_full = is_full;
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        self.state().is_full
    }

    /// Waits in no time. Another command may go on meanwhile.
    fn wait_out(&self, time: Duration) {
        self.skip(time);
        let runner = self.state().runner.clone();
        if let Some(runner) = runner {
            runner.pass();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    fn skip(&self, time: Duration) -> Duration {
        let mut state = self.state();
        state.passed += time;
        state.passed
    }
}

/// Between two calls the state is whole, also after a panic.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Sources for Party {
    fn unix_time(&self) -> Duration {
        let passed = self.skip(LOOK);
        let skew = self.state().skew;
        let real = BEGINNING + passed;
        let amount = Duration::from_millis(skew.unsigned_abs());
        if skew < 0 { real.saturating_sub(amount) } else { real + amount }
    }

    fn monotonic(&self) -> Duration {
        self.skip(LOOK)
    }

    fn random(&self) -> u64 {
        self.state().random.number()
    }

    async fn wait(&self, time: Duration) {
        self.wait_out(time);
        // What is waited for may be another task of this thread.
        tokio::task::yield_now().await;
    }

    async fn expire(&self, limit: Duration) {
        let end = self.passed() + limit;
        // It is polled again whenever the work that it limits has moved.
        std::future::poll_fn(|_| if self.passed() < end { Poll::Pending } else { Poll::Ready(()) })
            .await;
    }

    fn pause(&self, time: Duration) {
        self.wait_out(time);
    }

    fn prepare(&self, connection: &Connection) -> rusqlite::Result<()> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
        if self.is_full() {
            // No fewer than there are.
            connection.pragma_update(None, "max_page_count", 1)?;
        }
        let state = Arc::clone(&self.0);
        connection.create_scalar_function("randomblob", 1, flags, move |context| {
            let mut state = lock(&state);
            let count: u32 = context.get(0)?;
            Ok((0..count).map(|_| state.random.number() as u8).collect::<Vec<u8>>())
        })?;
        for (name, arguments) in [("strftime", 2), ("current_timestamp", 0)] {
            // The tables have times of one form only.
            let world = World::new(Arc::new(self.clone()));
            let now = move |_: &Context<'_>| Ok(world.now_text());
            connection.create_scalar_function(name, arguments, flags, now)?;
        }
        Ok(())
    }
}
