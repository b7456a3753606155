//! `diff`: shows how two states of a project differ, line by line.
//!
//! First the list of files is made, with renames. Then the contents are compared, and each file is passed on
//! before the next ones are read. So a caller can show progress during the first part, and need not hold
//! everything during the second.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastest_core::compare::changes::{Scope, changes};
use fastest_core::compare::content::{Contents, compare_contents, rename};
use fastest_core::compare::extent::extent;
use fastest_core::compare::merge_base::merge_base;
use fastest_core::compare::renames::Rules;
use fastest_core::object::id::TreeId;
use fastest_core::object::memory::ScratchObjects;
use fastest_core::object::source::{Object, ObjectSource};
use fastest_core::object::tree::format::empty_directory;
use fastest_core::object::tree::read::find;
use fastest_core::worktree::contents::{ContentsError, CopyContents};
use fastest_core::worktree::state_dir::JOURNAL;
use fastest_schema::SnapshotId;
use fastest_schema::tables::workspaces::Snapshot;

use crate::device::activity::Activity;
use crate::device::commands::pull::Known;
use crate::device::commands::status::ScratchStore;
use crate::device::diff::{
    Body, Change, Comparison, DiffRequest, Limits, States, Version, states_report,
};
use crate::device::open::OpenDevice;
use crate::device::path::{show, within};
use crate::device::report::DiffState;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;

/// The name of the working copy's state.
const COPY: &str = "working copy";

/// A state to compare.
struct State {
    name: String,
    snapshot_id: Option<SnapshotId>,
    tree: TreeId,
}

impl State {
    fn of(name: &str, snapshot: Snapshot) -> Result<Self, SyncError> {
        let tree = tree_of(&snapshot)?;
        Ok(Self { name: name.to_owned(), snapshot_id: Some(snapshot.id), tree })
    }
}

impl From<&State> for DiffState {
    fn from(State { name, snapshot_id, tree }: &State) -> Self {
        let (name, snapshot_id) = (name.clone(), snapshot_id.clone());
        Self { name, snapshot_id, manifest_hash: tree.to_hex() }
    }
}

/// Two states to compare, and where their trees are.
struct Pair<'a> {
    old: State,
    new: State,
    source: &'a dyn ObjectSource,
    /// The root of the working copy, if it is the new state.
    root: Option<PathBuf>,
}

impl OpenDevice {
    /// See [`Device::diff`](crate::Device::diff).
    pub(crate) fn diff(
        &mut self,
        copy: &WorkingCopy,
        request: &DiffRequest,
        activity: &Activity,
    ) -> Result<Comparison, SyncError> {
        let mut warnings =
            if copy.state().has(JOURNAL) { self.enter(copy)?.1 } else { self.take_notices() };
        self.workspace_of(copy)?;
        let (mut comparison, skipped) = match &request.states {
            States::Copy { since } => {
                let (old, head, lost) = self.state_or_head(copy, since.as_deref())?;
                warnings.extend(lost);
                let looking = ScratchStore::new(&self.store);
                let looked = self.look(copy, &head, &looking, activity)?;
                warnings.extend(looked.warnings);
                let name = COPY.to_owned();
                let new = State { name, snapshot_id: None, tree: looked.root.id };
                let root = Some(copy.root().to_owned());
                let pair = Pair { old, new, source: &looking, root };
                (self.compare(copy, request, pair, activity)?, looked.skipped)
            }
            States::Two { old, new } => {
                let [old, new] = [self.state(copy, old)?, self.state(copy, new)?];
                let pair = Pair { old, new, source: &self.store, root: None };
                (self.compare(copy, request, pair, activity)?, Vec::new())
            }
            States::SinceBase { theirs, new } => {
                let scratch = ScratchObjects::over(&self.store);
                let [theirs, new] = [self.state(copy, theirs)?, self.state(copy, new)?];
                let old = self.base_of(copy, &theirs, &new, &scratch)?;
                let pair = Pair { old, new, source: &scratch, root: None };
                let comparison = self.compare(copy, request, pair, activity)?;
                (Comparison { merged: scratch.above(), ..comparison }, Vec::new())
            }
        };
        (comparison.report.warnings, comparison.report.skipped) = (warnings, skipped);
        Ok(comparison)
    }

    fn state(&self, copy: &WorkingCopy, name: &str) -> Result<State, SyncError> {
        State::of(name, self.named_state(copy, name)?)
    }

    /// Returns the named state, or else that of the head; the tree of the head; and a notice about the
    /// head. A copy without a snapshot follows an empty tree.
    fn state_or_head(
        &self,
        copy: &WorkingCopy,
        name: Option<&str>,
    ) -> Result<(State, TreeId, Option<String>), SyncError> {
        let (head, lost) = self.head_of(copy)?;
        let tree = match &head {
            Some(head) => tree_of(&self.snapshot_row(head)?)?,
            None => empty_directory(),
        };
        let state = match name {
            Some(name) => self.state(copy, name)?,
            None => State { name: "@".to_owned(), snapshot_id: head, tree },
        };
        Ok((state, tree, lost))
    }

