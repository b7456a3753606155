//! What the devices and the primary hold, as the simulator sees it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::events::digest;
use crate::finding::Kind;
use crate::rows::application::APPLICATION;
use crate::rows::device::Sight;
use crate::rows::model::{Change, Fate, Key, Rows};
use crate::rows::run::Run;
use crate::rows::sql;

impl Run<'_> {
    /// Compares a device's rows with what it had seen, after something that may only bring it further.
    pub(super) fn look(&mut self, device: u8) {
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
    pub(super) fn forget_sight(&mut self, device: u8) {
        self.at(device).sight = Sight::default();
    }

    pub(super) fn note_conflicts(&mut self, device: u8) {
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

    /// Notes what of a device's transactions the primary has.
    pub(super) fn acknowledge(&mut self, device: u8) {
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

    /// After a push that met nothing unusual, and of which nothing was refused: everything was sent. What
    /// was refused before that still waits, as do writes to rows that the device cannot store.
    pub(super) fn nothing_waits(&mut self, device: u8) {
        let primary = self.version;
        let at = self.at(device);
        if at.version != primary || at.party.is_full() {
            return;
        }
        let asked = at.open().and_then(|database| {
            let is_excused = !database.refused()?.is_empty() || !database.held()?.is_empty();
            Ok(if is_excused { Vec::new() } else { database.waiting()? })
        });
        match asked {
            Ok(waiting) if waiting.is_empty() => {}
            Ok(waiting) => {
                let text = format!("d{device} has pushed, and rows of {waiting:?} still wait");
                self.found(Kind::Waits, text);
            }
            Err(error) => self.failed(device, "list what waits", &error, false),
        }
    }

    pub(super) fn see_primary(&mut self) {
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

    pub(super) fn primary_rows(&mut self) -> Rows {
        // A primary that nobody has used yet is brought up to date by the first newer device.
        self.version = sql::version(&self.primary).expect("the primary can be read");
        sql::read(&self.primary, &APPLICATION[self.version]).expect("the primary can be read")
    }
}
