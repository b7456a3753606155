//! Checks and writes the rows of an application.
//!
//! The primary enforces every constraint. Constraints that can be checked here are checked before
//! anything is written. A foreign key may refer to a row of a scope that this device does not hold,
//! so a missing parent is allowed, but not one that is known to be deleted. A delete deletes or
//! changes the rows that refer to the row, as their foreign keys declare and as on the primary.
//! Rows of append-only tables follow once the primary has accepted the delete.

use std::fmt;

use fastest_schema::{OnDelete, Policy, RowKey, ScopeId, Table, Value};
use rusqlite::params_from_iter;

use crate::replica::error::ReplicaError;
use crate::replica::keys::{foreign_keys, referable, references};
use crate::replica::local::known::Known;
use crate::replica::local::outbox::{Entry, Outbox};
use crate::replica::scope::Scopes;
use crate::replica::session::Session;
use crate::replica::values::{Bound, Values, key_of};
use crate::rows::deletes::{Deletes, Struck};
use crate::rows::unique::Unique;
use crate::rows::write_error::{ROW_BYTES_MAX, WriteError};

/// A row that refers to one that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Orphan {
    /// The table.
    pub table: &'static str,
    /// The key.
    pub key: RowKey,
    /// The column that refers to the deleted row.
    pub column: &'static str,
    /// The table of the deleted row.
    pub parent: &'static str,
    /// The key of the deleted row.
    pub parent_key: RowKey,
}

impl fmt::Display for Orphan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, key, column, parent, parent_key } = self;
        write!(f, "row {key} of {table} names {parent} {parent_key} in {column}, which was deleted")
    }
}

/// Writes rows as an application does.
#[derive(Clone, Copy)]
pub(crate) struct Writer<'a>(pub(crate) Session<'a>);

