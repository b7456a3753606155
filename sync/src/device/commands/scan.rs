//! Scans of a working copy, for the commands that compare or save it.

use std::path::Path;

use fastest_core::object::error::StoreError;
use fastest_core::object::id::TreeId;
use fastest_core::object::item::Root;
use fastest_core::object::memory::KeptNodes;
use fastest_core::object::source::{ObjectSink, ObjectSource};
use fastest_core::object::tree::conflicts::{Conflict, ConflictId, Form, read_conflicts};
use fastest_core::progress::Progress;
use fastest_core::worktree::contents::CopyContents;
use fastest_core::worktree::database::{Database, Databases};
use fastest_core::worktree::git::Git;
use fastest_core::worktree::open_conflicts::{Carried, carry};
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
use crate::rows::snapshots::Snapshots;

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
    /// The conflicts of the head that are open, sorted by path.
    pub open: Vec<Conflict>,
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
    /// Conflicts that the folder has again since a restore.
    pub brought_back: &'a [Conflict],
    /// Conflicts that the user has settled.
    pub settled: &'a [(Vec<u8>, ConflictId)],
}

impl OpenDevice {
    /// Scans a working copy, and passes new objects to `sink`.
    pub(crate) fn scan(
        &self,
        job: &ScanJob<'_>,
        sink: &dyn ObjectSink,
        progress: &Progress,
    ) -> Result<Scanned, SyncError> {
        let ScanJob { root, index, index_use, head, untrack, brought_back, settled } = *job;
        let git = Git::of(root, &self.git_settings);
        let state = StateDir::of(root);
        let left = left::load(&state).map_err(SyncError::io("read", state.left()))?;
        let (source, databases) = (&self.store, Some(&AppDatabases as &dyn Databases));
        let selection = Selection { head, source, git: &git, untrack, left: &left, databases };
        let (mut before, lost) = match head {
            Some(head) => self.conflicts_of(&head)?,
            None => (Vec::new(), None),
        };
        let is_listed = |it: &Conflict| before.iter().any(|other| other.is(&it.path, it.id()));
        let more: Vec<_> = brought_back.iter().filter(|it| !is_listed(it)).cloned().collect();
        before.extend(more);
        let has_conflicts = !before.is_empty() || self.has_conflicts(index, head)?;
        let kept = KeptNodes::of(&self.store, sink);
        // Only a tree with conflicts is read before it is stored.
        let sink = if has_conflicts { &kept } else { sink };
        let found = scan::run::scan(root, index, selection, sink, index_use, progress)?;
        let carried = if has_conflicts {
            let contents = CopyContents::of(&self.store, Some(root));
            let contents = contents.map_err(SyncError::io("open", root))?;
            carry(head.as_ref(), before, settled, &found.root.id, (&kept, &kept), &contents)?
        } else {
            Carried { root: found.root, open: Vec::new(), settled: Vec::new() }
        };
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
        let by_command = |it: &Conflict| settled.iter().any(|(path, id)| it.is(path, *id));
        let is_told = |it: &&Conflict| !by_command(it) && !brought_back.contains(it);
        let by_hand = carried.settled.iter().filter(is_told);
        let gone = by_hand.map(|conflict| {
            let why = match conflict.form {
                Form::Markers => "its markers are gone",
                Form::Beside { .. } => "theirs is not beside it any more",
                Form::Kept => "it is gone",
            };
            format!("the conflict in {} counts as settled: {why}", show(&conflict.path))
        });
        Ok(Scanned {
            warnings: lost.into_iter().chain(warnings).chain(passed_over).chain(gone).collect(),
            skipped: found
                .skipped
                .iter()
                .map(|skipped| format!("{} ({})", show_path(root, skipped), skipped.why))
                .collect(),
            unknown_rules: unknown_rules.map(ToString::to_string).collect(),
            databases: found.databases,
            root: carried.root,
            open: carried.open,
            index: found.index,
        })
    }
}

impl OpenDevice {
    /// Returns the conflicts of a head. If the store has lost its tree, the scan makes it again without them,
    /// and the user is told if there were any.
    pub(crate) fn conflicts_of(
        &self,
        head: &TreeId,
    ) -> Result<(Vec<Conflict>, Option<String>), SyncError> {
        let lost = match read_conflicts(head, &self.store) {
            Err(StoreError::Missing { .. }) => Snapshots(self.replica.read()).conflicts_in(head)?,
            found => return Ok((found?, None)),
        };
        let told = lost.map(|number| {
            format!(
                "the store has lost which files are in conflict ({number}): look for markers and for files \
                 named `.conflict-` before you push; `fastest pull` fetches it if it was pushed"
            )
        });
        Ok((Vec::new(), told))
    }

    /// Returns whether the tree of a stat index lists conflicts, which may be settled by now. A scan that
    /// finds nothing new returns that tree.
    fn has_conflicts(&self, index: &StatIndex, head: Option<TreeId>) -> Result<bool, SyncError> {
        let tree = index.root().map(|root| root.id).filter(|id| Some(*id) != head);
        Ok(match tree {
            Some(tree) if ObjectSource::has(&self.store, &tree.into())? => {
                !read_conflicts(&tree, &self.store)?.is_empty()
            }
            _ => false,
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
