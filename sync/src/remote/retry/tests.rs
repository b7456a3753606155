use std::sync::Mutex;

use fastest_schema::{PUSH_SQL, Refusal};
use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn attempt(failure: Failure, number: u32, repeatable: bool, spent_ms: u64) -> Attempt {
    let spent = Duration::from_millis(spent_ms);
    Attempt { failure, number, repeatable, spent, random: u32::MAX }
}

#[test]
fn decisions() {
    let policy =
        RetryPolicy { attempts: 5, base: SECOND, max_wait: 3 * SECOND, max_total: 20 * SECOND };
    let busy = |seconds: u32| Failure::Busy { retry_after: Some(seconds * SECOND) };
    use Failure::{Lost, NoConnection, Transient};
    let waits = [
        (attempt(Transient, 1, true, 0), 1),
        (attempt(Transient, 2, true, 0), 2),
        (attempt(Lost, 3, true, 9_000), 3),
        (attempt(Lost, 4, true, 17_000), 3),
        (attempt(NoConnection, 1, false, 0), 1),
        (attempt(NoConnection, 1, true, 1_000), 1),
        (attempt(Failure::Busy { retry_after: None }, 1, false, 0), 1),
        (attempt(busy(10), 1, false, 0), 11),
        (attempt(busy(10), 2, true, 8_000), 12),
    ];
    for (attempt, seconds) in waits {
        let decision = decide(&policy, &attempt);
        assert_eq!(decision, Decision::Wait(seconds * SECOND), "{attempt:?}");
    }
    for attempt in [
        // It may have been applied.
        attempt(Transient, 1, false, 0),
        attempt(Lost, 1, false, 0),
        // The attempts or the time are used up.
        attempt(Transient, 5, true, 0),
        attempt(Lost, 1, true, 60_000),
        attempt(Lost, 4, true, 17_001),
        attempt(NoConnection, 3, true, 0),
        attempt(NoConnection, 1, true, 1_500),
        // The primary asks for a longer wait than the policy allows.
        attempt(busy(20), 1, true, 0),
        attempt(busy(3_600), 1, true, 0),
    ] {
        assert_eq!(decide(&policy, &attempt), Decision::GiveUp, "{attempt:?}");
    }
}

/// Fails with the listed failures, last one first, and then succeeds.
struct Script(Mutex<Vec<Failure>>, World);

