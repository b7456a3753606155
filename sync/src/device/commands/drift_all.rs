//! `drift --all`: compares every pair of a project's workspaces.
//!
//! Fifty workspaces are 1,225 pairs. So each workspace is scanned once, and compared once with each base that it
//! has with others; the pairs are then compared by what was changed. No report is recorded: what a pair of other
//! workspaces did is for them to say, and a thousand rows at a time would fill the primary.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use fastest_core::compare::overlap::{Edits, Judge, Overlap};
use fastest_core::object::error::StoreError;
use fastest_core::object::id::TreeId;
use fastest_core::object::memory::ScratchObjects;
use fastest_core::object::source::ObjectSource;
use fastest_core::worktree::state_dir::JOURNAL;
use fastest_schema::tables::projects::Project;
use fastest_schema::tables::workspaces::Workspace;
use rayon::prelude::*;

use crate::device::activity::Activity;
use crate::device::commands::bases::{Base, Bases};
use crate::device::commands::neighbours::{Look, State};
use crate::device::commands::status::ScratchStore;
use crate::device::commands::unsaved::Unsaved;
use crate::device::open::{OpenDevice, Refreshed};
use crate::device::path::show_all;
use crate::device::report::{DriftMatrix, DriftPair, DriftWorkspace};
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::rows::projects::Projects;

/// The most paths in each list of a pair. The counts are always complete.
const PATHS_MAX: usize = 20;

/// The most files that are named in the warning about files that could not be read.
const UNREAD_MAX: usize = 10;

/// Two states, by their positions, and what they started from.
struct Pair {
    ours: usize,
    theirs: usize,
    base: Base,
}

/// What a tree changed since a base, by both.
type Known = HashMap<(TreeId, TreeId), Arc<Edits>>;

impl OpenDevice {
    /// See [`Device::drift_all`](crate::Device::drift_all).
    pub(crate) async fn drift_all(
        &mut self,
        copy: &WorkingCopy,
        committed: bool,
        activity: &Activity,
    ) -> Result<DriftMatrix, SyncError> {
        let mut warnings =
            if copy.state().has(JOURNAL) { self.enter(copy)?.1 } else { self.take_notices() };
        let Refreshed { offline, notices, .. } = self.refresh(&copy.project_id.scope()).await?;
        warnings.extend(notices);
        let project = self.project_of(copy)?;
        let looking = ScratchStore::new(&self.store);
        let scratch = ScratchObjects::over(&looking);
        let unsaved = Unsaved::over(&scratch, &self.store);
        let look = Look { looking: &looking, scratch: &scratch, unsaved: &unsaved, activity };
        let own = (copy, committed);
        let states = self.states(&project, own, &look, &mut warnings)?;
        activity.begin("Comparing");
        let mut bases = Bases::new(self, &project.id, &scratch);
        let pairs = pairs(&states, &mut bases)?;
        self.check_bases(&states, &pairs)?;
        let known = self.known_edits(&states, &pairs, &scratch)?;
        let judge = Judge::new(&unsaved);
        let compared =
            pairs.par_iter().map(|pair| compare(pair, &states, &known, &judge, &scratch));
        let compared = compared.collect::<Result<Vec<_>, StoreError>>()?;
        let (mut rows, unread): (Vec<_>, Vec<_>) = compared.into_iter().unzip();
        warnings.extend(unread_warning(unread.into_iter().flatten().collect()));
        rows.sort_by_cached_key(|row| Reverse(badness(row)));
        let workspaces = states.into_iter().map(workspace_report).collect();
        Ok(DriftMatrix { project: project.name, workspaces, pairs: rows, offline, warnings })
    }

