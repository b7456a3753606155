//! The synced tables of a replica follow what the schema declares.
//!
//! The file says what it holds: the recorded schema, and the last migration that the build knew which
//! brought it there. A build that declares otherwise migrates it when it opens it, rows that wait
//! included; one that does not know that migration is older than the file, and refuses it.

use fastest_schema::diff::{Note, TableFate, notes, replica_migration};
use fastest_schema::record::Record;
use fastest_schema::value::{list_from_wire, list_to_wire};
use fastest_schema::{Default, Kind, Schema, Table, Value, replica_record};
use rusqlite::params;

use crate::base::clock;
use crate::replica::error::ReplicaError;
use crate::replica::layout::LAYOUT_VERSION;
use crate::replica::scope::ScopeError;
use crate::replica::session::Session;

impl Session<'_> {
    /// Whether the file holds what the schema declares.
    pub(crate) fn follows_schema(&self) -> Result<bool, ReplicaError> {
        let sql = "SELECT record = ?1 AND migration IS ?2 FROM fastest_local_schema";
        let follows: Option<bool> = self.get(sql, params![self.declared, self.newest()])?;
        Ok(follows.unwrap_or(false))
    }

    /// SQLite's count of changes to the tables of the file.
    fn tables_version(&self) -> Result<Option<i64>, ReplicaError> {
        self.get("PRAGMA schema_version", [])
    }

    /// Refuses to write where another process has brought the file further since it was opened: what
    /// waits is kept in the order of columns.
    pub(crate) fn check_still_follows(&self, known: &mut Option<i64>) -> Result<(), ReplicaError> {
        let now = self.tables_version()?;
        if now == *known {
            return Ok(());
        }
        let version: i64 = self.get("PRAGMA user_version", [])?.unwrap_or(0);
        if version != LAYOUT_VERSION {
            return Err(ReplicaError::Newer { path: self.path.to_owned(), found: version });
        }
        if !self.follows_schema()? {
            let sql = "SELECT migration FROM fastest_local_schema";
            let found: Option<Option<String>> = self.get(sql, [])?;
            let found = found.flatten().unwrap_or_else(|| "other tables".to_owned());
            return Err(ReplicaError::NewerSchema { path: self.path.to_owned(), found });
        }
        *known = now;
        Ok(())
    }

    /// Brings the tables to what the schema declares.
    pub(crate) fn follow_schema(&self) -> Result<(), ReplicaError> {
        let sql = "SELECT record, migration FROM fastest_local_schema";
        let mut found = self
            .all(sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))?;
        let Some((recorded, migration)) = found.pop() else { return Ok(()) };
        let held: Record = serde_json::from_str(&recorded).map_err(|source| {
            let (table, key) = ("fastest_local_schema", "1".to_owned());
            ReplicaError::Row { table, key, source: source.into() }
        })?;
        let declared = replica_record(self.schema.owner, self.schema.tables);
        self.check_not_newer(migration.as_deref(), &held, &declared)?;
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
            self.run("DELETE FROM fastest_local_cursor", [])?;
            // Its names may mean something else by now; what it carries waits still.
            self.run("DELETE FROM fastest_local_sent", [])?;
        }
        let sql = "UPDATE fastest_local_schema SET record = ?1, migration = ?2";
        self.run(sql, params![self.declared, self.newest()]).map(drop)
    }

    /// What the migrations since one say of names.
    fn notes_since(&self, last: &str) -> Vec<Note> {
        let since = self.schema.migrations.iter().skip_while(|known| known.name != last).skip(1);
        since.flat_map(|migration| notes(migration.sql)).collect()
    }

    /// The last migration that this build knows.
    pub(super) fn newest(&self) -> Option<&'static str> {
        self.schema.migrations.last().map(|migration| migration.name)
    }

    /// Refuses a file that a newer build has brought further: it would lose what it does not know.
    fn check_not_newer(
        &self,
        migration: Option<&str>,
        held: &Record,
        declared: &Record,
    ) -> Result<(), ReplicaError> {
        let is_known = |name: &str| self.schema.migrations.iter().any(|known| known.name == name);
        let newer = match migration {
            Some(name) => (!is_known(name)).then(|| name.to_owned()),
            // Where migrations do not tell, what is unknown does.
            None => unknown(held, declared),
        };
        match newer {
            Some(found) => Err(ReplicaError::NewerSchema { path: self.path.to_owned(), found }),
            None => Ok(()),
        }
    }

    /// Gives what is kept of tables' rows elsewhere, as lists in the order of columns, the form that
    /// the tables have now. What waits for a table that devices no longer hold is set aside.
    fn carry_over(&self, fates: &[TableFate]) -> Result<(), ReplicaError> {
        let moved = |fate: &&TableFate| fate.to.as_ref() != Some(&fate.from);
        // One table may have the name that another one had: all go out of the way first.
        for fate in fates.iter().filter(moved) {
            self.rename_waiting(&fate.from, &moving(&fate.from))?;
        }
        for fate in fates {
            let Some(to) = &fate.to else {
                let aside = format!("dropped {} {}", fate.from, clock::new_id());
                self.rename_waiting(&moving(&fate.from), &aside)?;
                continue;
            };
            if fate.from != *to {
                self.rename_waiting(&moving(&fate.from), to)?;
            }
            let same = !fate.retyped
                && fate.columns.iter().enumerate().all(|(at, place)| *place == Some(at))
                && fate.columns.len() == fate.old_names.len();
            if let Some(table) = self.schema.synced_table(to).filter(|_| !same) {
                self.reshape_conflicts(fate, table)?;
                self.reshape_outbox(fate, table)?;
            }
        }
        Ok(())
    }

    fn rename_waiting(&self, from: &str, to: &str) -> Result<(), ReplicaError> {
        for place in ["outbox", "conflict", "held", "refused"] {
            let sql = format!("UPDATE fastest_local_{place} SET tbl = ?2 WHERE tbl = ?1");
            self.run(&sql, [from, to])?;
        }
        Ok(())
    }

    /// Has what waits go out under the scope that its row has by now: the primary has moved the row
    /// there, and where it was it is gone. A file for one scope has no other.
    fn rescope(&self, fate: &TableFate) -> Result<(), ReplicaError> {
        if self.file_scope()?.is_some() {
            return Ok(());
        }
        let move_entry = "UPDATE fastest_local_outbox SET scope = ?2 WHERE revision = ?1";
        for waiting in self.waiting_scopes()? {
            for entry in self.entries(&waiting)? {
                let Some(values) = entry.row.as_ref().or(entry.base.as_ref()) else { continue };
                if fate.to.as_deref() != Some(entry.table.name) {
                    continue;
                }
                match self.scope_of(entry.table, values) {
                    Ok(scope) => drop(self.run(move_entry, params![entry.revision, scope])?),
                    Err(ScopeError::Replica(error)) => return Err(error),
                    // What it follows is not here: it goes out as it would have.
                    Err(ScopeError::None { .. }) => {}
                }
            }
        }
        Ok(())
    }

    fn reshape_outbox(&self, fate: &TableFate, table: &'static Table) -> Result<(), ReplicaError> {
        let sql = "SELECT revision, pk, scope, base, row FROM fastest_local_outbox WHERE tbl = ?1";
        let found = self.all(sql, [table.name], |row| {
            let lists: [Option<String>; 2] = [row.get(3)?, row.get(4)?];
            Ok((row.get::<_, i64>(0)?, [row.get::<_, String>(1)?, row.get(2)?], lists))
        })?;
        for (revision, [key, scope], [base, row]) in found {
            let now = self.values(table, &key)?;
            let base = base.map(|text| reshaped(&text, fate, table, now.as_deref()));
            let mut row = row.map(|text| reshaped(&text, fate, table, now.as_deref()));
            if let (Some(wanted), Some(now)) = (&mut row, &now) {
                self.keep_misfits(table, [&scope, &key], wanted, now)?;
                // The table's own row was made to fit.
                *wanted = list_to_wire(now);
            }
            let sql = "UPDATE fastest_local_outbox SET base = ?2, row = ?3 WHERE revision = ?1";
            self.run(sql, params![revision, base, row])?;
        }
        Ok(())
    }

    /// Keeps what waits, where the table could not keep a value of it as it was.
    fn keep_misfits(
        &self,
        table: &'static Table,
        [scope, key]: [&str; 2],
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
        self.run(
            "INSERT INTO fastest_local_conflict(id, scope, tbl, pk, columns, ours, theirs, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                clock::new_id(),
                scope,
                table.name,
                key,
                lost.join(","),
                wanted,
                list_to_wire(now),
                clock::now()
            ],
        )?;
        Ok(())
    }

    fn reshape_conflicts(
        &self,
        fate: &TableFate,
        table: &'static Table,
    ) -> Result<(), ReplicaError> {
        let sql = "SELECT id, pk, columns, base, ours, theirs FROM fastest_local_conflict
                   WHERE tbl = ?1";
        let found = self.all(sql, [table.name], |row| {
            let lists: [Option<String>; 3] = [row.get(3)?, row.get(4)?, row.get(5)?];
            let names: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
            Ok((names, lists))
        })?;
        for ([id, key, columns], lists) in found {
            let now = self.values(table, &key)?;
            let [base, ours, theirs] =
                lists.map(|text| text.map(|text| reshaped(&text, fate, table, now.as_deref())));
            let columns: Vec<&str> =
                columns.split(',').filter_map(|old| new_name(fate, table, old)).collect();
            let sql = "UPDATE fastest_local_conflict
                       SET columns = ?2, base = ?3, ours = ?4, theirs = ?5 WHERE id = ?1";
            self.run(sql, params![id, columns.join(","), base, ours, theirs])?;
        }
        Ok(())
    }
}

