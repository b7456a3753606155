//! Deletes, and the rows that refer to a deleted row, until the primary has answered.
//!
//! A delete affects the rows that refer to the deleted row, as their foreign keys declare. Those of
//! versioned tables are deleted or changed here along with it, each under its own lock. If one
//! still refers to it at the time of the push, another device has written that row since, and the
//! delete yields: it becomes a conflict. Rows of append-only tables cannot be deleted by a client:
//! they stay as they are until the primary has accepted the delete. Their entries in the outbox are
//! held until then, so that nothing is lost if the delete is rejected.

use std::collections::HashSet;

use fastest_schema::check::cascade::{
    GENERATIONS_MAX, Generations, cascades_on_primary, generations,
};
use fastest_schema::{OnDelete, Policy, RowKey, Schema, ScopeId, Table, Value};

use crate::replica::error::ReplicaError;
use crate::replica::keys::{ForeignKey, referable, references};
use crate::replica::local::conflicts::Conflicts;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::held::Held;
use crate::replica::local::outbox::{Entry, Outbox};
use crate::replica::session::Session;
use crate::replica::values::{Bound, Values};

/// Which of the append-only rows that refer to a deleted row are affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Struck {
    /// All: the row was deleted here.
    All,
    /// Those that are not queued here: another device deleted the row.
    Taken,
}

/// Queued deletes, and the rows that refer to deleted rows.
#[derive(Clone, Copy)]
pub(crate) struct Deletes<'a>(pub(crate) Session<'a>);

