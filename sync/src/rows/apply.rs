//! Applies a page of a primary's changes to the replica.
//!
//! Nothing that was written here is lost. A row in the outbox is merged with the primary's, column
//! by column. Where both sides changed a column, the primary's value is used, and both versions are
//! kept as a conflict. Rows of append-only tables are neither overwritten nor deleted: the primary
//! only fills in what was null here. The exception is an application's row whose parent another
//! device deleted: it is deleted too, or its reference is set to null, as its foreign key declares.

use fastest_core::compare::parting::follows;
use fastest_schema::{Change, Outcome, Pack, Policy, Row, RowKey, ScopeId, Table, Value};

use crate::replica::engine_table::EngineTable;
use crate::replica::error::ReplicaError;
use crate::replica::local::conflicts::Conflicts;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::held::Held;
use crate::replica::local::known::Known;
use crate::replica::local::outbox::{Entry, Outbox};
use crate::replica::session::Session;
use crate::replica::values::{Values, column, values_of};
use crate::rows::deletes::{Deletes, Struck};
use crate::rows::merge::merge_row;
use crate::rows::snapshots::Snapshots;

/// Applies a primary's changes to the replica.
#[derive(Clone, Copy)]
pub(crate) struct Incoming<'a>(pub(crate) Session<'a>);