impl Writer<'_> {
    /// Writes a row and queues it for the primary, in the scope that its table declares. `held` is
    /// the file's scope; `None` if the file may hold rows of any scope.
    pub(crate) fn write(
        &self,
        held: Option<&ScopeId>,
        table: &'static Table,
        values: &[Value],
    ) -> Result<(), WriteError> {
        let key = table.columns.iter().zip(values).find(|(column, _)| column.name == table.pk);
        let Some(key) = key.and_then(|(_, value)| value.as_str()).map(RowKey::from) else {
            return Err(WriteError::NoKey { table: table.name });
        };
        check_storable(table, &key, table.columns.iter().map(|column| column.name).zip(values))?;
        check_size(table, &key, values)?;
        let scope = Scopes(self.0).of(table, values)?;
        check_held(held, &scope, table, &key)?;
        if table.policy == Policy::AppendOnly
            && self.0.values(table, &key)?.is_some_and(|there| there != values)
        {
            return Err(WriteError::Exists { table: table.name, key });
        }
        self.check_references(table, values)?;
        Unique(self.0).check(table, values)?;
        Ok(Outbox(self.0).save_values(&scope, table, values)?)
    }

    /// Writes a new row with the given columns, and defaults in the others. Returns all its values.
    pub(crate) fn insert(
        &self,
        held: Option<&ScopeId>,
        table: &'static Table,
        given: &[(&'static str, Value)],
    ) -> Result<Values, WriteError> {
        let key = given.iter().find(|(name, _)| *name == table.pk);
        let key = key.and_then(|(_, value)| value.as_str()).map(RowKey::from);
        let shown = key.clone().unwrap_or_else(|| RowKey::from("without a key"));
        check_storable(table, &shown, given.iter().map(|(name, value)| (*name, value)))?;
        if let Some(key) = key
            && self.0.values(table, &key)?.is_some()
        {
            return Err(WriteError::Exists { table: table.name, key });
        }
        let columns: Vec<String> = given.iter().map(|(name, _)| format!("`{name}`")).collect();
        let (name, pk) = (table.name, table.pk);
        let values = if columns.is_empty() {
            "DEFAULT VALUES".to_owned()
        } else {
            let slots = vec!["?"; columns.len()].join(",");
            format!("({}) VALUES ({slots})", columns.join(","))
        };
        let sql = format!("INSERT INTO `{name}`{values} RETURNING `{pk}`");
        let parameters = params_from_iter(given.iter().map(|(_, value)| Bound(value)));
        // The key may come from a default that the application declares, and may be null.
        let key: Option<Option<RowKey>> = self.0.get(&sql, parameters)?;
        let values = match &key {
            Some(Some(key)) => self.0.values(table, key)?,
            _ => None,
        };
        let Some((Some(key), values)) = key.zip(values) else {
            return Err(WriteError::NoKey { table: name });
        };
        // SQLite has filled in the defaults: from here on the row is written like any other.
        self.0.delete(table, &key)?;
        self.write(held, table, &values)?;
        Ok(values)
    }

    /// Deletes a row, and applies the foreign keys of its children. Returns whether the row
    /// existed.
    pub(crate) fn delete(
        &self,
        held: Option<&ScopeId>,
        table: &'static Table,
        key: &RowKey,
    ) -> Result<bool, WriteError> {
        let was_there = self.0.values(table, key)?.is_some();
        // A work list instead of recursion, because there may be many generations.
        let mut going = vec![(table, key.to_owned())];
        while let Some((table, key)) = going.pop() {
            let Some(values) = self.0.values(table, &key)? else { continue };
            let scope = self.scope_held(table, &key, &values)?;
            check_held(held, &scope, table, &key)?;
            if Deletes(self.0).is_too_deep(table, &values)? {
                return Err(WriteError::TooDeep { table: table.name, key });
            }
            // The row is removed first, so that the loop ends even if rows refer to each other in a
            // cycle.
            Outbox(self.0).remove(&scope, table, &key)?;
            for child in self.0.schema.synced() {
                for (at, to) in references(child, table) {
                    for child_key in Deletes(self.0).referring(child, (at, to), (table, &values))? {
                        let orphan = (child, child_key);
                        going.extend(self.orphan((table, &key), orphan, (at, to.on_delete))?);
                    }
                }
            }
            if Outbox(self.0).entry(table, &key)?.is_none() {
                // The primary never knew the row, so no answer will say what happens to the rows
                // that refer to it.
                Deletes(self.0).apply_to_append_only(table, &values, Struck::All)?;
            }
        }
        Ok(was_there)
    }

    /// Applies the ON DELETE action of a foreign key to a child whose parent is deleted. Returns
    /// the child if it has to be deleted too.
    fn orphan(
        &self,
        (table, key): (&Table, &RowKey),
        (child, child_key): (&'static Table, RowKey),
        (at, on_delete): (usize, OnDelete),
    ) -> Result<Option<(&'static Table, RowKey)>, WriteError> {
        match on_delete {
            // The primary does this once it has accepted the delete. A client cannot ask for it.
            OnDelete::Cascade | OnDelete::SetNull if child.policy == Policy::AppendOnly => {}
            OnDelete::Cascade => return Ok(Some((child, child_key))),
            OnDelete::SetNull => {
                let Some(mut values) = self.0.values(child, &child_key)? else { return Ok(None) };
                let scope = self.scope_held(child, &child_key, &values)?;
                values[at] = Value::Null;
                Outbox(self.0).save_values(&scope, child, &values)?;
            }
            _ => {
                return Err(WriteError::Referred {
                    table: table.name,
                    key: key.clone(),
                    child: child.name,
                    child_key,
                });
            }
        }
        Ok(None)
    }

    /// Checks that the schema declares the table, and that its rows can be written here.
    pub(crate) fn check_table(&self, table: &'static Table) -> Result<(), WriteError> {
        let (owner, name) = (self.0.schema.owner, table.name);
        match self.0.schema.tables.iter().find(|known| **known == table) {
            None => Err(WriteError::UnknownTable { owner, table: name }),
            Some(known) if known.policy == Policy::Private => {
                Err(WriteError::Private { table: name })
            }
            Some(_) => Ok(()),
        }
    }

    /// Returns the scope of a row that is here: the one in which it is queued, or else the one
    /// under which it is known, or else the one that its values determine.
    fn scope_held(
        &self,
        table: &'static Table,
        key: &RowKey,
        values: &[Value],
    ) -> Result<ScopeId, WriteError> {
        let waits = Outbox(self.0).scope_of(table, key)?;
        match waits.map_or_else(|| Known(self.0).scope(table, key), |scope| Ok(Some(scope)))? {
            Some(scope) => Ok(scope),
            None => Ok(Scopes(self.0).of(table, values)?),
        }
    }

    /// Refuses a foreign key to a row that is known to be deleted.
    fn check_references(&self, table: &'static Table, values: &[Value]) -> Result<(), WriteError> {
        match self.orphan_of(table, values)? {
            None => Ok(()),
            Some(Orphan { table, column, parent, parent_key: key, .. }) => {
                Err(WriteError::Deleted { table, column, parent, key })
            }
        }
    }

    /// Returns the first reference of a row to a row that is known to be deleted.
    pub(crate) fn orphan_of(
        &self,
        table: &'static Table,
        values: &[Value],
    ) -> Result<Option<Orphan>, ReplicaError> {
        for (at, to) in foreign_keys(table) {
            let Some(parent) = self.0.schema.synced_table(to.table) else { continue };
            let deleted = match &values[at] {
                Value::Null => None,
                Value::Text(key) if to.column == parent.pk => {
                    self.deleted_by_key(parent, &RowKey::from(key.as_str()))?
                }
                value => self.deleted_by_value(parent, to.column, value)?,
            };
            if let Some(parent_key) = deleted {
                let (key, column) = (key_of(table, values), table.columns[at].name);
                let (table, parent) = (table.name, parent.name);
                return Ok(Some(Orphan { table, key, column, parent, parent_key }));
            }
        }
        Ok(None)
    }

    /// Returns the key if its row is known to be deleted.
    fn deleted_by_key(&self, table: &Table, key: &RowKey) -> Result<Option<RowKey>, ReplicaError> {
        let is_deleted = self.0.values(table, key)?.is_none()
            && (Outbox(self.0).is_delete_queued(table, key)?
                || Known(self.0).is_deleted(table, key)?);
        Ok(is_deleted.then(|| key.to_owned()))
    }

    /// Returns the key of the row that had a value in a unique column, if the delete of that row is
    /// queued and no other row has the value. Of rows that were deleted elsewhere, only the keys
    /// are known.
    fn deleted_by_value(
        &self,
        table: &Table,
        column: &str,
        value: &Value,
    ) -> Result<Option<RowKey>, ReplicaError> {
        let there = format!("SELECT 1 FROM `{}` WHERE `{column}` = ?1", table.name);
        if self.0.get::<i64>(&there, [Bound(value)])?.is_some() {
            return Ok(None);
        }
        let had = |entry: &Entry| {
            let base = entry.base.as_deref().filter(|_| entry.table.name == table.name);
            base.and_then(|base| referable(table, base, column)) == Some(value)
        };
        Ok(Outbox(self.0).deletes(None)?.into_iter().find(had).map(|entry| entry.key))
    }
}

/// Refuses NaN, which SQLite would store as null.
fn check_storable<'a>(
    table: &Table,
    key: &RowKey,
    values: impl Iterator<Item = (&'static str, &'a Value)>,
) -> Result<(), WriteError> {
    for (column, value) in values {
        if value.is_nan() {
            let (table, key) = (table.name, key.to_owned());
            return Err(WriteError::Unstorable { table, key, column, value: value.clone() });
        }
    }
    Ok(())
}

/// Refuses a row that some kinds of primary could not accept.
fn check_size(table: &Table, key: &RowKey, values: &[Value]) -> Result<(), WriteError> {
    // As JSON, a byte takes at most six bytes.
    let text_bytes = |value: &Value| value.as_str().map_or(0, str::len);
    if values.iter().map(text_bytes).sum::<usize>() * 6 < ROW_BYTES_MAX {
        return Ok(());
    }
    let columns = table.columns.iter().zip(values);
    let sizes = columns.map(|(column, value)| (value.to_wire().to_string().len(), column.name));
    let sizes: Vec<(usize, &'static str)> = sizes.collect();
    let bytes = sizes.iter().map(|(bytes, name)| bytes + name.len() + 4).sum();
    match sizes.iter().max() {
        Some((_, column)) if bytes > ROW_BYTES_MAX => {
            Err(WriteError::TooLarge { table: table.name, key: key.to_owned(), column, bytes })
        }
        _ => Ok(()),
    }
}

fn check_held(
    held: Option<&ScopeId>,
    scope: &ScopeId,
    table: &Table,
    key: &RowKey,
) -> Result<(), WriteError> {
    match held {
        Some(held) if held != scope => Err(WriteError::OtherScope {
            table: table.name,
            key: key.to_owned(),
            found: scope.to_owned(),
            held: held.to_owned(),
        }),
        _ => Ok(()),
    }
}
