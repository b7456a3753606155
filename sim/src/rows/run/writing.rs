//! What applications and people write.

use std::collections::BTreeSet;

use fastest_sync::Resolution;
use fastest_sync::database::error::DatabaseError;
use serde_json::{Map, Value};

use crate::rows::application::APPLICATION;
use crate::rows::model::{Change, Fate, Key, Row, Rows};
use crate::rows::run::Run;
use crate::rows::schedule::Edit;

impl Run<'_> {
    /// Returns a value that was never written before.
    pub(super) fn value(&mut self, column: &str) -> String {
        self.values += 1;
        format!("{column}-{}", self.values)
    }

    /// Turns an edit into a change of a row that `rows` has, or not. Returns `None` if there is nothing
    /// to change.
    pub(super) fn change(
        &mut self,
        version: usize,
        team: Option<&'static str>,
        edit: Edit,
        rows: &Rows,
    ) -> Option<(usize, Key, Change)> {
        let table = edit.table(version);
        let team = edit.team(team);
        let key = if table.is_append_only { self.value("entry") } else { edit.key(table, team) };
        let key = (table.name.to_owned(), key);
        let before = rows.get(&key).cloned();
        if edit.columns == 0 && !table.is_append_only {
            let before = before?;
            return Some((edit.table.into(), key, Change::Delete { before }));
        }
        let mut values = Row::new();
        for (place, column) in table.columns.iter().enumerate() {
            if before.is_some() && edit.columns & (1 << place) == 0 {
                continue;
            }
            let value = match *column {
                "folder" => {
                    let folder = edit.folder(team);
                    rows.contains_key(&("folders".to_owned(), folder.clone())).then_some(folder)
                }
                "slug" => Some(edit.slug().unwrap_or_else(|| self.value("slug"))),
                column => Some(self.value(column)),
            };
            values.insert((*column).to_owned(), value);
        }
        if before.is_none() {
            values.insert("team".to_owned(), Some(team.to_owned()));
        }
        Some((edit.table.into(), key, Change::Set { before, values }))
    }

    pub(super) fn write(&mut self, device: u8, edits: &[Edit]) {
        let at = self.at(device);
        let (number, version, team) = (at.number, at.version, at.team);
        let mut rows = match at.rows() {
            Ok(rows) => rows,
            Err(error) => return self.failed(device, "open", &error, false),
        };
        let mut changes = Vec::new();
        for &edit in edits {
            let Some((table, key, change)) = self.change(version, team, edit, &rows) else {
                continue;
            };
            apply(&mut rows, &key, &change);
            changes.push((table, key, change));
        }
        let tables = &APPLICATION[version].tables;
        let after: Vec<Value> = changes.iter().map(|(_, key, change)| json(key, change)).collect();
        let database = self.at(device).open().expect("it was opened above");
        let done = database.transaction(|tx| {
            for ((table, key, change), row) in changes.iter().zip(after) {
                match change {
                    Change::Set { .. } => tables[*table].save(tx, row)?,
                    Change::Delete { .. } => drop(tables[*table].delete(tx, &key.1)?),
                }
            }
            Ok::<_, DatabaseError>(())
        });
        self.done(device);
        match done {
            Ok(()) => {
                let changes = changes.into_iter().map(|(_, key, change)| (key, change)).collect();
                self.wrote(Some(number), changes, Fate::Waits);
                self.look(device);
            }
            Err(error @ DatabaseError::Write(_)) => {
                self.events.add(format!("not written: {error}"))
            }
            Err(error) => self.failed(device, "write", &error, false),
        }
    }

    pub(super) fn wrote(&mut self, device: Option<u8>, changes: Vec<(Key, Change)>, fate: Fate) {
        self.events.add(format!("wrote {}: {changes:?}", self.model.written.len()));
        self.model.write(device, changes, fate);
    }

    /// Writes on the primary, as a person with a console does.
    pub(super) fn hand(&mut self, edit: Edit) {
        let rows = self.primary_rows();
        let Some((table, key, change)) = self.change(self.version, None, edit, &rows) else {
            return;
        };
        let table = &APPLICATION[self.version].tables[table];
        let (sql, values) = match &change {
            Change::Delete { .. } => (format!("DELETE FROM {} WHERE id = ?1", table.name), vec![]),
            Change::Set { before: Some(_), values } => {
                let set: Vec<String> =
                    values.keys().enumerate().map(|(i, c)| format!("{c} = ?{}", i + 2)).collect();
                if set.is_empty() {
                    return;
                }
                let sql = format!("UPDATE {} SET {} WHERE id = ?1", table.name, set.join(", "));
                (sql, values.values().cloned().collect())
            }
            Change::Set { before: None, values } => {
                let columns: Vec<&str> = values.keys().map(String::as_str).collect();
                let places: Vec<String> = (2..columns.len() + 2).map(|n| format!("?{n}")).collect();
                let (columns, places) = (columns.join(", "), places.join(", "));
                let sql =
                    format!("INSERT INTO {}(id, {columns}) VALUES (?1, {places})", table.name);
                (sql, values.values().cloned().collect())
            }
        };
        let parameters = std::iter::once(Some(key.1.clone())).chain(values);
        match self.primary.execute(&sql, rusqlite::params_from_iter(parameters)) {
            Ok(_) => {
                self.wrote(None, vec![(key, change)], Fate::Acknowledged);
                self.see_primary();
            }
            Err(error) => self.events.add(format!("not written by hand: {error}")),
        }
    }

    pub(super) fn resolve(&mut self, device: u8, takes_ours: bool) {
        let before = self.at(device).rows();
        let conflicts = self.at(device).open().and_then(|database| database.conflicts());
        let (Ok(before), Ok(conflicts)) = (before, conflicts) else { return };
        let Some(conflict) = conflicts.first() else { return };
        let choice = if takes_ours { Resolution::Ours } else { Resolution::Theirs };
        let number = self.at(device).number;
        let done = self.at(device).open().and_then(|db| db.resolve(conflict.id.as_str(), &choice));
        match done {
            Ok(_) => {
                let Ok(after) = self.at(device).rows() else { return };
                let changes = differences(&before, &after);
                self.model.repeat(&changes);
                if !changes.is_empty() {
                    self.wrote(Some(number), changes, Fate::Waits);
                }
                self.forget_sight(device);
            }
            Err(DatabaseError::Write(error)) => self.events.add(format!("not resolved: {error}")),
            Err(error) => self.failed(device, "resolve", &error, false),
        }
    }

    pub(super) fn refused(&mut self, device: u8, drops: bool) {
        let number = self.at(device).number;
        let asked = self.at(device).open().and_then(|database| database.refused());
        let Ok(refused) = asked else { return };
        for transaction in refused {
            let database = self.at(device).open().expect("it was opened above");
            if !drops {
                if let Err(error) = database.retry_refused(transaction.id) {
                    self.failed(device, "retry", &error, false);
                }
                continue;
            }
            let dropped = match database.drop_refused(transaction.id) {
                Ok(dropped) => dropped,
                Err(error) => {
                    self.events.add(format!("d{number} cannot drop {}: {error}", transaction.id));
                    continue;
                }
            };
            let keys: BTreeSet<Key> =
                dropped.rows.iter().map(|row| (row.table.clone(), row.key.to_string())).collect();
            self.events.add(format!("d{number} drops {keys:?}"));
            self.model.drop_rows(number, &keys);
            self.forget_sight(device);
        }
    }
}

