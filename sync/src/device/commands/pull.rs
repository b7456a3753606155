//! `pull`: brings another workspace's head into a working copy.

use std::collections::HashSet;

use fastest_core::compare::ancestry::{Ancestry, History};
use fastest_core::compare::drift::drift;
use fastest_core::compare::drift::found::Drift;
use fastest_core::compare::merge::{Names, Sides, merge};
use fastest_core::compare::merge_base::merge_base;
use fastest_core::compare::parting::follows;
use fastest_core::object::id::TreeId;
use fastest_core::object::memory::ScratchObjects;
use fastest_core::object::tree::conflicts::{Conflict, Form, read_conflicts};
use fastest_core::object::tree::format::empty_directory;
use fastest_core::object::tree::read::find;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::checkout::run::execute;
use fastest_core::worktree::database::Database;
use fastest_core::worktree::left::{Left, is_in_left};
use fastest_core::worktree::stat_index::StatIndex;
use fastest_core::worktree::state_dir::JOURNAL;
use fastest_schema::tables::workspaces::{Merged, Snapshot, Workspace};
use fastest_schema::{Json, ProjectId, Row, RowKey, SnapshotId, WorkspaceId};

use crate::device::activity::Activity;
use crate::device::commands::purpose::{Captured, Purpose};
use crate::device::left::{but_for_left, left_in, left_notice, show_kept};
use crate::device::open::{OpenDevice, Refreshed};
use crate::device::path::{show, show_all};
use crate::device::report::{ConflictKind, ConflictReport, PullReport};
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::replica::error::ReplicaError;
use crate::replica::local::copies::Copies;
use crate::replica::local::held::Held;
use crate::replica::local::operations::{Change, Effect, Number};
use crate::replica::local::outbox::Outbox;
use crate::replica::local::sent_row::SentRow;
use crate::rows::snapshots::{Lineage, NewSnapshot, Snapshots};

/// The most past snapshots that are searched for a file that is in the way.
const PAST_SNAPSHOTS_MAX: i64 = 500;

/// A snapshot to bring into a working copy.
pub(crate) struct Incoming<'a> {
    /// The workspace that it comes from.
    pub workspace_id: &'a WorkspaceId,
    /// Its name.
    pub name: &'a str,
    /// The snapshot.
    pub head: &'a SnapshotId,
}

/// The outcome of [`OpenDevice::bring_in`].
#[derive(Default)]
pub(crate) struct BroughtIn {
    /// How the working copy changed.
    pub drift: Drift,
    /// Files that are in conflict now, and were not before.
    pub conflicts: Vec<Conflict>,
    /// Files that were left as they were found, and why. If there are any, the head has not moved:
    /// these files are not edits of the new tree, and must not be taken for edits.
    pub kept: Vec<(String, String)>,
    /// Paths that could not be brought, each with the reason. The head has moved nevertheless.
    pub left: Vec<Left>,
    /// Ignored files that the new tree lacks. They stay in the folder.
    pub untracked: Vec<Vec<u8>>,
    /// The snapshot that saved unsaved changes.
    pub safety_snapshot_id: Option<SnapshotId>,
    /// Whether there was nothing to bring in.
    pub up_to_date: bool,
    /// The operation that is open, and the tree that the files have now.
    pub operation: Option<(Number, TreeId)>,
    /// What the safety snapshot skipped, each with the reason.
    pub skipped: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// The outcome of moving a working copy to a tree.
pub(crate) struct CheckedOut {
    /// As [`BroughtIn::kept`].
    pub kept: Vec<(String, String)>,
    /// As [`BroughtIn::left`].
    pub left: Vec<Left>,
    /// As [`BroughtIn::untracked`].
    pub untracked: Vec<Vec<u8>>,
}

impl BroughtIn {
    /// Notes which operation this was. One that could not come to its end stays open, and is closed by the
    /// next command.
    fn note(&mut self, begun: Option<Number>, files: &TreeId) {
        self.operation = begun.filter(|_| self.kept.is_empty()).map(|number| (number, *files));
    }

