//! Carries out a schedule.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fastest_sync::database::error::DatabaseError;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::{Database, Resolution, migrate};
use rusqlite::Connection;
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

use crate::application::APPLICATION;
use crate::device::{Device, copy_folder};
use crate::events::{Events, digest};
use crate::finding::{Finding, Kind};
use crate::model::{Change, Fate, Key, Model, Row, Rows, Written};
use crate::network::Planned;
use crate::schedule::{Edit, Schedule, Step};
use crate::sql;
use crate::world::Party;

/// What came of a schedule.
#[derive(Debug)]
pub struct Outcome {
    /// What happened, in order.
    pub events: String,
    /// What is wrong. None if all is well.
    pub findings: Vec<Finding>,
    /// How many requests were made.
    pub requests: u64,
}

/// How many requests a command may make.
const REQUESTS_MAX: u32 = 80;

/// How often all devices push and pull until they agree.
const ROUNDS_MAX: u32 = 12;

/// Carries out a schedule in `root`, an empty folder.
pub fn run(schedule: &Schedule, runtime: &Runtime, root: &Path) -> Outcome {
    let mut run = Run::new(schedule, runtime, root);
    for (number, step) in schedule.steps.iter().enumerate() {
        run.events.add(format!("{number}: {step:?}"));
        run.step(step);
        if !run.findings.is_empty() {
            break;
        }
    }
    if run.findings.is_empty() {
        run.settle();
    }
    Outcome { events: run.events.text(), findings: run.findings, requests: run.requests }
}

struct Run<'a> {
    runtime: &'a Runtime,
    root: PathBuf,
    events: Events,
    model: Model,
    devices: Vec<Device>,
    /// The version of the application whose tables the primary has.
    version: usize,
    /// The simulator's own look at the primary.
    primary: Connection,
    /// The version of the primary's backup, and which transactions it has.
    backup: Option<(usize, BTreeSet<usize>)>,
    /// The first transaction since the primary was last put back.
    whole_from: usize,
    now: Duration,
    /// Counts the values that were written.
    values: u32,
    requests: u64,
    findings: Vec<Finding>,
}

impl<'a> Run<'a> {
    fn new(schedule: &Schedule, runtime: &'a Runtime, root: &Path) -> Self {
        let events = Events::default();
        std::fs::create_dir(root.join("primary")).expect("the folder of the run is empty");
        let world = Party::new(schedule.seed).world();
        let path = root.join("primary").join("primary.db");
        let primary = Embedded::new(&path, world);
        runtime.block_on(migrate(&primary, APPLICATION[0].schema)).expect("the primary is new");
        drop(primary);
        let device = |number| Device::new(number, schedule.seed, root, &events);
        let devices = (0..schedule.devices).map(device).collect();
        Self {
            runtime,
            root: root.to_owned(),
            model: Model::default(),
            devices,
            version: 0,
            primary: look_at(&path),
            backup: None,
            whole_from: 0,
            now: Duration::ZERO,
            values: 0,
            requests: 0,
            findings: Vec::new(),
            events,
        }
    }