impl Script {
    fn next(&self) -> Result<(), PrimaryError> {
        let (url, reason) = ("test".to_owned(), String::new());
        match self.0.lock().unwrap().pop() {
            Some(failure) => Err(PrimaryError::Unreachable { url, reason, failure }),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Primary for Script {
    fn url(&self) -> &str {
        "test"
    }

    fn world(&self) -> &World {
        &self.1
    }

    async fn run(&self, _: Statement<'_>, _: &[&str]) -> Result<Rows, PrimaryError> {
        self.next().map(|()| Rows::new())
    }

    async fn migrate(&self, _: &str, _: &[&str]) -> Result<(), PrimaryError> {
        self.next()
    }
}

#[test]
fn asked_again_until_it_answers() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let policy = RetryPolicy { base: Duration::ZERO, ..RetryPolicy::default() };
    let busy = Failure::Busy { retry_after: None };
    // The statement, how it fails and how often, and how many failures are left.
    for (statement, failure, failures, left) in [
        (Statement::reads("SELECT 1"), Failure::Lost, 4, 0),
        (Statement::reads("SELECT 1"), Failure::Lost, 7, 2),
        (Statement::push(PUSH_SQL), Failure::Lost, 4, 0),
        (Statement::repeatable("DELETE FROM x"), Failure::Transient, 4, 0),
        (Statement::once("DELETE FROM x"), Failure::Lost, 4, 3),
        (Statement::once("DELETE FROM x"), Failure::Transient, 4, 3),
        // It did not run.
        (Statement::once("DELETE FROM x"), busy, 4, 0),
        (Statement::once("DELETE FROM x"), Failure::NoConnection, 2, 0),
        (Statement::once("DELETE FROM x"), Failure::Lost, 0, 0),
        // Its effect is not guessed from its SQL.
        (Statement::once("SELECT 1"), Failure::Lost, 1, 0),
    ] {
        let primary = Script(Mutex::new(vec![failure; failures]), World::system());
        let primary = Retrying::new(primary, policy);
        let done = runtime.block_on(primary.run(statement, &[]));
        assert_eq!(primary.inner.0.lock().unwrap().len(), left, "{statement:?}, {failure:?}");
        let is_given_up = left > 0 || statement.effect == Effect::Once && failures == 1;
        assert_eq!(done.is_ok(), !is_given_up, "{statement:?}, {failure:?}");
    }
    let script = Script(Mutex::new(vec![Failure::Lost; 4]), World::system());
    let primary = Retrying::new(script, policy);
    runtime.block_on(primary.migrate("x", &[])).expect("a migration may be repeated");
}

/// Answers the first request with a refusal that belongs to another one.
struct Stray(Mutex<u32>, World);

#[async_trait]
impl Primary for Stray {
    fn url(&self) -> &str {
        "test"
    }

    fn world(&self) -> &World {
        &self.1
    }

    async fn run(&self, _: Statement<'_>, _: &[&str]) -> Result<Rows, PrimaryError> {
        let mut asked = self.0.lock().unwrap();
        *asked += 1;
        match *asked {
            1 => {
                let (url, refusal) = ("test".to_owned(), Refusal::VersionConflict);
                Err(PrimaryError::Refused { url, refusal })
            }
            _ => Ok(Rows::new()),
        }
    }

    async fn migrate(&self, _: &str, _: &[&str]) -> Result<(), PrimaryError> {
        Ok(())
    }
}

#[test]
fn an_answer_to_something_else_is_asked_for_again() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let policy = RetryPolicy { base: Duration::ZERO, ..RetryPolicy::default() };
    for (statement, expected) in [
        (Statement::reads("SELECT 1"), 2),
        (Statement::repeatable("DELETE FROM x"), 2),
        (Statement::once("DELETE FROM x"), 1),
        // The refusal may be of this push.
        (Statement::push(PUSH_SQL), 1),
    ] {
        let primary = Retrying::new(Stray(Mutex::default(), World::system()), policy);
        let done = runtime.block_on(primary.run(statement, &[]));
        assert_eq!(*primary.inner.0.lock().unwrap(), expected, "{statement:?}");
        assert_eq!(done.is_ok(), expected == 2, "{statement:?}");
    }
}

fn failures() -> impl Strategy<Value = Failure> {
    let after = prop::option::of((0..100_000u64).prop_map(Duration::from_millis));
    prop_oneof![
        Just(Failure::NoConnection),
        Just(Failure::Lost),
        Just(Failure::Transient),
        after.prop_map(|retry_after| Failure::Busy { retry_after }),
    ]
}

fn policies() -> impl Strategy<Value = RetryPolicy> {
    let ms = || (0..50_000u64).prop_map(Duration::from_millis);
    (0..10u32, ms(), ms(), ms()).prop_map(|(attempts, base, max_wait, max_total)| RetryPolicy {
        attempts,
        base,
        max_wait,
        max_total,
    })
}

proptest! {
    #[test]
    fn patience_has_bounds(
        policy in policies(),
        failure in failures(),
        number in 1..100u32,
        repeatable: bool,
        spent_ms in 0..100_000u64,
        random: u32,
    ) {
        let spent = Duration::from_millis(spent_ms);
        let failed = Attempt { failure, number, repeatable, spent, random };
        if let Decision::Wait(wait) = decide(&policy, &failed) {
            let least = match failure {
                Failure::Busy { retry_after } => retry_after.unwrap_or_default(),
                _ => Duration::ZERO,
            };
            prop_assert!(spent + wait <= policy.max_total);
            prop_assert!(wait >= least && wait <= least + policy.max_wait);
            prop_assert!(number < policy.attempts);
            let untouched = matches!(failure, Failure::NoConnection | Failure::Busy { .. });
            prop_assert!(repeatable || untouched);
            // A smaller random number never leads to a longer wait, nor to giving up.
            let lucky = decide(&policy, &Attempt { random: random / 2, ..failed });
            prop_assert!(matches!(lucky, Decision::Wait(shorter) if shorter <= wait));
        }
        // The bound of the wait grows with each attempt.
        let bound = |number| decide(&policy, &Attempt { number, random: u32::MAX, ..failed });
        if let (Decision::Wait(now), Decision::Wait(next)) = (bound(number), bound(number + 1)) {
            prop_assert!(now <= next);
        }
    }
}