    fn take(&mut self, CheckedOut { kept, left, untracked }: CheckedOut) {
        (self.kept, self.left, self.untracked) = (kept, left, untracked);
    }
}

impl OpenDevice {
    /// See [`Device::pull`](crate::Device::pull).
    pub(crate) async fn pull(
        &mut self,
        copy: &WorkingCopy,
        workspace: Option<&str>,
        activity: &Activity,
    ) -> Result<PullReport, SyncError> {
        let error = match self.pull_once(copy, workspace, activity).await {
            Err(error) if error.is_of_damaged_store() => error,
            done => return done,
        };
        let dropped = self.drop_damaged_packs(activity)?;
        if dropped == 0 {
            return Err(error);
        }
        let mut report = self.pull_once(copy, workspace, activity).await?;
        let packs = if dropped == 1 { "1 pack".to_owned() } else { format!("{dropped} packs") };
        report.warnings.insert(0, format!("{packs} of this store, damaged or gone, came again"));
        Ok(report)
    }

    async fn pull_once(
        &mut self,
        copy: &WorkingCopy,
        workspace: Option<&str>,
        activity: &Activity,
    ) -> Result<PullReport, SyncError> {
        let (_lock, mut warnings) = self.enter(copy)?;
        activity.begin("Receiving");
        let Refreshed { offline, notices, traffic } =
            self.refresh(&copy.project_id.scope()).await?;
        warnings.extend(notices);
        let held = Held(self.replica.read()).of(Some(&copy.project_id.scope()))?;
        warnings.extend(held.iter().map(ToString::to_string));
        let project = self.project_of(copy)?;
        let from = self.named_workspace(&project, workspace)?;
        let mut report = PullReport {
            from: from.name.clone(),
            offline,
            requests: traffic.requests,
            bytes_received: traffic.bytes_received,
            warnings,
            ..PullReport::default()
        };
        match self.head_to_bring(copy, &from)? {
            Some(head) => {
                let incoming = Incoming { workspace_id: &from.id, name: &from.name, head: &head };
                let command = format!("pull {}", from.name);
                // What others landed in this very workspace is theirs to take back.
                let command = Some(&*command).filter(|_| from.id != copy.workspace_id);
                let brought = self.bring_in(copy, &incoming, command, activity)?;
                if !brought.up_to_date && brought.kept.is_empty() && from.id != copy.workspace_id {
                    self.note_merge(copy, &incoming)?;
                }
                if let Some((number, files)) = brought.operation {
                    self.finish_operation(copy, number, &files)?;
                    report.operation = Some(number);
                }
                let brought =
                    if brought.up_to_date { self.bring_left(copy, activity)? } else { brought };
                let came = |paths: &[Vec<u8>]| {
                    let came = paths.iter().filter(|path| !is_in_left(&brought.left, path));
                    show_all(&came.cloned().collect::<Vec<_>>())
                };
                report.added = came(&brought.drift.workspace_only);
                report.modified = came(&brought.drift.both_different);
                let stay: HashSet<&Vec<u8>> = brought.untracked.iter().collect();
                let gone = brought.drift.source_only.iter();
                let gone = gone.filter(|path| !is_in_left(&brought.left, path)).cloned();
                let (untracked, deleted): (Vec<_>, Vec<_>) =
                    gone.partition(|path| stay.contains(path));
                report.deleted = show_all(&deleted);
                report.untracked = show_all(&untracked);
                report.conflicts = brought.conflicts.iter().map(conflict_report).collect();
                report.warnings.extend(brought.kept.iter().map(|(path, why)| {
                    format!("{path} was left as it was found ({why}): mend that, and pull again")
                }));
                report.kept = brought.kept.into_iter().map(|(path, _)| path).collect();
                report.warnings.extend(brought.left.iter().map(left_notice));
                report.left = brought.left.iter().map(|left| show(&left.path)).collect();
                report.skipped = brought.skipped;
                report.warnings.extend(brought.warnings);
                report.safety_snapshot_id = brought.safety_snapshot_id;
                report.up_to_date = brought.up_to_date;
            }
            None => report.up_to_date = true,
        }
        if report.up_to_date {
            report.ahead = self.ahead_of(copy, &from.id)?;
        }
        report.snapshot_id = copy.head()?;
        Ok(report)
    }

    /// Returns the snapshot that a pull of a workspace brings.
    pub(crate) fn head_to_bring(
        &self,
        copy: &WorkingCopy,
        from: &Workspace,
    ) -> Result<Option<SnapshotId>, SyncError> {
        let diverged = if from.id == copy.workspace_id {
            // What others pushed to the copy's own workspace.
            self.diverged_head(copy)?
        } else {
            // While a landing waits, the row here has another head than the primary's.
            self.unmerged_head(copy, &from.id)?
        };
        Ok(diverged.or(from.current_snapshot_id.clone()))
    }

