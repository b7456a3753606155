//! What must hold for rows, by a model that knows nothing of the engine: it sees what applications wrote,
//! what was acknowledged, and what SQL reads afterwards.
//!
//! Every value is written once, so it names its write. A write is *accounted for* if its value is on the
//! primary, or in a conflict, or was replaced by a write that knew it and is accounted for itself, or if
//! its row was deleted by somebody who knew it.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Finding, Kind};

/// Columns in which a value may come again.
pub const REPEATED: [&str; 3] = ["team", "folder", "slug"];

/// The key of a row: its table, and its primary key.
pub type Key = (String, String);

/// The values of a row, by column. Null is a value like any other.
pub type Row = BTreeMap<String, Option<String>>;

/// All rows of a database.
pub type Rows = BTreeMap<Key, Row>;

/// A column of a row.
type Cell = (Key, String);

/// What one transaction does to a row.
#[derive(Debug, Clone)]
pub enum Change {
    /// Columns got new values. `before` is the row as its writer knew it, if there was one.
    Set { before: Option<Row>, values: Row },
    /// The row was deleted.
    Delete { before: Row },
}

/// How far a transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It waits on its device.
    Waits,
    /// The primary has it, and said so.
    Acknowledged,
    /// The primary refused it, and its device dropped it.
    Dropped,
    /// Its device, or the primary, was put back to a time before it.
    PutBack,
}

/// A transaction.
#[derive(Debug, Clone)]
pub struct Written {
    /// Who wrote it.
    pub device: Option<u8>,
    /// What it changed.
    pub changes: Vec<(Key, Change)>,
    /// How far it has come.
    pub fate: Fate,
    /// Whether the primary ever had it.
    pub was_acknowledged: bool,
    /// Whether its device no longer has what it wrote, because it was put back.
    pub is_forgotten: bool,
    /// Whether the primary was put back to a time before it, after it had acknowledged it.
    pub is_undone: bool,
    /// The rows that it deleted although the primary did not have them: another device may send them.
    pub unsent: BTreeSet<Key>,
    /// Its rows that need not be there.
    pub excused: BTreeSet<Key>,
}

/// All that was written, and what was seen of it.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub written: Vec<Written>,
    /// The rows on the primary, as last seen, and as seen before that.
    present: [BTreeSet<Key>; 2],
    /// Values that have been on the primary.
    seen: BTreeSet<(Cell, Option<String>)>,
    /// Values that a conflict has named.
    named: BTreeSet<(Cell, Option<String>)>,
    /// Rows that a conflict has named.
    named_rows: BTreeSet<Key>,
    /// What waited on a device when that was copied. The copy may send it, even if the device drops it.
    copied: Vec<(Key, Change)>,
    /// Values that were written again, to settle a conflict.
    repeated: BTreeSet<(Cell, String)>,
}

impl Model {
    /// Notes what is on the primary.
    pub fn see(&mut self, rows: &Rows) {
        self.present.swap(0, 1);
        self.present[0] = rows.keys().cloned().collect();
        for (key, row) in rows {
            for (column, value) in row {
                let cell = ((key.clone(), column.clone()), value.clone());
                if !self.seen.contains(&cell) {
                    self.seen.insert(cell);
                }
            }
        }
    }

    /// Whether a value has been on the primary.
    pub fn was_sent(&self, key: &Key, column: &str, value: &str) -> bool {
        let cell = ((key.clone(), column.to_owned()), Some(value.to_owned()));
        self.seen.contains(&cell)
    }

    /// Adds a transaction.
    pub fn write(&mut self, device: Option<u8>, changes: Vec<(Key, Change)>, fate: Fate) {
        let is_sent = |key: &Key, row: &Row| {
            row.iter().filter(|(column, _)| !REPEATED.contains(&column.as_str())).any(
                |(column, value)| {
                    value.as_ref().is_some_and(|value| self.was_sent(key, column, value))
                },
            )
        };
        let unsent = changes.iter().filter_map(|(key, change)| match change {
            Change::Delete { before }
                if !is_sent(key, before) || !self.present[0].contains(key) =>
            {
                Some(key.clone())
            }
            _ => None,
        });
        let unsent = unsent.collect();
        self.written.push(Written {
            device,
            changes,
            fate,
            was_acknowledged: fate == Fate::Acknowledged,
            is_forgotten: false,
            is_undone: false,
            unsent,
            excused: BTreeSet::new(),
        });
    }

    /// Notes that a conflict names a value.
    pub fn name(&mut self, key: &Key, column: &str, value: Option<String>) {
        self.named_rows.insert(key.clone());
        self.named.insert(((key.clone(), column.to_owned()), value));
    }

    /// Notes that values were written again.
    pub fn repeat(&mut self, changes: &[(Key, Change)]) {
        for (key, change) in changes {
            let Change::Set { values, .. } = change else { continue };
            for (column, value) in values {
                let cell = (key.clone(), column.clone());
                self.repeated.extend(value.clone().map(|value| (cell, value)));
            }
        }
    }

