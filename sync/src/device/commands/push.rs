//! `push`: takes a snapshot if something changed, then sends everything that is queued to the
//! primary.

use std::path::Path;

use fastest_core::compare::parting::follows;
use fastest_core::object::id::TreeId;
use fastest_core::object::tree::conflicts::read_conflicts;
use fastest_core::object::tree::read::read_root;
use fastest_schema::tables::workspaces::Workspace;
use fastest_schema::{Row, RowKey, SnapshotId};

use crate::device::activity::Activity;
use crate::device::commands::land::{Landing, Undoing};
use crate::device::commands::operation::{Ending, add_operation, merge_history, see_columns};
use crate::device::commands::pull::{Incoming, conflict_report};
use crate::device::commands::purpose::{Captured, Purpose};
use crate::device::commands::snapshot::check_message;
use crate::device::left::left_notice;
use crate::device::notices::notices_of;
use crate::device::open::OpenDevice;
use crate::device::report::PushReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::remote::open::Remote;
use crate::replica::error::ReplicaError;
use crate::replica::local::operations::{
    Change, ColumnChange, Effect, Number, Operation, Operations,
};
use crate::replica::local::outbox::{Entry, Outbox};
use crate::replica::local::queue::Queue;
use crate::replica::values::column;
use crate::rows::snapshots::Snapshots;

/// What a push that is under way has done here.
struct Sending {
    operation: Option<Number>,
    /// Whether it merged what others pushed to this workspace.
    merged_own: bool,
}

/// The most merges of one push with the work of others in the same workspace.
const MERGES_MAX: u32 = 20;

impl OpenDevice {
    /// See [`Device::push`](crate::Device::push) and [`Device::land`](crate::Device::land). `to` names the
    /// workspace to land in, and says whether open conflicts land as well.
    pub(crate) async fn push(
        &mut self,
        dir: &Path,
        message: Option<&str>,
        to: Option<(&str, bool)>,
        activity: &Activity,
    ) -> Result<PushReport, SyncError> {
        check_message(message)?;
        let (copy, project_created) = match self.find_any(dir)? {
            Some(copy) => (copy, false),
            None => {
                let created = self.init_on_push(dir).await?;
                (self.find(dir)?, created)
            }
        };
        let (_lock, warnings) = self.enter(&copy)?;
        let landing = to.map(|(name, with_conflicts)| self.landing(&copy, name, with_conflicts));
        let landing = landing.transpose()?.flatten();
        let mut captured =
            self.capture(&copy, message, Purpose::Save { if_empty: false }, activity)?;
        captured.warnings.splice(0..0, warnings);
        let project = self.project_of(&copy)?;
        self.record_push(&copy, captured.snapshot_id.as_ref())?;
        let mut report = PushReport {
            project: project.name.clone(),
            project_id: project.id.clone(),
            project_created,
            snapshot: self.snapshot_report(&captured)?,
            ..PushReport::default()
        };
        let remote = self.remote()?;
        report.primary = remote.primary.url().to_owned();
        remote.meter.show(activity.begin("Pushing"));
        // Earlier queued pushes are sent first. If this project's own is queued, this push replaces
        // it.
        let waited = if self.others_wait(&project.id.scope())? {
            self.send_queued(&remote).await
        } else {
            Ok(Vec::new())
        };
        match waited {
            Ok(notices) => report.snapshot.warnings.extend(notices),
            // This push would not get through either, so it is queued behind them.
            Err(error) if error.is_unreachable() => {
                self.replica.write(|session| Queue(session).add(&project.id.scope()))?;
                report.queued_because = Some(error.to_string());
            }
            Err(error) => return Err(error),
        }
        let merged_before = merge_history(self.replica.read(), &copy.workspace_id)?;
        let mut sending = Sending { operation: captured.operation, merged_own: false };
        let ended =
            self.send_until_in(&copy, &remote, landing, &mut sending, &mut report, activity).await;
        let operation = self.end_push(&copy, &sending, &captured, merged_before, to)?;
        ended?;
        report.operation = operation;
        // The push may have shown that the primary lacks rows of other projects. They are sent now,
        // too.
        if report.pushed
            && self.others_wait(&project.id.scope())?
            && let Ok(notices) = self.send_queued(&remote).await
        {
            report.snapshot.warnings.extend(notices);
        }
        let workspace = self.workspace_of(&copy)?;
        report.workspace = workspace.name;
        report.version = workspace.version;
        let traffic = remote.meter.traffic();
        (report.requests, report.bytes_sent) = (traffic.requests, traffic.bytes_sent);
        Ok(report)
    }