    /// Brings a snapshot into a working copy, whose lock the caller holds. Unsaved changes are
    /// saved first, so that nothing is lost, whatever the outcome. With a command, the change is recorded as
    /// an operation, which the caller finishes.
    pub(crate) fn bring_in(
        &mut self,
        copy: &WorkingCopy,
        incoming: &Incoming<'_>,
        command: Option<&str>,
        activity: &Activity,
    ) -> Result<BroughtIn, SyncError> {
        if let Some(head) = copy.head()?
            && follows(&self.lineage(copy), head.as_str(), incoming.head.as_str())?
        {
            return Ok(BroughtIn { up_to_date: true, ..BroughtIn::default() });
        }
        let theirs = tree_of(&self.snapshot_row(incoming.head)?)?;
        let (own, _) = self.head_of(copy)?;
        let own = own.map(|head| tree_of(&self.snapshot_row(&head)?)).transpose()?;
        self.check_extent(incoming.head, &theirs, own.as_ref())?;
        let left = left_in(copy)?;
        let message = format!("Before merging {}", incoming.name);
        let captured = self.capture(copy, Some(&message), Purpose::Safety, activity)?;
        let mut brought = BroughtIn {
            safety_snapshot_id: captured.snapshot_id.clone().filter(|_| captured.created),
            skipped: captured.skipped.clone(),
            warnings: but_for_left(&left, captured.warnings.clone()),
            ..BroughtIn::default()
        };
        let begun = command.map(|command| {
            let own = Some(Change::still(captured.snapshot_id.clone()));
            let more = Effect { own, brought: true, ..Effect::default() };
            self.begin_operation(copy, command, &captured, more)
        });
        let begun = begun.transpose()?;
        let Some(ours) = captured.snapshot_id.clone() else {
            brought.take(self.move_to(copy, &captured, &theirs, incoming.head, activity)?);
            brought.note(begun, &theirs);
            brought.drift = drift(&empty_directory(), &theirs, &self.store)?;
            brought.conflicts = read_conflicts(&theirs, &self.store)?;
            return Ok(brought);
        };
        let lineage = self.lineage(copy);
        let follows = follows(&lineage, incoming.head.as_str(), ours.as_str())?;
        let (head, tree) = if follows {
            (incoming.head.to_owned(), theirs)
        } else {
            self.merge_in(copy, incoming, &captured)?
        };
        let moved = match self.move_to(copy, &captured, &tree, &head, activity) {
            Err(error) if head != *incoming.head && !copy.state().has(JOURNAL) => {
                self.forget_merge(copy, &head)?;
                return Err(error);
            }
            moved => moved?,
        };
        if !moved.kept.is_empty() && head != *incoming.head {
            // The head has not moved, so the next pull merges again.
            self.forget_merge(copy, &head)?;
        }
        brought.take(moved);
        brought.note(begun, &tree);
        brought.drift = drift(&captured.root.id, &tree, &self.store)?;
        // Those that others had and nobody has settled came along.
        let was_open = |conflict: &Conflict| captured.open.contains(conflict);
        let conflicts = read_conflicts(&tree, &self.store)?.into_iter();
        brought.conflicts = conflicts.filter(|conflict| !was_open(conflict)).collect();
        Ok(brought)
    }

    /// Retries the paths that earlier pulls could not bring.
    fn bring_left(
        &mut self,
        copy: &WorkingCopy,
        activity: &Activity,
    ) -> Result<BroughtIn, SyncError> {
        let mut brought = BroughtIn { up_to_date: true, ..BroughtIn::default() };
        let before = left_in(copy)?;
        if before.is_empty() {
            return Ok(brought);
        }
        let captured = self.capture(copy, Some("Before pulling"), Purpose::Safety, activity)?;
        let (tree, index) = (captured.root.id, &captured.index);
        let done = self.check_out(copy, index, &captured.databases, &tree, "", activity)?;
        if done.kept.is_empty() {
            self.save_left(copy, &done.left)?;
        }
        brought.take(done);
        let is_left = |old: &&Left| is_in_left(&brought.left, &old.path);
        for Left { path, .. } in before.iter().filter(|old| !is_left(old)) {
            if self.has_path(&tree, path)? {
                brought.drift.workspace_only.push(path.clone());
            } else {
                brought.drift.source_only.push(path.clone());
            }
        }
        brought.up_to_date =
            brought.drift.workspace_only.is_empty() && brought.drift.source_only.is_empty();
        brought.warnings = but_for_left(&before, captured.warnings);
        Ok(brought)
    }