impl Incoming<'_> {
    /// Applies the changes of one page of `scope`, and moves the cursor to `seq`. `whole` lists the
    /// packs of the page that are complete in the store.
    pub(crate) fn apply_page(
        &self,
        scope: &ScopeId,
        changes: &[Change],
        seq: i64,
        whole: &[String],
    ) -> Result<(), ReplicaError> {
        let holds_any = Held(self.0).is_any()?;
        for change in changes {
            self.apply(scope, change, whole, holds_any)?;
        }
        Cursors(self.0).put(scope, seq)
    }

    fn apply(
        &self,
        scope: &ScopeId,
        change: &Change,
        whole: &[String],
        holds_any: bool,
    ) -> Result<(), ReplicaError> {
        let Change { table, key, version, seq, outcome } = change;
        if *version < Known(self.0).version(table, key)? {
            // The page was read before a push of ours, which another process has recorded meanwhile.
            return Ok(());
        }
        // A row that left this scope stays held if it is known under another one.
        let is_here = match outcome {
            Outcome::Left { scope } => Known(self.0).scope(table, key)?.as_ref() == Some(scope),
            Outcome::Deleted => Known(self.0).is_under(scope, table, key)?,
            Outcome::Row(_) | Outcome::Held { .. } => true,
        };
        if holds_any && is_here {
            Held(self.0).remove(table, key)?;
        }
        match outcome {
            Outcome::Row(theirs) if self.0.engine_table(table) == Some(EngineTable::Pack) => {
                Known(self.0).put(scope, (table, key), *version, Some(*seq), false)?;
                self.apply_pack(table, theirs, whole)
            }
            Outcome::Row(theirs) => {
                self.apply_row(scope, table, key, *version, theirs)?;
                Known(self.0).put(scope, (table, key), *version, Some(*seq), false)
            }
            Outcome::Held { column, why } => {
                Held(self.0).put(scope, (table, key), *version, (column, why))?;
                Known(self.0).put(scope, (table, key), *version, Some(*seq), false)
            }
            // By now the row may be known under the scope that it moved to.
            Outcome::Deleted if !Known(self.0).is_under(scope, table, key)? => Ok(()),
            Outcome::Deleted => {
                match self.0.engine_table(table) {
                    // Without these rows, snapshots on this device could neither be used nor pushed.
                    Some(EngineTable::Project | EngineTable::Snapshot | EngineTable::Pack) => {
                        self.bring_back(scope, table, key, *version)?;
                    }
                    _ => {
                        let values = self.0.values(table, key)?;
                        self.apply_delete(table, key)?;
                        self.follow_other_device(table, values)?;
                    }
                }
                Known(self.0).put(scope, (table, key), *version, Some(*seq), true)
            }
            Outcome::Left { scope: left } if left == scope => {
                if Known(self.0).scope(table, key)?.as_ref() == Some(scope) {
                    self.apply_delete(table, key)
                } else {
                    Ok(())
                }
            }
            Outcome::Left { .. } => Ok(()),
        }
    }

    fn apply_row(
        &self,
        scope: &ScopeId,
        table: &'static Table,
        key: &RowKey,
        version: i64,
        theirs: &[Value],
    ) -> Result<(), ReplicaError> {
        let theirs = theirs.to_vec();
        if table.policy == Policy::AppendOnly {
            let row = match self.0.values(table, key)? {
                Some(ours) => fill_nulls(&ours, &theirs),
                None => theirs,
            };
            Outbox(self.0).drop(table, key)?;
            return self.0.put_values(table, &row);
        }
        let Some(entry) = Outbox(self.0).entry(table, key)? else {
            return self.0.put_values(table, &theirs);
        };
        if version <= entry.base_version {
            // The change is our own push: the entry is newer.
            return Ok(());
        }
        // On this device, the row may have moved to another scope.
        let waits_in =
            if self.0.rules.rows_change_scope { entry.scope.clone() } else { scope.to_owned() };
        let entry = Entry { scope: waits_in, ..entry };
        let Some(ours) = &entry.row else {
            return self.apply_over_delete(entry, version, theirs);
        };
        let own = self.0.engine_table(table);
        let mut merged = merge_row(table, own, entry.known_base(), ours, &theirs);
        self.take_head_that_follows(&entry.scope, table, &mut merged.values, &theirs)?;
        if !merged.conflicts.is_empty() {
            Conflicts(self.0).keep(&entry, Some(&theirs), &merged.conflicts)?;
        }
        self.0.put_values(table, &merged.values)?;
        if merged.values == theirs {
            Outbox(self.0).drop(table, key)
        } else {
            let (base, row) = (Some(theirs), Some(merged.values));
            Outbox(self.0).put(&Entry { base_version: version, base, row, ..entry })
        }
    }

    /// Applies a change to a row that was deleted here. The delete stays queued if the primary's
    /// row has the values that were deleted. Otherwise the primary's row is used, and the delete is
    /// kept as a conflict.
    fn apply_over_delete(
        &self,
        entry: Entry,
        version: i64,
        theirs: Values,
    ) -> Result<(), ReplicaError> {
        let table = entry.table;
        let same = entry.base.as_ref().is_some_and(|base| {
            let columns = table.columns.iter().zip(base.iter().zip(&theirs));
            columns
                .into_iter()
                .all(|(column, (base, theirs))| column.lock_version || base == theirs)
        });
        if same {
            let base = Some(theirs);
            return Outbox(self.0).put(&Entry { base_version: version, base, ..entry });
        }
        Deletes(self.0).yield_to_primary(&entry, &theirs)
    }

    /// Applies the row of a pack or of one of its parts. The bytes of a pack are in the object
    /// store. The replica has one row for the pack, without the bytes, as soon as the pack is
    /// complete. Its outbox entry is dropped when the primary has every part.
    fn apply_pack(
        &self,
        table: &'static Table,
        theirs: &[Value],
        whole: &[String],
    ) -> Result<(), ReplicaError> {
        let Ok(pack) = Pack::from_values(theirs.to_vec()) else { return Ok(()) };
        let stem = format!("{}/{}/", pack.project_id, pack.pack_id);
        let first = format!("{stem}0");
        if whole.contains(&pack.pack_id) {
            let row = match self.0.row::<Pack>(&first)? {
                // A pack that was created here has one part, and may have more on the primary.
                Some(ours) => Pack { parts: ours.parts.max(pack.parts), ..ours },
                None => Pack { id: first.clone(), part: 0, data: None, ..pack.clone() },
            };
            self.0.put_values(table, &values_of(&row))?;
        }
        if Known(self.0).parts(&stem)? >= pack.parts {
            Outbox(self.0).drop(table, &RowKey::from(first))?;
        }
        Ok(())
    }

    /// Takes the primary's head of a workspace if it follows ours. Otherwise a merged row keeps our
    /// head, and a merge of trees brings theirs in. If theirs follows ours, there is nothing to merge:
    /// ours is only queued because the primary is new to this device.
    fn take_head_that_follows(
        &self,
        scope: &ScopeId,
        table: &'static Table,
        merged: &mut Values,
        theirs: &[Value],
    ) -> Result<(), ReplicaError> {
        const HEAD: &str = "current_snapshot_id";
        if self.0.engine_table(table) != Some(EngineTable::Workspace) {
            return Ok(());
        }
        let Some(their) = column(table, theirs, HEAD) else { return Ok(()) };
        let is_later = match column(table, merged, HEAD) {
            // This device has not seen the workspace's first snapshot yet.
            None => true,
            Some(ours) => {
                let project = scope.project();
                let lineage = Snapshots(self.0).lineage(&project);
                ours != their && follows(&lineage, &their, &ours)?
            }
        };
        if is_later {
            for (at, column) in table.columns.iter().enumerate() {
                if matches!(column.name, HEAD | "current_manifest_hash") {
                    merged[at] = theirs[at].clone();
                }
            }
        }
        Ok(())
    }

    /// Queues a row that was deleted on the primary again, because other rows on this device depend
    /// on it.
    fn bring_back(
        &self,
        scope: &ScopeId,
        table: &'static Table,
        key: &RowKey,
        version: i64,
    ) -> Result<(), ReplicaError> {
        let Some(row) = self.0.values(table, key)? else { return Ok(()) };
        let entry = Entry { base_version: version, ..Entry::unknown(scope, table, key, row) };
        Outbox(self.0).put(&entry)
    }

    fn apply_delete(&self, table: &'static Table, key: &RowKey) -> Result<(), ReplicaError> {
        if table.policy == Policy::AppendOnly {
            return Ok(());
        }
        if let Some(entry) = Outbox(self.0).entry(table, key)? {
            // If both sides deleted the row, there is nothing to choose.
            match entry.row {
                Some(_) => Conflicts(self.0).keep(&entry, None, &[])?,
                None => Deletes(self.0).follow(&entry)?,
            }
            Outbox(self.0).drop(table, key)?;
        }
        self.0.delete(table, key)
    }

    /// Applies the foreign keys of an application's append-only tables to the children of a row
    /// that another device deleted, as the primary did.
    fn follow_other_device(
        &self,
        table: &Table,
        values: Option<Values>,
    ) -> Result<(), ReplicaError> {
        match values {
            Some(values) if self.0.rules.deletes_cascade && table.policy == Policy::Versioned => {
                Deletes(self.0).apply_to_append_only(table, &values, Struck::Taken)
            }
            _ => Ok(()),
        }
    }
}

fn fill_nulls(ours: &[Value], theirs: &[Value]) -> Values {
    ours.iter().zip(theirs).map(|(o, t)| if o.is_null() { t.clone() } else { o.clone() }).collect()
}
