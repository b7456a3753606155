//! The synced tables of a replica follow what the schema declares.
//!
//! The file says what it holds: the recorded schema, and the last migration that the build knew which
//! brought it there. A build that declares otherwise migrates it when it opens it, rows that wait
//! included; one that does not know that migration is older than the file, and refuses it.

use fastest_schema::diff::{TableFate, replica_migration};
use fastest_schema::record::Record;
use fastest_schema::{Kind, Table, replica_record};
use rusqlite::params;
use rusqlite::types::Value as Cell;
use serde_json::Value;

use crate::local_write::WriteError;
use crate::replica::{ReplicaError, Session};

impl Session<'_> {
    /// Whether the file holds what the schema declares.
    pub(crate) fn follows_schema(&self) -> Result<bool, ReplicaError> {
        let sql = "SELECT record = ?1 AND migration IS ?2 FROM fastest_local_schema";
        let follows: Option<bool> = self.get(sql, params![self.declared(), self.newest()])?;
        Ok(follows.unwrap_or(false))
    }

    /// Brings the tables to what the schema declares.
    pub(crate) fn follow_schema(&self) -> Result<(), ReplicaError> {
        let sql = "SELECT record, migration FROM fastest_local_schema";
        let mut found = self
            .all(sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)))?;
        let Some((recorded, migration)) = found.pop() else { return Ok(()) };
        let held: Record = serde_json::from_str(&recorded).map_err(|source| {
            let (table, key) = ("fastest_local_schema", "1".to_owned());
            ReplicaError::Row { table, key, source }
        })?;
        let declared = replica_record(self.schema.owner, self.schema.tables);
        self.check_not_newer(migration.as_deref(), &held, &declared)?;
        let plan = replica_migration(&held, &declared);
        for statement in &plan.statements {
            self.batch(statement)?;
        }
        for fate in &plan.tables {
            self.carry_over(fate)?;
        }
        for fate in plan.tables.iter().filter(|fate| fate.rescoped) {
            self.rescope(fate)?;
        }
        let sql = "UPDATE fastest_local_schema SET record = ?1, migration = ?2";
        self.run(sql, params![self.declared(), self.newest()]).map(drop)
    }

    /// What the schema declares, as it is recorded.
    pub(super) fn declared(&self) -> String {
        let record = replica_record(self.schema.owner, self.schema.tables);
        serde_json::to_string(&record).expect("a record serialises")
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

    /// Gives what is kept of a table's rows elsewhere, as lists in the order of its columns, the form
    /// that the table has now. A new column takes the value that the row has there.
    fn carry_over(&self, fate: &TableFate) -> Result<(), ReplicaError> {
        let Some(to) = &fate.to else {
            self.run("DELETE FROM fastest_local_outbox WHERE tbl = ?1", [&fate.from])?;
            return Ok(());
        };
        let table = self.schema.synced_table(to).expect("the plan is made of declared tables");
        let same = fate.columns.iter().enumerate().all(|(at, place)| *place == Some(at));
        if !same || fate.from != *to {
            for (holder, lists) in
                [("outbox", &["base", "row"][..]), ("conflict", &["base", "ours", "theirs"])]
            {
                let place = format!("fastest_local_{holder}");
                for list in lists {
                    self.reshape(&place, list, fate, table)?;
                }
                let sql = format!("UPDATE {place} SET tbl = ?2 WHERE tbl = ?1");
                self.run(&sql, [&fate.from, to])?;
            }
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
                    Err(WriteError::Replica(error)) => return Err(error),
                    // What it follows is not here: it goes out as it would have.
                    Err(_) => {}
                }
            }
        }
        Ok(())
    }

    fn reshape(
        &self,
        place: &str,
        list: &str,
        fate: &TableFate,
        table: &'static Table,
    ) -> Result<(), ReplicaError> {
        let id = key_of(place);
        let select =
            format!("SELECT {id}, pk, {list} FROM {place} WHERE tbl = ?1 AND {list} IS NOT NULL");
        let found = self.all(&select, [&fate.from], |row| {
            Ok((row.get::<_, Cell>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        let update = format!("UPDATE {place} SET {list} = ?2 WHERE {id} = ?1");
        for (at, key, text) in found {
            let Ok(Value::Array(old)) = serde_json::from_str(&text) else { continue };
            let now = self.values(table, &key)?;
            let value = |(column, place): (usize, &Option<usize>)| match place {
                Some(place) => {
                    let old = old.get(*place).cloned().unwrap_or_default();
                    as_kind(old, table.columns[column].kind)
                }
                None => now.as_ref().map(|now| now[column].clone()).unwrap_or_default(),
            };
            let new: Vec<Value> = fate.columns.iter().enumerate().map(value).collect();
            self.run(&update, params![at, Value::from(new).to_string()])?;
        }
        Ok(())
    }
}

/// A value as its column holds it by now, where it can be.
fn as_kind(value: Value, kind: Kind) -> Value {
    match (&value, kind) {
        (Value::Number(number), Kind::Text) => number.to_string().into(),
        (Value::String(text), Kind::Integer) => text.parse().map_or(value, |n: i64| n.into()),
        (Value::String(text), Kind::Real) => text.parse().map_or(value, |n: f64| n.into()),
        _ => value,
    }
}

/// The key of a table that holds rows as lists.
fn key_of(place: &str) -> &'static str {
    if place == "fastest_local_outbox" { "revision" } else { "id" }
}

/// A table or a column that is held and that nothing declared was.
fn unknown(held: &Record, declared: &Record) -> Option<String> {
    let plan = replica_migration(held, declared);
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
