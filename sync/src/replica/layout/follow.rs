//! Migrates the synced tables of a replica to what the schema declares.
//!
//! The file records its tables, and the last migration known to the build that wrote them. A build
//! that declares other tables migrates the file when it opens it, with the rows that wait for the
//! primary. A build that does not know the recorded migration is older than the file, and refuses
//! it.

use fastest_schema::migrate::note::{Note, notes};
use fastest_schema::migrate::replica::{TableOutcome, replica_migration};
use fastest_schema::record::model::Record;
use fastest_schema::value::wire::{list_from_wire, list_to_wire};
use fastest_schema::{Default, Kind, RowKey, Schema, ScopeId, Table, Value, replica_record};

use crate::replica::error::ReplicaError;
use crate::replica::layout::{LAYOUT_VERSION, Layout};
use crate::replica::local::conflicts::{ConflictLists, Conflicts};
use crate::replica::local::cursors::Cursors;
use crate::replica::local::held::Held;
use crate::replica::local::outbox::{Lists, Outbox};
use crate::replica::local::refused::Refused;
use crate::replica::local::schema_row::SchemaRow;
use crate::replica::local::sent_row::SentRow;
use crate::replica::scope::{ScopeError, Scopes};

impl Layout<'_> {
    /// Whether the file has the tables that the schema declares, and the last migration that this
    /// build knows.
    pub(crate) fn follows_schema(&self) -> Result<bool, ReplicaError> {
        SchemaRow(self.0).is_at(self.newest(), self.0.declared)
    }

    /// Returns SQLite's schema version, which changes with every change to the tables of the file.
    fn tables_version(&self) -> Result<Option<i64>, ReplicaError> {
        self.0.get("PRAGMA schema_version", [])
    }

    /// Fails if another process has migrated the file since it was opened, because rows that wait
    /// for the primary are stored as lists in column order. Called before each write.
    pub(crate) fn check_still_follows(&self, known: &mut Option<i64>) -> Result<(), ReplicaError> {
        let now = self.tables_version()?;
        if now == *known {
            return Ok(());
        }
        let version: i64 = self.0.get("PRAGMA user_version", [])?.unwrap_or(0);
        if version != LAYOUT_VERSION {
            return Err(ReplicaError::Newer { path: self.0.path.to_owned(), found: version });
        }
        if !self.follows_schema()? {
            let found = SchemaRow(self.0).record()?.and_then(|(_, migration)| migration);
            let found = found.unwrap_or_else(|| "other tables".to_owned());
            return Err(ReplicaError::NewerSchema { path: self.0.path.to_owned(), found });
        }
        *known = now;
        Ok(())
    }

    /// Migrates the tables to what the schema declares.
    pub(crate) fn follow_schema(&self) -> Result<(), ReplicaError> {
        let Some((held, migration)) = self.held()? else { return Ok(()) };
        let declared = self.refuse_newer()?;
        let notes = migration.as_deref().map(|last| self.notes_since(last));
        let plan = replica_migration(&held, &declared, notes.as_deref());
        for statement in &plan.statements {
            self.batch(statement)?;
        }
        self.carry_over(&plan.tables)?;
        for fate in plan.tables.iter().filter(|fate| fate.rescoped) {
            self.rescope(fate)?;
        }
        if plan.reread {
            Cursors(self.0).rewind_all()?;
            // The names in the push that was sent may mean something else by now. Its rows are
            // still in the outbox.
            SentRow(self.0).void()?;
        }
        SchemaRow(self.0).set_record(self.newest(), self.0.declared)
    }

    /// Returns the schema that the file records, with the last migration.
    fn held(&self) -> Result<Option<(Record, Option<String>)>, ReplicaError> {
        let Some((recorded, migration)) = SchemaRow(self.0).record()? else { return Ok(None) };
        let held = serde_json::from_str(&recorded).map_err(|source| {
            let (table, key) = ("fastest_local_schema", RowKey::from("1"));
            ReplicaError::Row { table, key, source: source.into() }
        })?;
        Ok(Some((held, migration)))
    }

    /// Fails if a newer build has migrated the file. Otherwise returns what this build declares.
    pub(crate) fn refuse_newer(&self) -> Result<Record, ReplicaError> {
        let declared = replica_record(self.0.schema.owner, self.0.schema.tables);
        if let Some((held, migration)) = self.held()? {
            self.check_not_newer(migration.as_deref(), &held, &declared)?;
        }
        Ok(declared)
    }

    /// Returns the notes about renames and drops in the migrations after `last`.
    fn notes_since(&self, last: &str) -> Vec<Note> {
        let since = self.0.schema.migrations.iter().skip_while(|known| known.name != last).skip(1);
        since.flat_map(|migration| notes(migration.sql)).collect()
    }

    /// Returns the last migration that this build knows.
    pub(super) fn newest(&self) -> Option<&'static str> {
        self.0.schema.migrations.last().map(|migration| migration.name)
    }

    /// Fails if a newer build has migrated the file: data that this build does not know would be
    /// lost.
    fn check_not_newer(
        &self,
        migration: Option<&str>,
        held: &Record,
        declared: &Record,
    ) -> Result<(), ReplicaError> {
        let is_known = |name: &str| self.0.schema.migrations.iter().any(|known| known.name == name);
        let newer = match migration {
            Some(name) => (!is_known(name)).then(|| name.to_owned()),
            // Without a recorded migration, look for a table or column that is not declared.
            None => unknown(held, declared),
        };
        match newer {
            Some(found) => Err(ReplicaError::NewerSchema { path: self.0.path.to_owned(), found }),
            None => Ok(()),
        }
    }

    /// Converts the rows in the outbox and in conflicts, which are stored as lists in column order,
    /// to the columns that their tables have now. Entries of a table that devices no longer have
    /// are set aside, under a name that no table has.
    fn carry_over(&self, fates: &[TableOutcome]) -> Result<(), ReplicaError> {
        let moved = |fate: &&TableOutcome| fate.to.as_ref() != Some(&fate.from);
        // A table may take over the name of another one, so all are moved out of the way first.
        for fate in fates.iter().filter(moved) {
            self.rename_waiting(&fate.from, &moving(&fate.from))?;
        }
        for fate in fates {
            let Some(to) = &fate.to else {
                let aside = format!("dropped {} {}", fate.from, self.0.world.new_id());
                self.rename_waiting(&moving(&fate.from), &aside)?;
                continue;
            };
            if fate.from != *to {
                self.rename_waiting(&moving(&fate.from), to)?;
            }
            let same = !fate.retyped
                && fate.columns.iter().enumerate().all(|(at, place)| *place == Some(at))
                && fate.columns.len() == fate.old_names.len();
            if let Some(table) = self.0.schema.synced_table(to).filter(|_| !same) {
                self.reshape_conflicts(fate, table)?;
                self.reshape_outbox(fate, table)?;
            }
        }
        Ok(())
    }

    fn rename_waiting(&self, from: &str, to: &str) -> Result<(), ReplicaError> {
        Outbox(self.0).rename_table(from, to)?;
        Conflicts(self.0).rename_table(from, to)?;
        Held(self.0).rename_table(from, to)?;
        Refused(self.0).rename_table(from, to)
    }

    /// Moves outbox entries to the scopes that their rows have now, for a table whose declared
    /// scope changed. The primary has moved the rows there. In a file for a single scope, nothing
    /// moves.
    fn rescope(&self, fate: &TableOutcome) -> Result<(), ReplicaError> {
        if SchemaRow(self.0).scope()?.is_some() {
            return Ok(());
        }
        for waiting in Outbox(self.0).scopes()? {
            for entry in Outbox(self.0).entries(&waiting)? {
                let Some(values) = entry.row.as_ref().or(entry.base.as_ref()) else { continue };
                if fate.to.as_deref() != Some(entry.table.name) {
                    continue;
                }
                match Scopes(self.0).of(entry.table, values) {
                    Ok(scope) => Outbox(self.0).set_scope(entry.revision, &scope)?,
                    Err(ScopeError::Replica(error)) => return Err(error),
                    // The row that decides its scope is not here, so the entry keeps its scope.
                    Err(ScopeError::None { .. }) => {}
                }
            }
        }
        Ok(())
    }

    fn reshape_outbox(
        &self,
        fate: &TableOutcome,
        table: &'static Table,
    ) -> Result<(), ReplicaError> {
        for Lists { revision, key, scope, base, row } in Outbox(self.0).lists_of(table)? {
            let now = self.0.values(table, &key)?;
            let base = base.map(|text| reshaped(&text, fate, table, now.as_deref()));
            let mut row = row.map(|text| reshaped(&text, fate, table, now.as_deref()));
            if let (Some(wanted), Some(now)) = (&mut row, &now) {
                self.keep_as_conflict(table, (&scope, &key), wanted, now)?;
                // The migration has converted the row in the table.
                *wanted = list_to_wire(now);
            }
            Outbox(self.0).set_lists(revision, base.as_deref(), row.as_deref())?;
        }
        Ok(())
    }

    /// Keeps a waiting row as a conflict, if the migration changed one of its values that is not
    /// null.
    fn keep_as_conflict(
        &self,
        table: &'static Table,
        (scope, key): (&ScopeId, &RowKey),
        wanted: &str,
        now: &[Value],
    ) -> Result<(), ReplicaError> {
        let kinds = table.columns.iter().map(|column| column.kind);
        let Ok(values) = list_from_wire(wanted, kinds) else { return Ok(()) };
        let pairs = table.columns.iter().zip(values.iter().zip(now));
        let lost = pairs.filter(|(_, (wanted, now))| !wanted.is_null() && wanted != now);
        let lost: Vec<&str> = lost.map(|(column, _)| column.name).collect();
        if lost.is_empty() {
            return Ok(());
        }
        Conflicts(self.0).keep_lists(
            scope,
            (table, key),
            &lost.join(","),
            [None, Some(wanted), Some(&list_to_wire(now))],
        )
    }

    fn reshape_conflicts(
        &self,
        fate: &TableOutcome,
        table: &'static Table,
    ) -> Result<(), ReplicaError> {
        for kept in Conflicts(self.0).lists_of(table)? {
            let now = self.0.values(table, &kept.key)?;
            let [base, ours, theirs] = kept
                .lists
                .map(|text| text.map(|text| reshaped(&text, fate, table, now.as_deref())));
            let columns = kept.columns.split(',').filter_map(|old| new_name(fate, table, old));
            let columns = columns.collect::<Vec<_>>().join(",");
            Conflicts(self.0).set_lists(&ConflictLists {
                columns,
                lists: [base, ours, theirs],
                ..kept
            })?;
        }
        Ok(())
    }
}

