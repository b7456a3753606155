//! Scans of a working copy, for the commands that compare or save it.

use std::path::Path;

use fastest_core::object::id::TreeId;
use fastest_core::object::item::Root;
use fastest_core::object::source::ObjectSink;
use fastest_core::progress::Progress;
use fastest_core::worktree::database::{Database, Databases};
use fastest_core::worktree::git::Git;
use fastest_core::worktree::scan::context::{IndexUse, Selection};
use fastest_core::worktree::scan::report::Skipped;
use fastest_core::worktree::stat_index::{IndexState, StatIndex};
use fastest_core::worktree::state_dir::StateDir;
use fastest_core::worktree::{left, scan};

use crate::device::app_databases::AppDatabases;
use crate::device::left::left_notice;
use crate::device::open::OpenDevice;
use crate::device::path::show;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;

/// The result of a scan, with messages for reports.
pub(crate) struct Scanned {
    /// The tree.
    pub root: Root,
    /// The new stat index, if it differs.
    pub index: Option<StatIndex>,
    /// What was skipped, each with the reason.
    pub skipped: Vec<String>,
    /// What the user should know, including what was skipped.
    pub warnings: Vec<String>,
    /// SQLite databases with files beside them, such as a WAL.
    pub databases: Vec<Database>,
    /// Ignore files that cannot be used, each with the reason.
    pub unknown_rules: Vec<String>,
}

/// The parameters of a scan.
pub(crate) struct ScanJob<'a> {
    pub root: &'a Path,
    pub index: &'a StatIndex,
    pub index_use: IndexUse,
    /// The tree of the copy's head.
    pub head: Option<TreeId>,
    /// Paths to untrack.
    pub untrack: &'a [Vec<u8>],
}

impl OpenDevice {
    /// Scans a working copy, and passes new objects to `sink`.
    pub(crate) fn scan(
        &self,
        job: &ScanJob<'_>,
        sink: &dyn ObjectSink,
        progress: &Progress,
    ) -> Result<Scanned, SyncError> {
        let ScanJob { root, index, index_use, head, untrack } = *job;
        let git = Git::of(root, &self.git_settings);
        let state = StateDir::of(root);
        let left = left::load(&state).map_err(SyncError::io("read", state.left()))?;
        let (source, databases) = (&self.store, Some(&AppDatabases as &dyn Databases));
        let selection = Selection { head, source, git: &git, untrack, left: &left, databases };
        let found = scan::run::scan(root, index, selection, sink, index_use, progress)?;
        let unknown_rules = git.unknown_rules().iter().chain(&found.unknown_rules);
        let passed_over = found.skipped.iter().map(|skipped| {
            let (path, why) = (show_path(root, skipped), &skipped.why);
            if why.is_unsaved_content() {
                format!(
                    "{path} is not saved: {why}; of what was saved before, the last version stays; \
                     to leave it out for good, run `fastest untrack {path}`"
                )
            } else {
                format!("skipped {path}: {why}")
            }
        });
        let in_the_way = left.iter().map(left_notice);
        let warnings = found.warnings.iter().map(ToString::to_string).chain(in_the_way);
        Ok(Scanned {
            warnings: warnings.chain(passed_over).collect(),
            skipped: found
                .skipped
                .iter()
                .map(|skipped| format!("{} ({})", show_path(root, skipped), skipped.why))
                .collect(),
            unknown_rules: unknown_rules.map(ToString::to_string).collect(),
            databases: found.databases,
            root: found.root,
            index: found.index,
        })
    }
}

fn show_path(root: &Path, skipped: &Skipped) -> String {
    let path = skipped.path.strip_prefix(root).unwrap_or(&skipped.path);
    show(path.as_os_str().as_encoded_bytes())
}

/// Returns the stat index of a working copy, and a warning if it was damaged.
pub(crate) fn load_index(copy: &WorkingCopy) -> Result<(StatIndex, Vec<String>), SyncError> {
    let (index, state) = StatIndex::load(&copy.state())?;
    let warning = match state {
        IndexState::Damaged => Some(
            "the stat index was not whole, as after a power failure; every file was read again",
        ),
        IndexState::Good | IndexState::Absent | IndexState::OtherVersion(_) => None,
    };
    Ok((index, warning.map(str::to_owned).into_iter().collect()))
}
