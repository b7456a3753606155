//! Two commands at once, of which only one runs at a time. Where one of them asks the primary or waits,
//! a random number decides which of them goes on. So a race is the same each time.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use fastest_fixtures::random::Random;

/// Whose turn it is.
#[derive(Debug)]
pub struct Baton {
    turns: Mutex<Turns>,
    changed: Condvar,
}

#[derive(Debug)]
struct Turns {
    random: Random,
    current: usize,
    has_left: [bool; 2],
}

/// One of the two commands.
#[derive(Debug, Clone)]
pub struct Runner {
    baton: Arc<Baton>,
    number: usize,
}

impl Runner {
    /// Makes two runners. `seed` determines the order in which they go on.
    pub fn pair(seed: u64) -> [Self; 2] {
        let turns = Turns { random: Random::new(seed), current: 0, has_left: [false; 2] };
        let baton = Arc::new(Baton { turns: Mutex::new(turns), changed: Condvar::new() });
        [0, 1].map(|number| Self { baton: Arc::clone(&baton), number })
    }

    /// Runs the command, from its first turn on.
    pub fn run<R>(self, command: impl FnOnce() -> R) -> R {
        drop(self.wait(self.turns()));
        // Also after a panic, so that the other one goes on.
        let _leaves = Leaves(&self);
        command()
    }

    /// Lets the other one go on, or not.
    pub fn pass(&self) {
        let mut turns = self.turns();
        let other = 1 - self.number;
        if turns.random.below(2) == 0 && !turns.has_left[other] {
            turns.current = other;
            self.baton.changed.notify_all();
            drop(self.wait(turns));
        }
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.baton.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, turns: MutexGuard<'a, Turns>) -> MutexGuard<'a, Turns> {
        let is_other = |turns: &mut Turns| turns.current != self.number;
        let turns = self.baton.changed.wait_while(turns, is_other);
        turns.unwrap_or_else(PoisonError::into_inner)
    }
}

struct Leaves<'a>(&'a Runner);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        let mut turns = self.0.turns();
        turns.has_left[self.0.number] = true;
        turns.current = 1 - self.0.number;
        self.0.baton.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn race(seed: u64) -> Vec<usize> {
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for runner in Runner::pair(seed) {
                let order = &order;
                scope.spawn(move || {
                    let me = runner.clone();
                    runner.run(|| {
                        for _ in 0..20 {
                            order.lock().unwrap().push(me.number);
                            me.pass();
                        }
                    });
                });
            }
        });
        order.into_inner().unwrap()
    }

    #[test]
    fn a_race_is_the_same_each_time() {
        let first = race(3);
        assert_eq!(first.len(), 40);
        assert!((0..20).all(|_| race(3) == first));
        assert_ne!(race(4), first);
        let turns = first.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(turns > 5, "{first:?}");
    }
}