    fn found(&mut self, kind: Kind, text: String) {
        self.events.add(format!("FOUND {text}"));
        self.findings.push(Finding { kind, text });
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Write { device, edits } => self.write(*device, edits),
            Step::Push { device, faults } => self.push(*device, faults),
            Step::Pull { device, faults } => self.pull(*device, faults),
            Step::Hand(edit) => self.hand(*edit),
            Step::Resolve { device, takes_ours } => self.resolve(*device, *takes_ours),
            Step::Refused { device, drops } => self.refused(*device, *drops),
            Step::Reopen { device } => self.at(*device).close(),
            Step::Skew { device, ms } => self.at(*device).party.set_skew(*ms),
            Step::Deliver { device } => self.deliver(*device),
            Step::Backup { device } => self.back_up(*device),
            Step::Restore { device } => self.restore(*device),
            Step::Copy { from, to } => self.copy(*from, *to),
            Step::BackupPrimary => self.back_up_primary(),
            Step::RestorePrimary => self.restore_primary(),
            Step::Migrate => self.migrate(),
            Step::Upgrade { device } => self.upgrade(*device),
        }
    }

    /// Returns a device, whose clock has moved to the time of the run.
    fn at(&mut self, device: u8) -> &mut Device {
        let count = self.devices.len();
        let device = &mut self.devices[usize::from(device) % count];
        device.party.advance_to(self.now);
        device
    }

    /// Moves the time of the run on to that of a device.
    fn done(&mut self, device: u8) {
        self.now = self.now.max(self.at(device).party.passed()) + Duration::from_millis(10);
    }

    /// Returns a value that was never written before.
    fn value(&mut self, column: &str) -> String {
        self.values += 1;
        format!("{column}-{}", self.values)
    }

    /// Turns an edit into a change of a row that `rows` has, or not. Returns `None` if there is nothing
    /// to change.
    fn change(
        &mut self,
        version: usize,
        team: Option<&'static str>,
        edit: Edit,
        rows: &Rows,
    ) -> Option<(usize, Key, Change)> {
        let table = &APPLICATION[version].tables[usize::from(edit.table)];
        let team = team.unwrap_or(["red", "blue"][usize::from(edit.team)]);
        let key = match table.is_append_only {
            true => self.value("entry"),
            false => format!("{team}-{}{}", table.name, edit.key),
        };
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
                    let folder = format!("{team}-folders{}", edit.choice);
                    rows.contains_key(&("folders".to_owned(), folder.clone())).then_some(folder)
                }
                "slug" if edit.choice == 0 => Some(format!("slug-{}", edit.key % 3)),
                column => Some(self.value(column)),
            };
            values.insert((*column).to_owned(), value);
        }
        if before.is_none() {
            values.insert("team".to_owned(), Some(team.to_owned()));
        }
        Some((edit.table.into(), key, Change::Set { before, values }))
    }

    fn write(&mut self, device: u8, edits: &[Edit]) {
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

    fn wrote(&mut self, device: Option<u8>, changes: Vec<(Key, Change)>, fate: Fate) {
        self.events.add(format!("wrote {}: {changes:?}", self.model.written.len()));
        self.model.write(device, changes, fate);
    }

    /// Compares a device's rows with what it had seen, after something that may only bring it further.
    fn look(&mut self, device: u8) {
        self.note_conflicts(device);
        let at = self.at(device);
        let rows = match at.rows() {
            Ok(rows) => rows,
            Err(error) => return self.failed(device, "open", &error, false),
        };
        let (number, team) = (at.number, at.team);
        let mut sight = std::mem::take(&mut at.sight);
        let model = &self.model;
        let mut back = sight.look(&rows, |key, column, value| model.was_sent(key, column, value));
        self.at(device).sight = sight;
        back.retain(|(key, column, value)| !self.model.may_come_back(key, column, value));
        self.events.add(format!("d{number} has {} rows {}", rows.len(), digest(&rows)));
        for (key, column, value) in back {
            self.found(Kind::WentBack, format!("d{number}: {key:?}.{column} is {value} again"));
        }
        for (key, row) in &rows {
            if team.is_some_and(|team| row["team"].as_deref() != Some(team)) {
                self.found(
                    Kind::Scope,
                    format!("d{number} is for {team:?} and has {key:?} {row:?}"),
                );
            }
        }
    }

    /// Forgets what a device has seen: from here on it may go back.
    fn forget_sight(&mut self, device: u8) {
        self.at(device).sight = crate::device::Sight::default();
    }

    fn note_conflicts(&mut self, device: u8) {
        let conflicts = match self.at(device).open().and_then(|database| database.conflicts()) {
            Ok(conflicts) => conflicts,
            Err(error) => return self.failed(device, "list conflicts", &error, false),
        };
        if !conflicts.is_empty() {
            self.events.add(format!("d{device} has conflicts {conflicts:?}"));
        }
        for conflict in conflicts {
            let key = (conflict.table, conflict.key.to_string());
            for column in conflict.columns {
                let sides = [column.base, Some(column.ours), column.theirs];
                for side in sides {
                    let value = side.as_ref().and_then(Value::as_str).map(str::to_owned);
                    self.model.name(&key, &column.column, value);
                }
            }
        }
    }

    /// Notes that something failed. That is as it should be only if `may_fail`.
    fn failed(&mut self, device: u8, what: &str, error: &DatabaseError, may_fail: bool) {
        let text = error.to_string().replace(&self.root.display().to_string(), "");
        self.events.add(format!("d{device} cannot {what}: {text}"));
        self.primary_rows();
        let is_of_versions = self.at(device).version != self.version;
        if !(may_fail && error.is_unreachable() || is_of_versions) {
            self.found(Kind::Failed, format!("d{device} cannot {what}: {text}"));
        }
    }

    /// Runs a command of a device against the primary. Returns its result, unless the device died.
    fn command<T: Debug>(
        &mut self,
        device: u8,
        what: &str,
        faults: &[Planned],
        command: impl AsyncFnOnce(&mut Database, &fastest_sync::Remote) -> Result<T, DatabaseError>,
    ) -> Option<T> {
        let runtime = self.runtime;
        let at = self.at(device);
        if let Err(error) = at.open() {
            self.failed(device, "open", &error, false);
            return None;
        }
        at.line.begin(faults);
        let database = at.database.as_mut().expect("it was opened above");
        let result = runtime.block_on(command(database, &at.remote));
        let (requests, died) = at.line.end();
        if died {
            at.close();
        }
        self.done(device);
        self.requests += u64::from(requests);
        if requests > REQUESTS_MAX {
            self.found(Kind::Requests, format!("d{device}: {requests} requests to {what}"));
        }
        match result {
            Ok(done) => {
                self.events.add(format!("d{device} {what}: {done:?}"));
                Some(done)
            }
            Err(error) => {
                self.failed(device, what, &error, !faults.is_empty());
                None
            }
        }
    }

    fn push(&mut self, device: u8, faults: &[Planned]) {
        let pushed = self.command(device, "push", faults, async |database, remote| {
            database.push_all(remote).await
        });
        self.see_primary();
        if pushed.is_some() {
            self.acknowledge(device);
        }
        self.look(device);
    }

    /// Notes what of a device's transactions the primary has.
    fn acknowledge(&mut self, device: u8) {
        let number = self.at(device).number;
        let asked = self.at(device).open().and_then(|database| {
            let waiting: BTreeSet<String> = database.waiting()?.into_iter().collect();
            Ok((waiting, database.refused()?))
        });
        let (waiting, refused) = match asked {
            Ok(answer) => answer,
            Err(error) => return self.failed(device, "list what waits", &error, false),
        };
        self.events.add(format!("d{number} waits: {waiting:?}, refused: {refused:?}"));
        let rows = refused.iter().flat_map(|transaction| &transaction.rows);
        let refused: BTreeSet<Key> =
            rows.map(|row| (row.table.clone(), row.key.to_string())).collect();
        self.model.settle(number, |written| {
            let waits = written.changes.iter().any(|(key, change)| {
                let team = match change {
                    Change::Set { before: Some(row), .. } | Change::Delete { before: row } => {
                        &row["team"]
                    }
                    Change::Set { values, .. } => &values["team"],
                };
                refused.contains(key) || team.as_ref().is_some_and(|team| waiting.contains(team))
            });
            (!waits).then_some(Fate::Acknowledged)
        });
    }

    fn see_primary(&mut self) {
        let rows = self.primary_rows();
        self.model.see(&rows);
        self.events.add(format!("the primary has {} rows {}", rows.len(), digest(&rows)));
        // What one transaction only added is there as a whole, or not at all.
        let mut torn = Vec::new();
        for (number, written) in self.model.written.iter().enumerate() {
            let is_added = |(key, _): &(Key, Change)| key.0 == "entries";
            // What a restored primary lacks is sent again by each device as far as it has it.
            if number >= self.whole_from
                && written.changes.len() > 1
                && written.changes.iter().all(is_added)
            {
                let there =
                    written.changes.iter().filter(|(key, _)| rows.contains_key(key)).count();
                if there > 0 && there < written.changes.len() {
                    torn.push(format!("{there} of transaction {number}: {written:?}"));
                }
            }
        }
        torn.into_iter().for_each(|torn| self.found(Kind::Torn, torn));
    }

    fn primary_rows(&mut self) -> Rows {
        // A primary that nobody has used yet is brought up to date by the first newer device.
        self.version = sql::version(&self.primary).expect("the primary can be read");
        sql::read(&self.primary, &APPLICATION[self.version]).expect("the primary can be read")
    }

    fn pull(&mut self, device: u8, faults: &[Planned]) {
        let teams = self.at(device).team.map_or(vec!["red", "blue"], |team| vec![team]);
        for team in teams {
            let pulled = self.command(device, "pull", faults, async |database, remote| {
                database.pull(remote, team).await
            });
            self.look(device);
            if pulled.is_none() {
                break;
            }
        }
    }

    /// Writes on the primary, as a person with a console does.
    fn hand(&mut self, edit: Edit) {
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

    fn resolve(&mut self, device: u8, takes_ours: bool) {
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

    fn refused(&mut self, device: u8, drops: bool) {
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

    fn deliver(&mut self, device: u8) {
        let (runtime, line) = (self.runtime, self.at(device).line.clone());
        runtime.block_on(line.deliver());
        self.see_primary();
    }

    fn back_up(&mut self, device: u8) {
        let written = self.model.written.len();
        self.at(device).back_up(written).expect("there is room for a backup");
    }

    fn restore(&mut self, device: u8) {
        let at = self.at(device);
        let Some(backup) = at.backup.clone() else { return };
        let number = at.number;
        at.put_back(&backup).expect("the backup is there");
        self.forget(number, backup.written);
    }

    /// Notes that a device no longer has what it wrote from the transaction with this number on.
    fn forget(&mut self, device: u8, from: usize) {
        for written in self.model.written.iter_mut().skip(from) {
            if written.device == Some(device) {
                written.is_forgotten = true;
                if written.fate == Fate::Waits || written.is_undone {
                    written.fate = Fate::PutBack;
                }
            }
        }
    }

    fn copy(&mut self, from: u8, to: u8) {
        let count = self.devices.len();
        let (from, to) = (usize::from(from) % count, usize::from(to) % count);
        if from == to {
            return;
        }
        let [source, target] = self.devices.get_disjoint_mut([from, to]).expect("they differ");
        target.become_copy_of(source).expect("there is room for a copy");
        let number = target.number;
        self.forget(number, 0);
    }

    fn back_up_primary(&mut self) {
        let (from, to) = (self.root.join("primary"), self.root.join("primary.backup"));
        copy_folder(&from, &to).expect("there is room for a backup");
        let has = |(number, written): (usize, &Written)| {
            (written.fate == Fate::Acknowledged).then_some(number)
        };
        let has = self.model.written.iter().enumerate().filter_map(has).collect();
        self.backup = Some((self.version, has));
    }

    fn restore_primary(&mut self) {
        let Some((version, has)) = self.backup.clone() else { return };
        for (number, written) in self.model.written.iter_mut().enumerate() {
            let is_lost = written.fate == Fate::Acknowledged && !has.contains(&number);
            written.is_undone |= is_lost;
            if is_lost && (written.device.is_none() || written.is_forgotten) {
                written.fate = Fate::PutBack;
            }
        }
        self.primary = Connection::open_in_memory().expect("there is memory");
        let (from, to) = (self.root.join("primary.backup"), self.root.join("primary"));
        copy_folder(&from, &to).expect("the backup is there");
        (self.version, self.whole_from) = (version, self.model.written.len());
        self.primary = look_at(&to.join("primary.db"));
        for device in &mut self.devices {
            device.connect(&self.root, &self.events);
            device.sight = crate::device::Sight::default();
        }
        self.see_primary();
    }

    fn migrate(&mut self) {
        self.primary_rows();
        if self.version + 1 == APPLICATION.len() {
            return;
        }
        self.version += 1;
        let path = self.root.join("primary").join("primary.db");
        let primary = Embedded::new(&path, Party::new(1).world());
        let schema = APPLICATION[self.version].schema;
        let done = self.runtime.block_on(migrate(&primary, schema));
        drop(primary);
        self.primary = look_at(&path);
        if let Err(error) = done {
            self.found(Kind::Failed, format!("the primary cannot be migrated: {error}"));
        }
    }

    fn upgrade(&mut self, device: u8) {
        let at = self.at(device);
        if at.version + 1 < APPLICATION.len() {
            at.close();
            at.version += 1;
        }
    }

    /// With everything upgraded and no more faults, lets all devices agree, and compares them.
    fn settle(&mut self) {
        self.migrate();
        for device in 0..self.devices.len() as u8 {
            self.deliver(device);
            self.upgrade(device);
            self.at(device).party.set_skew(0);
        }
        for round in 0.. {
            let before = digest(&self.primary_rows());
            for device in 0..self.devices.len() as u8 {
                self.refused(device, true);
                self.push(device, &[]);
                self.refused(device, true);
                self.push(device, &[]);
                self.pull(device, &[]);
                if !self.findings.is_empty() {
                    return;
                }
            }
            if round > 0 && before == digest(&self.primary_rows()) {
                break;
            }
            if round == ROUNDS_MAX {
                return self.found(Kind::Unsettled, "the devices do not settle".to_owned());
            }
        }
        self.compare();
    }

    fn compare(&mut self) {
        let primary = self.primary_rows();
        for wrong in self.model.judge(&primary) {
            self.found(wrong.kind, wrong.text);
        }
        for device in 0..self.devices.len() as u8 {
            let team = self.at(device).team;
            let Ok(rows) = self.at(device).rows() else { continue };
            let is_held = |row: &Row| team.is_none_or(|team| row["team"].as_deref() == Some(team));
            let expected: Rows = primary
                .iter()
                .filter(|(_, row)| is_held(row))
                .map(|(k, r)| (k.clone(), r.clone()))
                .collect();
            if rows != expected {
                let differ = differences(&expected, &rows);
                self.found(
                    Kind::Differs,
                    format!("d{device} differs from the primary: {differ:?}"),
                );
            }
            let held = self.at(device).open().and_then(|db| db.held());
            if !matches!(&held, Ok(held) if held.is_empty()) {
                self.found(Kind::Differs, format!("d{device} holds back {held:?}"));
            }
        }
    }
}

/// Opens the primary for the simulator itself.
fn look_at(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("the primary is there");
    connection.pragma_update(None, "foreign_keys", true).expect("SQLite has foreign keys");
    connection
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
fn differences(before: &Rows, after: &Rows) -> Vec<(Key, Change)> {
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