    fn has_path(&self, tree: &TreeId, path: &[u8]) -> Result<bool, SyncError> {
        let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
        Ok(find(tree, &parts, &self.store)?.is_some())
    }

    /// Returns the trees of a project's newest snapshots.
    pub(crate) fn past(&self, copy: &WorkingCopy) -> Result<Vec<TreeId>, SyncError> {
        let snapshots = Snapshots(self.replica.read());
        Ok(snapshots.newest_trees(&copy.project_id, PAST_SNAPSHOTS_MAX)?)
    }

    /// Returns the ancestry of the snapshots of a working copy's project.
    fn lineage<'d>(&'d self, copy: &'d WorkingCopy) -> Lineage<'d, 'd> {
        Snapshots(self.replica.read()).lineage(&copy.project_id)
    }

    /// Deletes the snapshot of a merge that was not checked out, unless it may have been sent.
    fn forget_merge(&mut self, copy: &WorkingCopy, id: &SnapshotId) -> Result<(), SyncError> {
        if copy.head()?.as_ref() == Some(id) {
            return Ok(());
        }
        let key = RowKey::of(id);
        self.replica.write(|session| {
            let on_its_way = SentRow(session).is_there()?;
            if Outbox(session).entry(Snapshot::TABLE, &key)?.is_some() && !on_its_way {
                Outbox(session).drop(Snapshot::TABLE, &key)?;
                session.delete(Snapshot::TABLE, &key)?;
            }
            Ok::<_, ReplicaError>(())
        })?;
        Ok(())
    }

    /// Merges the incoming tree with the captured one, and records a snapshot that follows both.
    fn merge_in(
        &mut self,
        copy: &WorkingCopy,
        incoming: &Incoming<'_>,
        captured: &Captured,
    ) -> Result<(SnapshotId, TreeId), SyncError> {
        let ours = captured.snapshot_id.clone().expect("a merge has two snapshots");
        let theirs = tree_of(&self.snapshot_row(incoming.head)?)?;
        // Virtual merge bases stay in memory. The writer stores only the result.
        let scratch = ScratchObjects::over(&self.store);
        let base = merge_base(
            &Known(self, &copy.project_id),
            ours.as_str(),
            incoming.head.as_str(),
            &scratch,
        )?;
        let label = conflict_label(incoming);
        let workspace = self.workspace_of(copy)?;
        let writer = self.store.writer();
        let [ours_name, theirs_name] = side_names(&workspace.name, &ours, incoming);
        let names = Names { ours: &ours_name, theirs: &theirs_name, label: &label };
        let sides = Sides { base: base.as_ref(), ours: &captured.root.id, theirs: &theirs, names };
        let merged = merge(&sides, &scratch, &writer)?;
        let packs = writer.finish()?;
        let tree = merged.root.id;
        let packs = self.complete(&copy.project_id, Some(&captured.root.id), &tree, packs)?;
        let conflicts = read_conflicts(&tree, &self.store)?.len();
        let message = format!("Merge {}", incoming.name);
        let head = self.replica.write(|session| {
            let new = NewSnapshot {
                tree: &tree,
                parents: vec![ours.clone(), incoming.head.clone()],
                message: Some(&message),
                conflicts,
                packs: &packs,
            };
            Snapshots(session).save(&workspace, new)
        })?;
        Ok((head, tree))
    }

    /// Moves the files of a working copy to a tree, and then its head and the workspace's head.
    pub(crate) fn move_to(
        &mut self,
        copy: &WorkingCopy,
        captured: &Captured,
        tree: &TreeId,
        head: &SnapshotId,
        activity: &Activity,
    ) -> Result<CheckedOut, SyncError> {
        let Captured { index, databases, .. } = captured;
        let done = self.check_out(copy, index, databases, tree, head.as_str(), activity)?;
        if !done.kept.is_empty() {
            return Ok(done);
        }
        // Saved after the head: with the old head, a shorter list would turn files that are still
        // in the way into edits.
        self.save_left(copy, &done.left)?;
        self.replica.write(|session| {
            Snapshots(session).advance_head(&copy.workspace_id, head)?;
            Copies(session).put(&copy.known(Some(head)))
        })?;
        Ok(done)
    }

