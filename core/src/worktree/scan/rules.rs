//! The ignore rules of a directory: today's, and those of the head.

use crate::worktree::ignore_rules::{IgnoreRules, IgnoredBy};

/// Today's rules and the head's.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    pub(super) today: IgnoreRules,
    /// `None` if they are the same.
    pub(super) head: Option<IgnoreRules>,
}

impl Rules {
    pub(super) fn new(today: IgnoreRules) -> Self {
        Self { today, head: None }
    }

    /// Returns the head's rules, if they differ from today's.
    pub(super) fn head_if_other(&self) -> Option<&IgnoreRules> {
        self.head.as_ref()
    }
}

/// States that a directory or file is ignored, and is content anyway or may have content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ignored {
    /// Where the rule is that ignores it.
    pub(super) by: IgnoredBy,
    /// Whether the head has it, and it is not newly ignored.
    pub(super) stays: bool,
}