    /// Whether a device may see a value again that it has seen replaced: it was written more than once, its
    /// row is in a conflict, in which the primary's side stands, or its row was deleted when a restored
    /// primary lacked it.
    pub fn may_come_back(&self, key: &Key, column: &str, value: &str) -> bool {
        self.named_rows.contains(key)
            || self.written.iter().any(|written| written.unsent.contains(key))
            || self.repeated.contains(&((key.clone(), column.to_owned()), value.to_owned()))
    }

    /// Notes how far the waiting transactions of a device have come.
    pub fn settle(&mut self, device: u8, fate: impl Fn(&Written) -> Option<Fate>) {
        for written in &mut self.written {
            if written.device == Some(device)
                && written.fate == Fate::Waits
                && let Some(fate) = fate(written)
            {
                written.fate = fate;
                written.was_acknowledged |= fate == Fate::Acknowledged;
                // There was nothing to delete, if the primary was put back to a time before the row. Another
                // device may send that again.
                let keys = written.changes.iter().map(|(key, _)| key);
                let absent = keys.filter(|key| !self.present[1].contains(*key));
                written.unsent.extend(absent.cloned());
            }
        }
    }

    /// Notes that the primary was put back, after what it has was seen. Deletes of rows that it lacks as
    /// well leave no trace there.
    pub fn primary_put_back(&mut self) {
        let present = &self.present[0];
        for written in self.written.iter_mut().filter(|written| written.is_undone) {
            let deleted = written.changes.iter().filter_map(|(key, change)| match change {
                Change::Delete { .. } if !present.contains(key) => Some(key.clone()),
                _ => None,
            });
            written.unsent.extend(deleted);
        }
    }

    /// Notes that a device was copied.
    pub fn copy(&mut self, device: u8) {
        let of = |written: &&Written| written.device == Some(device) && written.fate == Fate::Waits;
        let waiting = self.written.iter().filter(of).flat_map(|written| &written.changes);
        self.copied.extend(waiting.cloned());
    }

    /// Notes that a device drops what it wrote to some rows. What else was written along with them is
    /// settled otherwise: in a conflict, for example.
    pub fn drop_rows(&mut self, device: u8, keys: &BTreeSet<Key>) {
        let (seen, present) = (&self.seen, &self.present[0]);
        // A part may have been sent before.
        let is_seen = |(key, change): &(Key, Change)| match change {
            Change::Set { values, .. } => values
                .iter()
                .filter(|(column, value)| value.is_some() && !REPEATED.contains(&column.as_str()))
                .any(|(column, value)| {
                    seen.contains(&((key.clone(), column.clone()), value.clone()))
                }),
            Change::Delete { .. } => !present.contains(key),
        };
        let by_device = self.written.iter().filter(|written| written.device == Some(device));
        let waiting = by_device.filter(|written| written.fate == Fate::Waits);
        let waiting: BTreeSet<Key> = waiting
            .flat_map(|written| written.changes.iter().map(|(key, _)| key.clone()))
            .collect();
        // What a later write of the same device that was sent had replaced went along with it.
        let mut sent = BTreeSet::new();
        for written in self.written.iter_mut().rev() {
            // What a restored primary has lost is sent again, and may be refused then.
            let is_open = written.fate == Fate::Waits
                || written.fate == Fate::Acknowledged && written.is_undone;
            if written.device == Some(device) && is_open {
                // Where something else was written since, only that is dropped.
                let goes =
                    |key: &Key| keys.contains(key) && !(written.is_undone && waiting.contains(key));
                if written.is_undone {
                    written.excused.extend(keys.iter().filter(|key| goes(key)).cloned());
                }
                let mut kept: Vec<bool> = Vec::new();
                for change in written.changes.iter().rev() {
                    let is_sent = is_seen(change) || sent.contains(&change.0);
                    if is_sent {
                        sent.insert(change.0.clone());
                    }
                    kept.push(!goes(&change.0) || is_sent);
                }
                written.changes.retain(|_| kept.pop().expect("there is one for each change"));
                if written.changes.is_empty() {
                    written.fate = Fate::Dropped;
                }
            }
        }
    }

    /// Returns the values that writers knew when they replaced or deleted them. One that was put back on
    /// its device may live on in a copy of that.
    fn known(&self) -> BTreeSet<(Cell, Option<String>)> {
        let mut known = BTreeSet::new();
        let written = self.written.iter().flat_map(|written| &written.changes);
        // A copy may send what its device has dropped since.
        for (key, change) in written.chain(&self.copied) {
            let (Change::Set { before: Some(before), .. } | Change::Delete { before }) = change
            else {
                continue;
            };
            let cells = before.iter();
            known.extend(cells.map(|(column, was)| ((key.clone(), column.clone()), was.clone())));
        }
        known
    }