/// Returns a schema's declarations as the JSON that a file records.
pub(crate) fn declared(schema: &Schema) -> String {
    let record = replica_record(schema.owner, schema.tables);
    serde_json::to_string(&record).expect("a record serialises")
}

/// Returns a temporary name for the entries of a table. No table has a space in its name.
fn moving(table: &str) -> String {
    format!("moving {table}")
}

/// Converts a list of a row's values to the present columns. A new column takes the value that the
/// row has now, or its default if there is no row.
fn reshaped(text: &str, fate: &TableOutcome, table: &Table, now: Option<&[Value]>) -> String {
    // A deleted row is `null`, and stays so. Numbers are read by the old kinds of the columns, so a
    // real is read as a real even if its column is of another kind by now.
    let Ok(old) = list_from_wire(text, fate.old_kinds.iter().copied()) else {
        return text.to_owned();
    };
    let value = |(at, place): (usize, &Option<usize>)| {
        let column = &table.columns[at];
        match place {
            Some(place) => as_kind(old.get(*place).cloned().unwrap_or_default(), column.kind),
            None => match now {
                Some(now) => now[at].clone(),
                None => column.default.map(constant).unwrap_or_default(),
            },
        }
    };
    let new: Vec<Value> = fate.columns.iter().enumerate().map(value).collect();
    list_to_wire(&new)
}

