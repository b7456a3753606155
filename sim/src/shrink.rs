//! Makes a schedule that fails smaller: fewer steps, fewer faults.

use crate::schedule::{Schedule, Step};

/// How often a smaller schedule is tried.
const TRIES_MAX: usize = 2_000;

/// Returns a smaller schedule that fails as well. `fails` runs a schedule.
pub fn shrink<S: Step>(
    schedule: &Schedule<S>,
    mut fails: impl FnMut(&Schedule<S>) -> bool,
) -> Schedule<S> {
    let (mut small, mut tries) = (schedule.clone(), 0);
    let mut attempt = |small: &mut Schedule<S>, steps: Vec<S>| {
        tries += 1;
        let tried = Schedule { steps, ..small.clone() };
        let is_smaller = tries <= TRIES_MAX && fails(&tried);
        if is_smaller {
            *small = tried;
        }
        is_smaller
    };
    let mut size = small.steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < small.steps.len() {
            let mut steps = small.steps.clone();
            steps.drain(at..(at + size).min(steps.len()));
            if !attempt(&mut small, steps) {
                at += size;
            }
        }
        size /= 2;
    }
    for at in 0..small.steps.len() {
        for part in (0..small.steps[at].parts()).rev() {
            let mut steps = small.steps.clone();
            steps[at].leave_out(part);
            attempt(&mut small, steps);
        }
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::schedule::Step;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let schedule = Schedule::<Step>::draw(1);
        let restarts = |schedule: &Schedule<Step>| {
            schedule.steps.iter().filter(|step| matches!(step, Step::Reopen { .. })).count()
        };
        assert!(restarts(&schedule) > 1 && schedule.steps.len() >= 100);
        let small = shrink(&schedule, |schedule| restarts(schedule) > 1);
        assert_eq!(small.steps.len(), 2);
    }
}