    /// Returns what is wrong about the rows of the primary in the end.
    pub fn judge(&self, primary: &Rows) -> Vec<Finding> {
        let graph = Graph::of(self);
        let mut wrong = Vec::new();
        for (number, written) in self.written.iter().enumerate() {
            if written.fate == Fate::Waits {
                let text = format!("transaction {number} still waits: {written:?}");
                wrong.push(Finding { kind: Kind::Unsettled, text });
            }
            if written.fate != Fate::Acknowledged {
                continue;
            }
            for (key, change) in &written.changes {
                if written.excused.contains(key) {
                    continue;
                }
                match change {
                    Change::Set { values, .. } => {
                        for (column, value) in values {
                            if REPEATED.contains(&column.as_str()) {
                                continue;
                            }
                            let cell = (key.clone(), column.clone());
                            if !graph.is_accounted(self, primary, &cell, value) {
                                let by = written.device;
                                let text = format!(
                                    "transaction {number} of {by:?} set {key:?}.{column} to {value:?}, \
                                     and it is lost: the primary has {:?}",
                                    primary.get(key)
                                );
                                wrong.push(Finding { kind: Kind::Lost, text });
                            }
                        }
                    }
                    Change::Delete { before } => {
                        // Whoever changed it meanwhile keeps it.
                        let stands = primary.get(key) == Some(before);
                        let is_excused =
                            self.named_rows.contains(key) || written.unsent.contains(key);
                        if stands && !is_excused {
                            let text =
                                format!("transaction {number} deleted {key:?}, and it is back");
                            wrong.push(Finding { kind: Kind::Undone, text });
                        }
                    }
                }
            }
        }
        wrong
    }
}

/// Which values replaced which, and which were deleted.
struct Graph<'a> {
    replaced: BTreeMap<(Cell, Option<&'a str>), BTreeSet<Option<&'a str>>>,
    deleted: BTreeSet<(Cell, Option<&'a str>)>,
}

impl<'a> Graph<'a> {
    fn of(model: &'a Model) -> Self {
        let mut graph = Self { replaced: BTreeMap::new(), deleted: BTreeSet::new() };
        let known = model.known();
        for (key, change) in &model.copied {
            match change {
                Change::Delete { before } => graph.delete(key, before),
                Change::Set { before: Some(before), values } => {
                    for (column, value) in values {
                        let here = ((key.clone(), column.clone()), value.clone());
                        if model.seen.contains(&here) || known.contains(&here) {
                            graph.replace(here.0, before.get(column), value);
                        }
                    }
                }
                Change::Set { before: None, .. } => {}
            }
        }
        for written in &model.written {
            for (key, change) in &written.changes {
                match change {
                    Change::Set { before: Some(before), values } => {
                        for (column, value) in values {
                            let cell = (key.clone(), column.clone());
                            // What never came to the primary replaced nothing there.
                            let counts = match written.fate {
                                Fate::Acknowledged | Fate::Waits => true,
                                Fate::Dropped | Fate::PutBack => {
                                    let cell = (cell.clone(), value.clone());
                                    written.was_acknowledged
                                        || model.seen.contains(&cell)
                                        || known.contains(&cell)
                                }
                            };
                            if counts {
                                graph.replace(cell, before.get(column), value);
                            }
                        }
                    }
                    Change::Set { before: None, .. } => {}
                    Change::Delete { before } if written.fate != Fate::Dropped => {
                        graph.delete(key, before);
                    }
                    Change::Delete { .. } => {}
                }
            }
        }
        graph
    }

    fn replace(&mut self, cell: Cell, was: Option<&'a Option<String>>, value: &'a Option<String>) {
        if let Some(was) = was {
            let after = self.replaced.entry((cell, was.as_deref())).or_default();
            after.insert(value.as_deref());
        }
    }

    fn delete(&mut self, key: &Key, before: &'a Row) {
        for (column, was) in before {
            let cell = (key.clone(), column.clone());
            self.deleted.insert((cell, was.as_deref()));
        }
    }

    fn is_accounted(
        &self,
        model: &Model,
        primary: &Rows,
        (key, column): &Cell,
        value: &'a Option<String>,
    ) -> bool {
        let cell = (key.clone(), column.clone());
        let stands = primary.get(key).and_then(|row| row.get(column));
        let (mut todo, mut done) = (vec![value.as_deref()], BTreeSet::new());
        while let Some(value) = todo.pop() {
            if !done.insert(value) {
                continue;
            }
            let here = (cell.clone(), value);
            if stands.is_some_and(|stands| stands.as_deref() == value)
                || self.deleted.contains(&here)
                || model.named.contains(&(cell.clone(), value.map(str::to_owned)))
            {
                return true;
            }
            todo.extend(self.replaced.get(&here).into_iter().flatten());
        }
        false
    }
}