/// What a schema declares, as it is recorded.
pub(crate) fn declared(schema: &Schema) -> String {
    let record = replica_record(schema.owner, schema.tables);
    serde_json::to_string(&record).expect("a record serialises")
}

/// The name under which what waits is out of the way; no table has a space in its name.
fn moving(table: &str) -> String {
    format!("moving {table}")
}

/// A list of a row's values in the order of now. A new column takes the value of the row as it is, or
/// its default.
fn reshaped(text: &str, fate: &TableFate, table: &Table, now: Option<&[Value]>) -> String {
    // A row that is gone is null. What its columns held before decides how numbers are read: a real
    // that no column keeps as such any more is read as one.
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

/// The name that a column has now.
fn new_name<'a>(fate: &TableFate, table: &'a Table, old: &str) -> Option<&'a str> {
    let place = fate.old_names.iter().position(|name| name == old)?;
    let at = fate.columns.iter().position(|column| *column == Some(place))?;
    Some(table.columns[at].name)
}

/// A value as its column holds it by now, where it can be.
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

/// Whether a real is an integer of 64 bits.
fn is_integer(real: f64) -> bool {
    const END: f64 = 9_223_372_036_854_775_808.0;
    real.fract() == 0.0 && (-END..END).contains(&real)
}

/// A table or a column that is held and that nothing declared was.
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
