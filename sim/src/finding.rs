//! What a run finds, and what came of it.

use std::fmt;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something failed that may not fail.
    Failed,
    /// A command made too many requests.
    Requests,
    /// A device sees a value again that it has seen replaced.
    WentBack,
    /// A device has a row of another scope.
    Scope,
    /// A transaction is there in part.
    Torn,
    /// An acknowledged write is lost.
    Lost,
    /// An acknowledged delete is undone.
    Undone,
    /// Something still waits in the end, or the devices never agree.
    Unsettled,
    /// Rows wait after a push that sent everything.
    Waits,
    /// A device has something else than the primary.
    Differs,
    /// Files are in conflict that nobody else changed.
    Conflict,
    /// A check of the store or the primary finds something wrong.
    Damaged,
    /// The engine, or the simulator, panics.
    Panicked,
}

/// Something that is wrong.
#[derive(Debug, Clone)]
pub struct Finding {
    /// In what way.
    pub kind: Kind,
    /// In detail.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What came of a schedule.
#[derive(Debug)]
pub struct Outcome {
    /// What is wrong. None if all is well.
    pub findings: Vec<Finding>,
    /// Whether the steps of the schedule went well, so that the end of the run followed.
    pub is_at_end: bool,
    /// How many requests were made.
    pub requests: u64,
}

/// What came of a schedule, and what happened in it, in order.
#[derive(Debug)]
pub struct Played {
    pub outcome: Outcome,
    pub events: String,
}
