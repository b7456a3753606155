//! Makes a schedule that fails smaller: fewer steps, fewer faults.

use crate::schedule::{Schedule, Step};

/// How often a smaller schedule is tried.
const TRIES_MAX: usize = 2_000;

/// Returns a smaller schedule that fails as well. `fails` runs a schedule.
pub fn shrink(schedule: &Schedule, mut fails: impl FnMut(&Schedule) -> bool) -> Schedule {
    let (mut small, mut tries) = (schedule.clone(), 0);
    let mut attempt = |small: &mut Schedule, steps: Vec<Step>| {
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
        for part in (0..parts(&small.steps[at])).rev() {
            let mut steps = small.steps.clone();
            leave_out(&mut steps[at], part);
            attempt(&mut small, steps);
        }
    }
    small
}

/// Returns how many parts of a step can be left out.
fn parts(step: &Step) -> usize {
    match step {
        Step::Write { edits, .. } => edits.len(),
        Step::Push { faults, .. } | Step::Pull { faults, .. } => faults.len(),
        _ => 0,
    }
}

fn leave_out(step: &mut Step, part: usize) {
    match step {
        Step::Write { edits, .. } => drop(edits.remove(part)),
        Step::Push { faults, .. } | Step::Pull { faults, .. } => drop(faults.remove(part)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let schedule = Schedule::draw(1);
        let restarts = |schedule: &Schedule| {
            schedule.steps.iter().filter(|step| matches!(step, Step::Reopen { .. })).count()
        };
        assert!(restarts(&schedule) > 1 && schedule.steps.len() >= 100);
        let small = shrink(&schedule, |schedule| restarts(schedule) > 1);
        assert_eq!(small.steps.len(), 2);
    }
}