    /// Sends what waits, and merges what others sent meanwhile, until everything is in. Without the primary, it
    /// stays queued.
    async fn send_until_in(
        &mut self,
        copy: &WorkingCopy,
        remote: &Remote,
        mut landing: Option<Landing>,
        sending: &mut Sending,
        report: &mut PushReport,
        activity: &Activity,
    ) -> Result<(), SyncError> {
        for merges in 0.. {
            if report.queued_because.is_some() {
                break;
            }
            if let Some(to) = &landing
                && !self.prepare_landing(copy, to, &mut sending.operation, report, activity)?
            {
                self.give_landing_up(to, sending.operation)?;
                landing = None;
            }
            match self.push_scope(remote, &copy.project_id.scope()).await {
                Ok(pushed) => {
                    report.snapshot.warnings.extend(notices_of(&pushed));
                    let target = landing.as_ref().map(|landing| &landing.workspace_id);
                    let unmerged = target.map(|target| self.unmerged_head(copy, target));
                    let lost_race = unmerged.transpose()?.flatten().is_some();
                    match self.diverged_head(copy)? {
                        None if !lost_race => {
                            match self.catch_up_undone(copy)? {
                                Undoing::Merged if merges < MERGES_MAX => continue,
                                Undoing::GivenUp(name) => report.snapshot.warnings.push(format!(
                                    "what was undone in {name} stays there: others have changed the same places \
                                     since"
                                )),
                                Undoing::Merged | Undoing::None => {}
                            }
                            report.pushed = true;
                            report.landed = landing.map(|landing| landing.name);
                            break;
                        }
                        _ if merges == MERGES_MAX => {
                            if let Some(landing) = &landing {
                                self.give_landing_up(landing, sending.operation)?;
                            }
                            return Err(SyncError::Contended { attempts: MERGES_MAX });
                        }
                        None => {}
                        Some(theirs) => {
                            sending.merged_own = true;
                            self.merge_own_head(copy, &theirs, report, activity)?;
                        }
                    }
                }
                Err(error) if error.is_unreachable() => {
                    report.queued_because = Some(error.to_string());
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Completes a push's operation with what it merged on the way, which stays if what was sent is taken out.
    fn end_push(
        &mut self,
        copy: &WorkingCopy,
        sending: &Sending,
        captured: &Captured,
        merged_before: ColumnChange,
        to: Option<(&str, bool)>,
    ) -> Result<Option<Number>, SyncError> {
        let head = copy.head()?;
        let has_merged = head != captured.snapshot_id;
        let did_nothing = match sending.operation {
            None => !has_merged,
            // What others did in this workspace is theirs.
            Some(_) => false,
        };
        let merged_alone = sending.merged_own && !captured.created;
        if did_nothing || merged_alone {
            return Ok(sending.operation);
        }
        let tree = head.as_ref().map(|head| tree_of(&self.snapshot_row(head)?)).transpose()?;
        let command = to.map_or("push".to_owned(), |(name, _)| format!("push --to {name}"));
        let before = if captured.created { &captured.parent } else { &captured.snapshot_id };
        let own = Change { before: before.clone(), after: captured.snapshot_id.clone() };
        let number = self.replica.write_unsynced(|session| {
            let begun = match sending.operation {
                Some(number) => Some(number),
                None => {
                    let effect = Effect { head: own.clone(), ..Effect::default() };
                    Some(add_operation(session, copy, &command, &effect, Ending::Finished)?)
                }
            };
            let found = begun.map(|number| Operations(session).get(number)).transpose()?.flatten();
            let Some(Operation { number, mut effect, .. }) = found else { return Ok(None) };
            effect.head = Change { before: own.before.clone(), after: head };
            if let Some(tree) = tree.filter(|_| has_merged) {
                let (before, after) = (captured.root.id.to_hex(), tree.to_hex());
                effect.files = Some(Change { before, after });
                effect.keeps_files = true;
                effect.own = Some(own);
            }
            effect.columns.push(merged_before);
            see_columns(session, &mut effect)?;
            Operations(session).set_effect(number, &effect)?;
            Ok::<_, ReplicaError>(Some(number))
        })?;
        Ok(number)
    }

    /// Returns the head that others set for the copy's own workspace, if it and the copy's head
    /// diverged.
    pub(crate) fn diverged_head(
        &self,
        copy: &WorkingCopy,
    ) -> Result<Option<SnapshotId>, SyncError> {
        let Some(head) = copy.head()? else { return Ok(None) };
        let session = self.replica.read();
        let on_primary =
            Outbox(session).entry(Workspace::TABLE, &RowKey::of(&copy.workspace_id))?;
        let on_primary = on_primary
            .as_ref()
            .and_then(Entry::known_base)
            .and_then(|base| column(Workspace::TABLE, base, "current_snapshot_id"));
        // A second working copy of this workspace on this device moves the row here.
        let here = self.workspace_of(copy)?.current_snapshot_id;
        for other in on_primary.map(SnapshotId::from).into_iter().chain(here) {
            let lineage = Snapshots(session).lineage(&copy.project_id);
            let (a, b) = (head.as_str(), other.as_str());
            if !follows(&lineage, a, b)? && !follows(&lineage, b, a)? {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }

    /// Merges what others pushed to the copy's own workspace.
    fn merge_own_head(
        &mut self,
        copy: &WorkingCopy,
        theirs: &SnapshotId,
        report: &mut PushReport,
        activity: &Activity,
    ) -> Result<(), SyncError> {
        let name = self.workspace_of(copy)?.name;
        let incoming = Incoming { workspace_id: &copy.workspace_id, name: &name, head: theirs };
        self.merge_head(copy, &incoming, report, activity)
    }

    /// Merges a head in the middle of a push.
    pub(crate) fn merge_head(
        &mut self,
        copy: &WorkingCopy,
        incoming: &Incoming<'_>,
        report: &mut PushReport,
        activity: &Activity,
    ) -> Result<(), SyncError> {
        let merged = self.bring_in(copy, incoming, None, activity)?;
        if let Some((path, why)) = merged.kept.into_iter().next() {
            return Err(SyncError::NotUpdated { path, why });
        }
        report.merged = true;
        let warnings = &mut report.snapshot.warnings;
        let new = merged.warnings.into_iter().filter(|warning| !warnings.contains(warning));
        let new: Vec<_> = new.chain(merged.left.iter().map(left_notice)).collect();
        warnings.extend(new);
        if let Some(head) = copy.head()? {
            let tree: TreeId = tree_of(&self.snapshot_row(&head)?)?;
            let root = read_root(&tree, &self.store)?;
            report.snapshot.snapshot_id = head;
            report.snapshot.manifest_hash = tree.to_hex();
            (report.snapshot.files, report.snapshot.bytes) = (root.files, root.bytes);
            let open = read_conflicts(&tree, &self.store)?;
            report.snapshot.conflicts = open.iter().map(conflict_report).collect();
        }
        Ok(())
    }

    /// Queues the event `snapshot.pushed`, once for each head.
    fn record_push(
        &mut self,
        copy: &WorkingCopy,
        head: Option<&SnapshotId>,
    ) -> Result<(), SyncError> {
        let Some(head) = head else { return Ok(()) };
        // Made durable by the next write, which records the statement or queues the push.
        self.replica.write_unsynced(|session| {
            let known = Snapshots(session).is_pushed(head, &copy.workspace_id)?;
            if known {
                Ok(())
            } else {
                let (project, workspace) = (&copy.project_id, &copy.workspace_id);
                Snapshots(session).record(project, workspace, "snapshot.pushed", Some(head), None)
            }
        })?;
        Ok(())
    }
}
