//! The ignore rules that hold in a directory: today's, and those of the head.

use crate::worktree::ignore_rules::{IgnoreRules, IgnoredBy};

/// Today's rules and the head's.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    pub(super) today: IgnoreRules,
    /// `None` where they are the same.
    pub(super) head: Option<IgnoreRules>,
}

impl Rules {
    pub(super) fn new(today: IgnoreRules) -> Self {
        Self { today, head: None }
    }

    /// The head's, where they are not today's.
    pub(super) fn head_if_other(&self) -> Option<&IgnoreRules> {
        self.head.as_ref()
    }
}

/// That a directory or file is content though rules ignore it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ignored {
    /// What ignores it.
    pub(super) by: IgnoredBy,
    /// Whether the head holds it, and it is not newly ignored.
    pub(super) stays: bool,
}
