//! What `fastest diff` compares, and what it finds.

use std::path::PathBuf;
use std::sync::Arc;

use fastest_core::compare::changes::EmptyFolder;
use fastest_core::compare::renames::Skipped;
use fastest_core::object::memory::MemoryObjects;

use crate::device::path::show;
use crate::device::report::{DiffFolder, DiffReport, DiffState, SkippedRenames};

pub use fastest_core::compare::changes::{Change, Version};
pub use fastest_core::compare::content::Limits;
pub use fastest_core::compare::merge::Side;
pub use fastest_core::compare::text::patch::{self, Body};
pub use fastest_core::compare::text::words;
pub use fastest_core::compare::text::{Hunk, Line, Origin, TextDiff};
pub use fastest_core::object::item::Kind as FileKind;

/// The two states to compare. A state is named as a snapshot is, or by its workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum States {
    /// The working copy with a state, or else with its head.
    Copy {
        /// The old state.
        since: Option<String>,
    },
    /// One state with another.
    Two {
        /// The old state.
        old: String,
        /// The new state.
        new: String,
    },
    /// The state from which two parted, with the second of them.
    SinceBase {
        /// The other state.
        theirs: String,
        /// The new state.
        new: String,
    },
}

impl States {
    /// Reads the states of a command line. `A...B` is one argument; a side that is left out is `@`.
    pub fn of(a: Option<&str>, b: Option<&str>) -> Self {
        if let (Some(a), None) = (a, b)
            && let Some((theirs, new)) = a.split_once("...")
        {
            let side = |name: &str| if name.is_empty() { "@".to_owned() } else { name.to_owned() };
            return Self::SinceBase { theirs: side(theirs), new: side(new) };
        }
        match (a.map(str::to_owned), b.map(str::to_owned)) {
            (Some(old), Some(new)) => Self::Two { old, new },
            (since, new) => Self::Copy { since: since.or(new) },
        }
    }
}

/// What to compare.
#[derive(Debug, Clone)]
pub struct DiffRequest {
    /// The states.
    pub states: States,
    /// The folder that relative paths start from.
    pub base: PathBuf,
    /// The paths to compare, each with everything below; without any, everything.
    pub paths: Vec<PathBuf>,
}

/// How two states differ, before their contents are compared.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The states, and what differs besides files.
    pub report: DiffReport,
    /// The files that differ, sorted by path.
    pub changes: Vec<Change>,
    /// The root of the working copy, if that is one of the states.
    pub(crate) root: Option<PathBuf>,
    /// What a base has that was merged from several, and is stored nowhere.
    pub(crate) merged: Arc<MemoryObjects>,
}

impl Comparison {
    /// Returns whether anything differs.
    pub fn differs(&self) -> bool {
        !self.changes.is_empty() || !self.report.folders.is_empty()
    }
}

/// Returns the report of a comparison, without its files.
pub(crate) fn states_report(
    [old, new]: [DiffState; 2],
    folders: &[EmptyFolder],
    skipped_renames: Option<Skipped>,
) -> DiffReport {
    let folder =
        |folder: &EmptyFolder| DiffFolder { path: show(&folder.path), is_added: folder.is_added };
    DiffReport {
        old,
        new,
        folders: folders.iter().map(folder).collect(),
        skipped_renames: skipped_renames.map(|skipped| SkippedRenames {
            deleted: skipped.deleted as u64,
            added: skipped.added as u64,
        }),
        ..DiffReport::default()
    }
}

#[cfg(test)]
mod tests {
    use super::States;

    #[test]
    fn three_dots_mean_the_base() {
        let base = |theirs: &str, new: &str| States::SinceBase {
            theirs: theirs.to_owned(),
            new: new.to_owned(),
        };
        assert_eq!(States::of(Some("main...bob"), None), base("main", "bob"));
        assert_eq!(States::of(Some("main..."), None), base("main", "@"));
        assert_eq!(States::of(Some("...bob"), None), base("@", "bob"));
        assert_eq!(States::of(None, None), States::Copy { since: None });
        let two = States::Two { old: "a...b".to_owned(), new: "c".to_owned() };
        assert_eq!(States::of(Some("a...b"), Some("c")), two);
    }
}