fn constant(default: Default) -> Value {
    match default {
        Default::Text(text) => text.into(),
        Default::Integer(integer) => integer.into(),
        Default::Real(real) => real.into(),
        Default::Now | Default::Sql(_) => Value::Null,
    }
}

/// Returns the present name of a column; `None` if it was dropped.
fn new_name<'a>(fate: &TableOutcome, table: &'a Table, old: &str) -> Option<&'a str> {
    let place = fate.old_names.iter().position(|name| name == old)?;
    let at = fate.columns.iter().position(|column| *column == Some(place))?;
    Some(table.columns[at].name)
}

/// Converts a value to the present kind of its column, or returns it unchanged if that is not
/// possible.
fn as_kind(value: Value, kind: Kind) -> Value {
    match (&value, kind) {
        (Value::Integer(integer), Kind::Text) => integer.to_string().into(),
        (Value::Real(real), Kind::Text) => format!("{real:?}").into(),
        (Value::Integer(integer), Kind::Real) => Value::Real(*integer as f64),
        (Value::Real(real), Kind::Integer) if is_integer(*real) => Value::Integer(*real as i64),
        (Value::Text(text), Kind::Integer) => text.parse().map_or(value, Value::Integer),
        (Value::Text(text), Kind::Real) => text.parse().map_or(value, Value::Real),
        _ => value,
    }
}

/// Whether a real is an integer that fits into 64 bits.
fn is_integer(real: f64) -> bool {
    const END: f64 = 9_223_372_036_854_775_808.0;
    real.fract() == 0.0 && (-END..END).contains(&real)
}

/// Returns a table or a column that the file has and the schema does not declare.
fn unknown(held: &Record, declared: &Record) -> Option<String> {
    let plan = replica_migration(held, declared, None);
    for fate in plan.tables {
        let Some(to) = fate.to else { return Some(format!("the table {}", fate.from)) };
        let columns = &held.table(&fate.from)?.columns;
        let lost = (0..columns.len()).find(|at| !fate.columns.contains(&Some(*at)));
        if let Some(at) = lost {
            return Some(format!("the column {to}.{}", columns[at].name));
        }
    }
    None
}