fn apply(rows: &mut Rows, key: &Key, change: &Change) {
    match change {
        Change::Delete { .. } => drop(rows.remove(key)),
        Change::Set { values, .. } => {
            rows.entry(key.clone()).or_default().extend(values.clone());
        }
    }
}

/// Returns a row as it is after a change, for the application.
fn json(key: &Key, change: &Change) -> Value {
    let Change::Set { before, values } = change else { return Value::Null };
    let mut row = before.clone().unwrap_or_default();
    row.extend(values.clone());
    let mut object: Map<String, Value> =
        row.into_iter().map(|(column, value)| (column, value.into())).collect();
    object.insert("id".to_owned(), key.1.clone().into());
    object.into()
}

/// Returns the changes that lead from one state of a device to another.
pub(super) fn differences(before: &Rows, after: &Rows) -> Vec<(Key, Change)> {
    let mut changes = Vec::new();
    for (key, row) in after {
        let was = before.get(key);
        let differs = |(column, value): &(&String, &Option<String>)| {
            was.and_then(|was| was.get(*column)) != Some(*value)
        };
        let values: Row = row
            .iter()
            .filter(differs)
            .map(|(column, value)| (column.clone(), value.clone()))
            .collect();
        if !values.is_empty() {
            changes.push((key.clone(), Change::Set { before: was.cloned(), values }));
        }
    }
    for (key, row) in before {
        if !after.contains_key(key) {
            changes.push((key.clone(), Change::Delete { before: row.clone() }));
        }
    }
    changes
}
