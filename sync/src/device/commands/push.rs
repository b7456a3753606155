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
use crate::device::commands::pull::{Incoming, conflict_report};
use crate::device::commands::purpose::Purpose;
use crate::device::commands::snapshot::check_message;
use crate::device::left::left_notice;
use crate::device::notices::notices_of;
use crate::device::open::OpenDevice;
use crate::device::report::PushReport;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;
use crate::exchange::tree_of::tree_of;
use crate::replica::local::outbox::{Entry, Outbox};
use crate::replica::local::queue::Queue;
use crate::replica::values::column;
use crate::rows::snapshots::Snapshots;

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
        let mut landing = landing.transpose()?.flatten();
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
        for merges in 0.. {
            if report.queued_because.is_some() {
                break;
            }
            if let Some(to) = &landing
                && !self.prepare_landing(&copy, to, &mut report, activity)?
            {
                landing = None;
            }
            match self.push_scope(&remote, &project.id.scope()).await {
                Ok(pushed) => {
                    report.snapshot.warnings.extend(notices_of(&pushed));
                    let target = landing.as_ref().map(|landing| &landing.workspace_id);
                    let unmerged = target.map(|target| self.unmerged_head(&copy, target));
                    let lost_race = unmerged.transpose()?.flatten().is_some();
                    match self.diverged_head(&copy)? {
                        None if !lost_race => {
                            report.pushed = true;
                            report.landed = landing.map(|landing| landing.name);
                            break;
                        }
                        _ if merges == MERGES_MAX => {
                            return Err(SyncError::Contended { attempts: MERGES_MAX });
                        }
                        None => {}
                        Some(theirs) => {
                            self.merge_own_head(&copy, &theirs, &mut report, activity)?;
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
        let merged = self.bring_in(copy, incoming, activity)?;
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
