//! What a run finds.

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
    /// A device has other rows than the primary.
    Differs,
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
