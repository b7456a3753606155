//! Takes snapshots back that only this device has, with their rows of packs and events, and puts them in
//! again.
//!
//! What was never sent can go without a trace on the primary: a secret that somebody saved and took back
//! before any push stays on this device. Whatever is sent, being sent, or referred to by something else stays.

use std::collections::BTreeSet;

use fastest_core::compare::parting::follows;
use fastest_schema::tables::workspaces::{ActivityEvent, Snapshot, Workspace};
use fastest_schema::{Pack, Policy, ProjectId, Row, RowKey, SnapshotId, Table, WorkspaceId};
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::operations::{Operations, RemovedRow};
use crate::replica::local::outbox::Outbox;
use crate::replica::local::sent_row::SentRow;
use crate::replica::session::Session;
use crate::replica::values::decode;
use crate::rows::snapshots::Snapshots;

/// The snapshots of a project that an operation made.
#[derive(Clone, Copy)]
pub(crate) struct Undone<'a>(pub(crate) Session<'a>);

impl Undone<'_> {
    /// Whether only this device has a snapshot: the primary was never sent it, as far as the device knows.
    pub(crate) fn is_unsent(&self, id: &SnapshotId) -> Result<bool, ReplicaError> {
        let key = RowKey::of(id);
        let entry = Outbox(self.0).entry(Snapshot::TABLE, &key)?;
        Ok(entry.is_some_and(|entry| entry.base.is_none() && entry.base_version == 0)
            && !SentRow(self.0).is_there()?)
    }

    /// Moves a workspace's head, in whatever direction.
    pub(crate) fn move_head(
        &self,
        id: &WorkspaceId,
        head: Option<&SnapshotId>,
    ) -> Result<(), ReplicaError> {
        let Some(workspace) = self.0.row::<Workspace>(id)? else { return Ok(()) };
        if workspace.current_snapshot_id.as_ref() == head {
            return Ok(());
        }
        let scope = workspace.project_id.scope();
        let current_snapshot_id = head.cloned();
        Outbox(self.0).save(&scope, &Workspace { current_snapshot_id, ..workspace })?;
        Outbox(self.0).drop_unchanged(&scope)
    }

    /// Takes back the snapshots from `from` down to those that `kept` follows, as far as only this device has
    /// them and nothing refers to them, and the rows of `packs` if all of these snapshots went. Returns the
    /// rows, for [`Undone::put_in_again`].
    pub(crate) fn take_back(
        &self,
        project_id: &ProjectId,
        from: &SnapshotId,
        kept: Option<&SnapshotId>,
        packs: &[String],
    ) -> Result<Vec<RemovedRow>, ReplicaError> {
        let scope = project_id.scope();
        if Cursors(self.0).is_reading(&scope)? || SentRow(self.0).is_there()? {
            return Ok(Vec::new());
        }
        let lineage = Snapshots(self.0).lineage(project_id);
        let (mut removed, mut gone) = (Vec::new(), BTreeSet::new());
        let mut oldest = i64::MAX;
        let (mut waiting, mut all_went) = (vec![from.clone()], true);
        while let Some(id) = waiting.pop() {
            let is_kept = match kept {
                Some(kept) => follows(&lineage, kept.as_str(), id.as_str())?,
                None => false,
            };
            if is_kept || gone.contains(&id) {
                continue;
            }
            if !self.is_unsent(&id)? {
                continue;
            }
            if self.is_referred_to(&id)? {
                all_went = false;
                continue;
            }
            let Some(snapshot) = self.0.row::<Snapshot>(&id)? else { continue };
            let entry = Outbox(self.0).entry(Snapshot::TABLE, &RowKey::of(&id))?;
            oldest = entry.map_or(oldest, |entry| oldest.min(entry.revision));
            self.remove(ActivityEvent::TABLE, &self.events_of(&id)?, &mut removed)?;
            self.remove(Snapshot::TABLE, &[RowKey::of(&id)], &mut removed)?;
            gone.insert(id);
            waiting.extend(snapshot.parent_snapshot_ids.0);
        }
        if all_went && !gone.is_empty() && !self.has_newer_snapshots(project_id, oldest)? {
            let keys: Vec<RowKey> =
                packs.iter().map(|hex| RowKey::from(format!("{project_id}/{hex}/0"))).collect();
            self.remove(Pack::TABLE, &keys, &mut removed)?;
        }
        removed.reverse();
        Ok(removed)
    }

    /// Saves rows again that [`Undone::take_back`] took back.
    pub(crate) fn put_in_again(
        &self,
        project_id: &ProjectId,
        rows: &[RemovedRow],
    ) -> Result<(), ReplicaError> {
        let tables = [ActivityEvent::TABLE, Snapshot::TABLE, Pack::TABLE];
        for row in rows {
            let Some(table) = tables.into_iter().find(|table| table.name == row.table) else {
                continue;
            };
            let values = row.values(table);
            let has_key = row.value(table.pk).is_some_and(|key| key.is_string());
            if has_key {
                Outbox(self.0).save_values(&project_id.scope(), table, &values)?;
            }
        }
        Ok(())
    }

    /// Returns a snapshot that was taken back: its files are in the store still.
    pub(crate) fn taken_back(
        &self,
        project_id: &ProjectId,
        id: &SnapshotId,
    ) -> Result<Option<Snapshot>, ReplicaError> {
        let is_it = |row: &RemovedRow| {
            row.table == Snapshot::TABLE.name
                && row.columns.iter().any(|(name, value)| name == "id" && value == id.as_str())
        };
        for operation in Operations(self.0).naming(project_id, id)? {
            if let Some(row) = operation.effect.removed.iter().find(|row| is_it(row)) {
                return decode(row.values(Snapshot::TABLE)).map(Some);
            }
        }
        Ok(None)
    }

    /// Removes rows that the primary was never sent, and adds their values to `removed`.
    fn remove(
        &self,
        table: &'static Table,
        keys: &[RowKey],
        removed: &mut Vec<RemovedRow>,
    ) -> Result<(), ReplicaError> {
        debug_assert_eq!(table.policy, Policy::AppendOnly);
        for key in keys {
            let is_unsent = Outbox(self.0)
                .entry(table, key)?
                .is_some_and(|entry| entry.base.is_none() && entry.base_version == 0);
            let Some(values) = self.0.values(table, key)?.filter(|_| is_unsent) else { continue };
            Outbox(self.0).drop(table, key)?;
            self.0.delete(table, key)?;
            let named = table.columns.iter().zip(&values);
            removed.push(RemovedRow {
                table: table.name.to_owned(),
                columns: named
                    .map(|(column, value)| (column.name.to_owned(), value.to_wire()))
                    .collect(),
            });
        }
        Ok(())
    }

    fn events_of(&self, id: &SnapshotId) -> Result<Vec<RowKey>, ReplicaError> {
        let sql = "SELECT id FROM activity_events WHERE snapshot_id = ?1";
        self.0.all(sql, [id], |row| row.get(0))
    }

    /// Whether a row refers to a snapshot, or a working copy is based on it.
    fn is_referred_to(&self, id: &SnapshotId) -> Result<bool, ReplicaError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM fastest_local_child WHERE parent = ?1)
                     OR EXISTS (SELECT 1 FROM workspaces
                                WHERE current_snapshot_id = ?1 OR base_snapshot_id = ?1)
                     OR EXISTS (SELECT 1 FROM fastest_local_copy WHERE head = ?1)
                     OR EXISTS (SELECT 1 FROM drift_reports
                                WHERE workspace_snapshot_id = ?1 OR source_snapshot_id = ?1)";
        Ok(self.0.get::<i64>(sql, [id])? == Some(1))
    }

    /// Whether snapshots of a project wait that were taken after this revision. They may have content in packs
    /// of that time.
    fn has_newer_snapshots(
        &self,
        project_id: &ProjectId,
        revision: i64,
    ) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM fastest_local_outbox
                   WHERE scope = ?1 AND tbl = ?2 AND revision > ?3 LIMIT 1";
        let parameters = params![project_id.scope(), Snapshot::TABLE.name, revision];
        Ok(self.0.get::<i64>(sql, parameters)?.is_some())
    }
}