    /// Changes the files of a working copy, which is in the state of `index` and `databases`, to
    /// those of a tree. `head` is what it is based on afterwards, or empty if that does not change.
    pub(crate) fn check_out(
        &self,
        copy: &WorkingCopy,
        index: &StatIndex,
        databases: &[Database],
        tree: &TreeId,
        head: &str,
        activity: &Activity,
    ) -> Result<CheckedOut, SyncError> {
        let progress = activity.begin("Writing files");
        let folding = Folding::probe(&copy.state()).map_err(SyncError::io("use", copy.root()))?;
        let left = left_in(copy)?;
        let plan = Plan::around(index, tree, left, &self.store, folding)?;
        let plan = plan.with_databases(index, databases).with_past(self.past(copy)?);
        let untracked = plan.untracked().to_vec();
        let done = execute(copy.root(), plan, index, &self.store, head.as_bytes(), &progress)?;
        Ok(CheckedOut { kept: show_kept(&done), left: done.left, untracked })
    }

    /// Records in the workspace's row what was merged into it, and from which workspace.
    pub(crate) fn note_merge(
        &mut self,
        copy: &WorkingCopy,
        incoming: &Incoming<'_>,
    ) -> Result<(), SyncError> {
        let (project_id, id) = (copy.project_id.clone(), copy.workspace_id.clone());
        let last_merged_snapshot = incoming.head.to_owned();
        let merged = Merged { last_merged_snapshot, merged_at: self.world().now_text() };
        self.replica.write(|session| {
            // Read within the transaction: another process may have written the row since it was
            // last read.
            let Some(workspace) = session.row::<Workspace>(&id)? else { return Ok(()) };
            let mut history = workspace.merge_history.clone().unwrap_or_default().0;
            history.insert(incoming.workspace_id.to_owned(), merged);
            let merge_history = Some(Json(history));
            Outbox(session).save(&project_id.scope(), &Workspace { merge_history, ..workspace })?;
            Snapshots(session).record(
                &project_id,
                &id,
                "merge.completed",
                Some(incoming.head),
                None,
            )
        })?;
        Ok(())
    }
}

/// The history of snapshots as the device knows it.
pub(crate) struct Known<'a>(pub &'a OpenDevice, pub &'a ProjectId);

impl Ancestry for Known<'_> {
    type Error = SyncError;

    fn parents(&self, id: &str) -> Result<Vec<String>, SyncError> {
        Ok(Snapshots(self.0.replica.read()).lineage(self.1).parents(id)?)
    }
}

impl History for Known<'_> {
    fn tree(&self, id: &str) -> Result<TreeId, SyncError> {
        tree_of(&self.0.snapshot_row(&SnapshotId::from(id))?)
    }
}

/// Returns the label in the names of the other side's files: up to 40 characters of the workspace's
/// name, with `-` for all but ASCII letters and digits, and the last six of the snapshot's id.
pub(crate) fn conflict_label(incoming: &Incoming<'_>) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = incoming.name.chars().take(40).map(letter).collect();
    format!("{name}-{}", code(incoming.head))
}

/// Returns the end of a snapshot's id, which tells two snapshots of one workspace apart.
fn code(snapshot: &SnapshotId) -> String {
    let id = snapshot.as_str();
    id.get(id.len().saturating_sub(6)..).unwrap_or(id).to_lowercase()
}

/// Returns what the sides of a merge are called: as their workspaces, with the ends of their snapshots' ids if
/// both are of one name.
pub(crate) fn side_names(own: &str, ours: &SnapshotId, incoming: &Incoming<'_>) -> [String; 2] {
    if own == incoming.name {
        [ours, incoming.head].map(|snapshot| format!("{own} {}", code(snapshot)))
    } else {
        [own, incoming.name].map(str::to_owned)
    }
}

/// Returns the report of a conflict.
pub(crate) fn conflict_report(conflict: &Conflict) -> ConflictReport {
    let kind = match (&conflict.ours, &conflict.theirs) {
        (_, None) => ConflictKind::DeletedByThem,
        (None, _) => ConflictKind::DeletedByUs,
        _ => ConflictKind::BothChanged,
    };
    let theirs = match &conflict.form {
        Form::Beside { theirs_path } => Some(show(theirs_path)),
        Form::Markers | Form::Kept => None,
    };
    ConflictReport {
        id: conflict.id().to_string(),
        path: show(&conflict.path),
        kind,
        markers: conflict.form == Form::Markers,
        ours_name: conflict.ours_name.clone(),
        theirs_name: conflict.theirs_name.clone(),
        theirs,
    }
}
