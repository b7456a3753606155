//! A schedule: what a run does, as data. It is drawn from a seed, and parts of it can be left out.

use std::fmt::{Debug, Display, Formatter, Result};

use crate::network::Planned;

/// What a run does.
#[derive(Debug, Clone)]
pub struct Schedule<S> {
    /// Determines the ids, waits and clocks of all parties.
    pub seed: u64,
    /// The number of devices.
    pub devices: u8,
    /// What happens, in order.
    pub steps: Vec<S>,
}

/// One thing that happens. Shown, it is a sentence of the story.
pub trait Step: Debug + Display + Clone {
    /// Returns how many parts can be left out.
    fn parts(&self) -> usize;

    /// Leaves a part out.
    fn leave_out(&mut self, part: usize);

    /// Whether runs of such steps watch the disk, of which a process has only one.
    const WATCHES_DISK: bool;

    /// What happens after the last step, as a sentence of the story.
    const END: &str;
}

/// The fewest and the most steps of a schedule.
pub const STEPS: std::ops::Range<usize> = 100..200;

/// Shows the faults of a command.
pub struct Faults<'a>(pub &'a [Planned]);

impl Display for Faults<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let show =
            |Planned { request, fault }: &Planned| write!(f, ", request {request}: {fault:?}");
        self.0.iter().try_for_each(show)
    }
}

/// How wrong a clock may be, in milliseconds.
pub const SKEWS: [i64; 7] = {
    let day = 86_400_000;
    [0, -1, 1, -30 * day, 30 * day, -4000 * day, 9000 * day]
};