impl Deletes<'_> {
    /// Turns each queued delete into a conflict if rows here still refer to the row in a way that
    /// would make the primary change them or refuse the delete. The row is restored as the primary
    /// has it, and the delete is kept as a conflict.
    pub(crate) fn yield_to_children(&self, scope: &ScopeId) -> Result<(), ReplicaError> {
        // Repeated for each generation: a restored row may refer to another one whose delete is
        // queued.
        while self.yield_once(scope)? {}
        Ok(())
    }

    fn yield_once(&self, scope: &ScopeId) -> Result<bool, ReplicaError> {
        let mut yielded = false;
        for entry in Outbox(self.0).deletes(Some(scope))? {
            let Some(base) = &entry.base else { continue };
            if self.is_kept(entry.table, base)? {
                self.yield_to_primary(&entry, base)?;
                yielded = true;
            }
        }
        Ok(yielded)
    }

    /// Gives up a delete. The primary's row is restored, and the delete is kept as a conflict.
    pub(crate) fn yield_to_primary(
        &self,
        entry: &Entry,
        theirs: &Values,
    ) -> Result<(), ReplicaError> {
        Conflicts(self.0).keep(entry, Some(theirs), &[])?;
        Outbox(self.0).drop(entry.table, &entry.key)?;
        self.0.put_values(entry.table, theirs)
    }

    /// Whether rows here prevent the delete of a row that has these values.
    fn is_kept(&self, table: &Table, values: &[Value]) -> Result<bool, ReplicaError> {
        for (child, key) in keepers(self.0.schema, table) {
            if !self.referring(child, key, (table, values))?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the keys of the rows of `child` here that refer to a row with these values over the
    /// given foreign key.
    pub(crate) fn referring(
        &self,
        child: &Table,
        (at, to): ForeignKey,
        (table, values): (&Table, &[Value]),
    ) -> Result<Vec<RowKey>, ReplicaError> {
        let Some(value) = referable(table, values, to.column) else { return Ok(Vec::new()) };
        let (pk, name, column) = (child.pk, child.name, child.columns[at].name);
        let sql = format!("SELECT `{pk}` FROM `{name}` WHERE `{column}` = ?1");
        self.0.all(&sql, [Bound(value)], |row| row.get(0))
    }

    /// Whether a delete would affect rows here in more than [`GENERATIONS_MAX`] generations, for
    /// which D1 has too few levels of triggers.
    pub(crate) fn is_too_deep(
        &self,
        table: &'static Table,
        values: &Values,
    ) -> Result<bool, ReplicaError> {
        // If the declarations bound the depth, they were checked for it.
        if generations(self.0.schema.tables, table) != Generations::Endless {
            return Ok(false);
        }
        let mut at = vec![(table, values.clone())];
        for _ in 0..=GENERATIONS_MAX {
            let (mut next, mut seen, mut is_last) = (Vec::new(), HashSet::new(), true);
            for (parent, values) in &at {
                for (child, key, child_key) in self.struck(parent, values)? {
                    is_last = false;
                    if key.1.on_delete == OnDelete::Cascade
                        && seen.insert((child.name, child_key.clone()))
                    {
                        next.extend(
                            self.0.values(child, &child_key)?.map(|values| (child, values)),
                        );
                    }
                }
            }
            if is_last {
                return Ok(false);
            }
            at = next;
        }
        Ok(true)
    }

    /// Returns the rows here that only the primary deletes or changes when this row is deleted.
    fn struck(
        &self,
        parent: &Table,
        values: &Values,
    ) -> Result<Vec<(&'static Table, ForeignKey, RowKey)>, ReplicaError> {
        let mut struck = Vec::new();
        for child in self.0.schema.synced().filter(|child| cascades_on_primary(parent, child)) {
            for key in references(child, parent).filter(|(_, to)| to.on_delete.changes_children()) {
                let keys = self.referring(child, key, (parent, values))?.into_iter();
                struck.extend(keys.map(|child_key| (child, key, child_key)));
            }
        }
        Ok(struck)
    }

    /// Deletes or changes rows of append-only tables as the primary did when it deleted this
    /// entry's row. If the delete was only queued again after the primary went back, rows that were
    /// written since are left: the refusal of their push says that they refer to a deleted row.
    pub(crate) fn follow(&self, entry: &Entry) -> Result<(), ReplicaError> {
        let key_alone = || {
            let value = |name| {
                if name == entry.table.pk { Value::from(entry.key.as_str()) } else { Value::Null }
            };
            entry.table.columns.iter().map(|column| value(column.name)).collect()
        };
        let values = entry.base.clone().unwrap_or_else(key_alone);
        let which = if entry.is_unknown_delete() { Struck::Taken } else { Struck::All };
        self.apply_to_append_only(entry.table, &values, which)
    }

    /// Works as [`Deletes::follow`], for the children of a row that had these values.
    pub(crate) fn apply_to_append_only(
        &self,
        table: &Table,
        values: &[Value],
        which: Struck,
    ) -> Result<(), ReplicaError> {
        for child in self.0.schema.synced().filter(|child| child.policy == Policy::AppendOnly) {
            for key in references(child, table) {
                for child_key in self.referring(child, key, (table, values))? {
                    // A queued row is the user's work. It stays, and the refusal of its push will
                    // say that it refers to a deleted row.
                    if which == Struck::All || Outbox(self.0).entry(child, &child_key)?.is_none() {
                        self.strike(child, &child_key, key, which)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn strike(
        &self,
        child: &'static Table,
        child_key: &RowKey,
        (at, to): ForeignKey,
        which: Struck,
    ) -> Result<(), ReplicaError> {
        let Some(mut values) = self.0.values(child, child_key)? else { return Ok(()) };
        match to.on_delete {
            OnDelete::Cascade => {
                Outbox(self.0).drop(child, child_key)?;
                self.0.delete(child, child_key)?;
                self.apply_to_append_only(child, &values, which)
            }
            OnDelete::SetNull => {
                values[at] = Value::Null;
                Outbox(self.0).put_waiting_row(child, child_key, &values)?;
                self.0.put_values(child, &values)
            }
            OnDelete::NoAction | OnDelete::Restrict => Ok(()),
        }
    }

    /// Drops the queued deletes of rows that no primary ever had.
    pub(crate) fn drop_needless(&self, scope: &ScopeId) -> Result<(), ReplicaError> {
        // The scope has not been read to its end, so it is not known yet what the primary has.
        if Cursors(self.0).is_reading(scope)? {
            return Ok(());
        }
        for entry in Outbox(self.0).deletes(Some(scope))? {
            let may_be_there = entry.base_version > 0 || entry.was_known();
            if may_be_there || Held(self.0).has(entry.table, &entry.key)? {
                continue;
            }
            self.follow(&entry)?;
            Outbox(self.0).drop(entry.table, &entry.key)?;
        }
        Ok(())
    }
}

/// Returns the foreign keys by which a referring row prevents a client from deleting a row of
/// `table`: keys that forbid the delete, and keys of versioned tables, because the client has to
/// delete or change the referring rows itself.
pub(crate) fn keepers<'a>(
    schema: &Schema,
    table: &'a Table,
) -> impl Iterator<Item = (&'static Table, ForeignKey)> + use<'a> {
    let keys = schema
        .synced()
        .flat_map(move |child| references(child, table).map(move |key| (child, key)));
    let keys: Vec<_> = keys.collect();
    keys.into_iter().filter(|(child, (_, to))| {
        child.policy == Policy::Versioned || !to.on_delete.changes_children()
    })
}
