//! Retries of statements.
//!
//! [`decide`] is pure: it gets the failure, the time spent so far and a random number, and returns
//! whether to wait, and how long. [`Retrying`] wraps a [`Primary`], and carries the decisions out.
//!
//! A statement that may have been applied is sent again only if its [`Effect`] allows that.
//! Repeating a push does no harm, because a push has an id.

use std::time::Duration;

use async_trait::async_trait;
use tracing::debug;

use crate::base::world::{Stopwatch, World};
use crate::remote::primary::{Failure, Primary, PrimaryError, Rows};
use crate::remote::statement::{Effect, Statement};

/// The most attempts to connect.
const CONNECT_ATTEMPTS: u32 = 3;

/// The longest time for these attempts, because a user who is offline should be told soon.
const CONNECT_TOTAL: Duration = Duration::from_secs(2);

/// How often and for how long to retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most times that a statement is sent.
    pub attempts: u32,
    /// The upper bound of the wait before the second attempt. It doubles with each further attempt.
    pub base: Duration,
    /// The upper bound of any wait, to which a wait that the primary asks for is added.
    pub max_wait: Duration,
    /// The time after the start of the first attempt by which every wait has ended.
    pub max_total: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 5,
            base: Duration::from_millis(400),
            max_wait: Duration::from_secs(5),
            max_total: Duration::from_secs(20),
        }
    }
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Wait, then try again.
    Wait(Duration),
    /// Return the error.
    GiveUp,
}

/// A failed attempt.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// How it failed.
    pub failure: Failure,
    /// The number of the attempt, from 1.
    pub number: u32,
    /// Whether applying the statement twice does no harm.
    pub repeatable: bool,
    /// Time since the first attempt began.
    pub spent: Duration,
    /// A uniformly random number, which spreads clients that failed at the same time.
    pub random: u32,
}

/// Decides whether to try again, and after how long. The wait is random, up to a bound that doubles
/// ("full jitter", Brooker, "Exponential Backoff And Jitter", 2015), and is added to a wait that
/// the primary asks for.
pub fn decide(policy: &RetryPolicy, attempt: &Attempt) -> Decision {
    let Attempt { failure, number, repeatable, spent, random } = *attempt;
    let (attempts, total, least, applied) = match failure {
        Failure::NoConnection => {
            let total = policy.max_total.min(CONNECT_TOTAL);
            (policy.attempts.min(CONNECT_ATTEMPTS), total, Duration::ZERO, false)
        }
        Failure::Busy { retry_after } => {
            (policy.attempts, policy.max_total, retry_after.unwrap_or_default(), false)
        }
        Failure::Lost | Failure::Transient => {
            (policy.attempts, policy.max_total, Duration::ZERO, true)
        }
    };
    if number >= attempts || (applied && !repeatable) {
        return Decision::GiveUp;
    }
    let doubled = policy.base.saturating_mul(1 << number.saturating_sub(1).min(16));
    let jitter = doubled.min(policy.max_wait).mul_f64(f64::from(random) / f64::from(u32::MAX));
    let wait = least.saturating_add(jitter);
    if spent.saturating_add(wait) <= total { Decision::Wait(wait) } else { Decision::GiveUp }
}

/// A primary whose statements are retried after temporary failures.
pub struct Retrying<P> {
    inner: P,
    policy: RetryPolicy,
}

impl<P: Primary> Retrying<P> {
    /// Wraps `inner`, whose failures are retried according to `policy`.
    pub fn new(inner: P, policy: RetryPolicy) -> Self {
        Self { inner, policy }
    }

    /// Waits and returns true if there is another attempt after `error`; otherwise, returns false.
    async fn waits(
        &self,
        stopwatch: &Stopwatch,
        number: u32,
        repeatable: bool,
        error: &PrimaryError,
    ) -> bool {
        let PrimaryError::Unreachable { failure, .. } = *error else { return false };
        let (spent, random) = (stopwatch.passed(), self.world().random() as u32);
        let failed = Attempt { failure, number, repeatable, spent, random };
        let Decision::Wait(wait) = decide(&self.policy, &failed) else { return false };
        let (url, wait_ms) = (self.inner.url(), wait.as_millis());
        debug!(%url, attempt = number, ?failure, wait_ms, "another try");
        if !wait.is_zero() {
            self.world().wait(wait).await;
        }
        true
    }
}

#[async_trait]
impl<P: Primary> Primary for Retrying<P> {
    fn url(&self) -> &str {
        self.inner.url()
    }

    fn world(&self) -> &World {
        self.inner.world()
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError> {
        let (stopwatch, repeatable) = (self.world().stopwatch(), statement.effect.is_repeatable());
        let mut number = 0;
        loop {
            number += 1;
            let answer = match self.inner.run(statement, parameters).await {
                // Only pushes are refused, so this is the answer to another statement.
                Err(PrimaryError::Refused { .. }) if statement.effect != Effect::Push => {
                    Err(PrimaryError::stray_answer(&self.inner))
                }
                answer => answer,
            };
            match answer {
                Err(error) if self.waits(&stopwatch, number, repeatable, &error).await => {}
                answer => return answer,
            }
        }
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        let stopwatch = self.world().stopwatch();
        let mut number = 0;
        loop {
            number += 1;
            match self.inner.migrate(name, statements).await {
                Err(error) if self.waits(&stopwatch, number, true, &error).await => {}
                done => return done,
            }
        }
    }
}

#[cfg(test)]
mod tests;