    /// Returns the states of all workspaces: the current one first, the main one last. Leaves out those that
    /// have more paths than can be compared.
    fn states(
        &self,
        project: &Project,
        (copy, committed): (&WorkingCopy, bool),
        look: &Look<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<State>, SyncError> {
        let mut rows = Projects(self.replica.read()).workspaces(&project.id)?;
        let is_main = |row: &Workspace| project.main_workspace_id.as_ref() == Some(&row.id);
        rows.sort_by_key(|row| (row.id != copy.workspace_id, is_main(row)));
        let mut states: Vec<State> = Vec::new();
        let mut beside = None;
        for row in rows {
            let saved = self.saved_state(row)?;
            if let Some(head) = &saved.head {
                match self.check_extent(head, &saved.tree, beside.as_ref()) {
                    Err(error @ SyncError::TooManyPaths { .. }) => {
                        let name = &saved.workspace.name;
                        warnings.push(format!("workspace {name} is left out: {error}"));
                        continue;
                    }
                    checked => checked?,
                }
                beside.get_or_insert(saved.tree);
            }
            states.push(if committed {
                saved
            } else {
                let own = (saved.workspace.id == copy.workspace_id).then_some(copy);
                self.state_next_door(saved, own, look, warnings)?
            });
        }
        Ok(states)
    }

    /// Refuses a base that has more paths than can be compared.
    fn check_bases(&self, states: &[State], pairs: &[Pair]) -> Result<(), SyncError> {
        let mut checked = BTreeSet::new();
        for pair in pairs {
            let Base::Snapshot(id, tree) = &pair.base else { continue };
            if checked.insert(id) {
                let beside =
                    self.tree_at(states[pair.ours].workspace.current_snapshot_id.as_ref())?;
                self.check_extent(id, tree, Some(&beside))?;
            }
        }
        Ok(())
    }

    /// Compares each state with each of its bases, once.
    fn known_edits(
        &self,
        states: &[State],
        pairs: &[Pair],
        source: &dyn ObjectSource,
    ) -> Result<Known, SyncError> {
        let mut wanted = BTreeSet::new();
        for pair in pairs {
            let Some(base) = pair.base.tree() else { continue };
            wanted.insert((*base, states[pair.ours].tree));
            wanted.insert((*base, states[pair.theirs].tree));
        }
        let found = wanted
            .into_par_iter()
            .map(|(base, tree)| Ok(((base, tree), Arc::new(Edits::since(&base, &tree, source)?))));
        Ok(found.collect::<Result<Known, StoreError>>()?)
    }
}

/// Returns every pair of states, with its base.
fn pairs(states: &[State], bases: &mut Bases<'_>) -> Result<Vec<Pair>, SyncError> {
    let mut pairs = Vec::new();
    for ours in 0..states.len() {
        for theirs in ours + 1..states.len() {
            let base = bases.of(states[ours].head.as_ref(), states[theirs].head.as_ref())?;
            pairs.push(Pair { ours, theirs, base });
        }
    }
    Ok(pairs)
}

/// Compares two states. Returns the paths that could not be read, too.
fn compare(
    pair: &Pair,
    states: &[State],
    known: &Known,
    judge: &Judge<'_>,
    source: &dyn ObjectSource,
) -> Result<(DriftPair, Vec<Vec<u8>>), StoreError> {
    let [ours, theirs] = [&states[pair.ours], &states[pair.theirs]];
    let overlap = match pair.base.tree() {
        Some(base) => judge.overlap(&known[&(*base, ours.tree)], &known[&(*base, theirs.tree)])?,
        None => {
            let [ours, theirs] = Edits::of_unrelated(&ours.tree, &theirs.tree, source)?;
            judge.overlap(&ours, &theirs)?
        }
    };
    let Overlap { paths, conflicting, .. } = &overlap;
    let first = |paths: &[Vec<u8>]| show_all(&paths[..paths.len().min(PATHS_MAX)]);
    let row = DriftPair {
        ours: ours.workspace.name.clone(),
        ours_id: ours.workspace.id.clone(),
        theirs: theirs.workspace.name.clone(),
        theirs_id: theirs.workspace.id.clone(),
        base_snapshot_id: pair.base.snapshot_id().cloned(),
        common_base: pair.base != Base::None,
        differs: !overlap.is_same,
        ours_changed: overlap.ours.total(),
        theirs_changed: overlap.theirs.total(),
        overlaps: paths.len() as u64,
        conflicts: conflicting.len() as u64,
        overlap: first(paths),
        conflicting: first(conflicting),
        unsaved_seen: ours.root.is_some() && theirs.root.is_some(),
    };
    Ok((row, overlap.unread))
}

/// The greater, the worse.
fn badness(row: &DriftPair) -> (u64, u64, u64, bool) {
    (row.conflicts, row.overlaps, row.ours_changed + row.theirs_changed, row.differs)
}

/// Returns a warning about files that could not be read.
pub(crate) fn unread_warning(unread: BTreeSet<Vec<u8>>) -> Option<String> {
    if unread.is_empty() {
        return None;
    }
    let first: Vec<Vec<u8>> = unread.iter().take(UNREAD_MAX).cloned().collect();
    let more = if unread.len() > first.len() { ", and others" } else { "" };
    let (named, count) = (show_all(&first).join(", "), unread.len());
    let [are, each] = if count == 1 { ["is", "counts"] } else { ["are", "count"] };
    Some(format!("what {are} in {named}{more} could not be read, and {each} as a conflict"))
}

fn workspace_report(state: State) -> DriftWorkspace {
    DriftWorkspace {
        id: state.workspace.id,
        name: state.workspace.name,
        snapshot_id: state.head,
        path: state.root.map(|root| root.display().to_string()),
        dirty: state.is_dirty,
    }
}