    /// Returns the state from which two parted. Several bases are merged into one in memory.
    fn base_of(
        &self,
        copy: &WorkingCopy,
        theirs: &State,
        new: &State,
        scratch: &ScratchObjects<'_>,
    ) -> Result<State, SyncError> {
        let unrelated =
            || SyncError::Unrelated { ours: new.name.clone(), theirs: theirs.name.clone() };
        let (Some(a), Some(b)) = (&theirs.snapshot_id, &new.snapshot_id) else {
            return Err(unrelated());
        };
        let known = Known(self, &copy.project_id);
        let base = merge_base(&known, a.as_str(), b.as_str(), scratch)?;
        let name = format!("base of {} and {}", theirs.name, new.name);
        Ok(State { name, snapshot_id: None, tree: base.ok_or_else(unrelated)? })
    }

    /// Lists what differs, with renames.
    fn compare(
        &self,
        copy: &WorkingCopy,
        request: &DiffRequest,
        pair: Pair<'_>,
        activity: &Activity,
    ) -> Result<Comparison, SyncError> {
        activity.begin("Comparing");
        let Pair { old, new, source, root } = pair;
        for (from, to) in [(&old, &new), (&new, &old)] {
            // Either direction bounds the paths that only one side has.
            if extent(Some(&from.tree), &to.tree, source)?.is_excessive() {
                let snapshot = to.snapshot_id.clone().or(from.snapshot_id.clone());
                return Err(SyncError::TooManyPaths { snapshot: snapshot.unwrap_or_default() });
            }
        }
        let scope = scope(copy, request, &old, &new, source)?;
        let mut found = changes(&old.tree, &new.tree, &scope, source)?;
        let contents = Reading::of(source, root.as_deref())?;
        let skipped = rename(&mut found, Rules::default(), &contents)?;
        let states = [DiffState::from(&old), DiffState::from(&new)];
        let report = states_report(states, &found.folders, skipped);
        Ok(Comparison { report, changes: found.files, root, merged: Arc::default() })
    }

    /// See [`Device::diff_contents`](crate::Device::diff_contents).
    pub(crate) fn diff_contents<E: From<SyncError>>(
        &self,
        comparison: &Comparison,
        limits: Limits,
        deliver: impl FnMut(&Change, &Body) -> Result<(), E>,
    ) -> Result<(), E> {
        let source = ScratchObjects::with(&self.store, Arc::clone(&comparison.merged));
        let contents = Reading::of(&source, comparison.root.as_deref())?;
        compare_contents(&comparison.changes, &contents, limits, deliver)
    }

    /// See [`Device::diff_content`](crate::Device::diff_content).
    pub(crate) fn diff_content(
        &self,
        comparison: &Comparison,
        version: &Version,
    ) -> Result<Option<Object>, SyncError> {
        let source = ScratchObjects::with(&self.store, Arc::clone(&comparison.merged));
        Reading::of(&source, comparison.root.as_deref())?.content(version)
    }
}

/// Reads the paths of a request. Each must be in one of the states.
fn scope(
    copy: &WorkingCopy,
    request: &DiffRequest,
    old: &State,
    new: &State,
    source: &dyn ObjectSource,
) -> Result<Scope, SyncError> {
    let mut paths = Vec::new();
    for path in &request.paths {
        let relative = within(copy.root(), &request.base, path)?;
        let parts: Vec<&[u8]> =
            relative.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).collect();
        let is_in =
            |state: &State| Ok::<_, SyncError>(find(&state.tree, &parts, source)?.is_some());
        if !parts.is_empty() && !is_in(old)? && !is_in(new)? {
            let path = show(path.as_os_str().as_bytes());
            let of = |state: &State| match state.snapshot_id {
                None if state.name == COPY => format!("the {COPY}"),
                _ => state.name.clone(),
            };
            return Err(SyncError::NoPathInEither { path, old: of(old), new: of(new) });
        }
        paths.push(relative);
    }
    Ok(Scope::of(paths))
}

/// Contents, with the errors of commands.
struct Reading<'a>(CopyContents<'a>);

impl<'a> Reading<'a> {
    fn of(source: &'a dyn ObjectSource, root: Option<&Path>) -> Result<Self, SyncError> {
        let contents = CopyContents::of(source, root);
        contents.map(Self).map_err(SyncError::io("open", root.unwrap_or(Path::new("."))))
    }
}

impl Contents for Reading<'_> {
    type Error = SyncError;

    fn content(&self, version: &Version) -> Result<Option<Object>, SyncError> {
        self.0.content(version).map_err(|error| match error {
            ContentsError::Store(error) => SyncError::Store(error),
            ContentsError::Changed { path } => SyncError::ChangedMeanwhile { path: show(&path) },
            ContentsError::Unreadable { path, source } => {
                SyncError::Io { action: "read", path: show(&path).into(), source }
            }
        })
    }
}
