//! Tells how a finding comes about, in as few steps as possible.

use std::fmt::Write as _;

use crate::finding::{Finding, Kind, Outcome, Played};
use crate::schedule::{Schedule, Step};
use crate::shrink::shrink;

/// The smallest schedule that leads to a finding.
#[derive(Debug)]
pub struct Story {
    /// What is found in it.
    pub finding: Finding,
    /// The schedule, as a person can read it.
    pub text: String,
    /// What happens in it, in order.
    pub events: String,
}

/// Makes a schedule that leads to a finding of this kind smaller, and tells what is left of it. Returns
/// `None` if the finding does not come again.
pub fn smallest<S: Step>(
    schedule: &Schedule<S>,
    kind: Kind,
    play: impl Fn(&Schedule<S>) -> Played,
) -> Option<Story> {
    // What is left out may uncover faults of other kinds.
    let is_of_kind = |finding: &Finding| finding.kind == kind;
    let small = shrink(schedule, |tried| play(tried).outcome.findings.iter().any(is_of_kind));
    let Played { outcome: Outcome { findings, is_at_end, .. }, events } = play(&small);
    let (first, others): (Vec<Finding>, Vec<Finding>) = findings.into_iter().partition(is_of_kind);
    let mut first = first.into_iter();
    let finding = first.next()?;
    let mut text = tell(&small, is_at_end);
    for other in first.chain(others).filter(|other| other.text != finding.text) {
        writeln!(text, "  also: {other}").expect("a text takes everything");
    }
    Some(Story { finding, text, events })
}

/// Tells what happens in a schedule. Steps have the numbers by which its events name them.
fn tell<S: Step>(Schedule { devices, steps, .. }: &Schedule<S>, is_at_end: bool) -> String {
    let count = steps.len();
    let noun = if count == 1 { "step" } else { "steps" };
    let mut text = format!("  with {devices} devices and {count} {noun}:\n");
    for (number, step) in steps.iter().enumerate() {
        writeln!(text, "    {number}: {step}").expect("a text takes everything");
    }
    if is_at_end {
        writeln!(text, "    {}", S::END).expect("a text takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::schedule::Step;

    #[test]
    fn what_is_told_is_found_in_the_small_run() {
        let restarts = |schedule: &Schedule<Step>| {
            schedule.steps.iter().filter(|step| matches!(step, Step::Reopen { .. })).count()
        };
        let play = |schedule: &Schedule<Step>| {
            let text = format!("{} restarts", restarts(schedule));
            let findings = match restarts(schedule) {
                0 => vec![],
                _ => vec![Finding { kind: Kind::Lost, text }],
            };
            Played {
                outcome: Outcome { findings, is_at_end: true, requests: 0 },
                events: String::new(),
            }
        };
        let schedule = Schedule::<Step>::draw(1);
        assert!(restarts(&schedule) > 1);
        let story = smallest(&schedule, Kind::Lost, play).unwrap();
        assert_eq!(story.finding.text, "1 restarts");
        assert!(story.text.contains("and 1 step:\n    0: the process of d"), "{}", story.text);
        assert!(story.text.contains("then the primary and all devices"), "{}", story.text);
    }
}
