//! Decides what to push. Pure, so that it can be tested without a primary.
//!
//! Turns queued transactions into the packs to store and the rows to send, in the order in which
//! the primary applies them (`transactions`): a row comes after the rows that it refers to. The
//! rows of a transaction share one statement, and several transactions share one as far as the size
//! limit allows. In Fastest's own tables each row is a transaction: the row of a workspace, which
//! takes its lock, comes after the snapshots and packs that it needs, in the same statement or in a
//! later one.

use std::collections::{BTreeMap, HashSet};

use fastest_schema::{Policy, RowKey, Schema, ScopeId, Table, Value, WorkspaceId};

use crate::exchange::transactions::{Place, select};
use crate::remote::pack_store::store::{INLINE_BYTES_MAX, LargePacks};
use crate::replica::engine_table::EngineTable;
use crate::replica::local::outbox::Entry;
use crate::replica::values::{Values, column};

/// The most bytes of a pack in one row, if it is sent as rows: under 1 MB in base64.
pub const PART_BYTES: u64 = 690_000;
/// The bytes at which a statement's payload is closed. A single transaction may be larger.
pub const PAYLOAD_BYTES_MAX: u64 = 1_000_000;

/// What a push does, in order: store the packs, then run the statements.
#[derive(Debug, Default, PartialEq)]
pub struct PushPlan {
    /// Ids of packs for the pack store.
    pub uploads: Vec<String>,
    /// The units to send, in order. A unit is the rows of a transaction, or one part of a pack, and
    /// is never split between statements.
    pub units: Vec<Vec<PlannedRow>>,
    /// Workspaces whose head diverged from the primary's: they wait for a merge.
    pub diverged: Vec<WorkspaceId>,
}

/// A row of a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRow {
    /// The revision of the outbox entry that it comes from.
    pub revision: i64,
    /// Its scope.
    pub scope: ScopeId,
    /// The table.
    pub table: &'static Table,
    /// The key in the outbox.
    pub key: RowKey,
    /// The lock version that the row must have on the primary; `None` in append-only tables.
    pub lock: Option<i64>,
    /// The whole row without its lock version; for a delete, only the key.
    pub columns: BTreeMap<String, Value>,
    /// The columns to send; `None` for all, if the primary's values are not known.
    pub changed: Option<Vec<&'static str>>,
    /// Whether the row is to be deleted.
    pub delete: bool,
    /// Bytes of a pack to send as its `data`: offset and length.
    pub inline: Option<(u64, u64)>,
    /// Whether more parts of the same pack, and so of the same entry, follow.
    pub more: bool,
}

/// Plans the push of all of these entries.
pub fn plan_all(
    schema: &Schema,
    entries: &[Entry],
    diverged: &HashSet<RowKey>,
    large: LargePacks,
) -> PushPlan {
    plan(schema, &select(schema, entries, &|_| Place::Here).transactions, diverged, large)
}

/// Plans the push of transactions, each given by its entries.
pub(crate) fn plan(
    schema: &Schema,
    transactions: &[Vec<&Entry>],
    diverged: &HashSet<RowKey>,
    large: LargePacks,
) -> PushPlan {
    let mut plan = PushPlan::default();
    for entries in transactions {
        let mut unit = Vec::with_capacity(entries.len());
        for entry in entries {
            match (EngineTable::of(schema, entry.table), &entry.row) {
                (_, None) => unit.push(gone(entry)),
                (Some(EngineTable::Workspace), Some(_)) if diverged.contains(&entry.key) => {
                    plan.diverged.push(entry.key.as_str().into());
                }
                (Some(EngineTable::Pack), Some(row)) => {
                    let rows = pack_rows(row_of(entry, row), large, &mut plan.uploads);
                    // The parts of a pack are units of their own.
                    plan.units.extend(rows.into_iter().map(|row| vec![row]));
                }
                (_, Some(row)) => unit.push(row_of(entry, row)),
            }
        }
        plan.units.push(unit);
    }
    plan.units.retain(|rows| !rows.is_empty());
    plan
}

/// Returns how many units, from the first on, fit into the next statement: at most `most`, and at
/// least one.
pub(crate) fn next_statement(units: &[Vec<PlannedRow>], most: usize) -> usize {
    let mut bytes = 0;
    let fits = |unit: &&Vec<PlannedRow>| {
        bytes += unit.iter().map(estimate).sum::<u64>();
        bytes <= PAYLOAD_BYTES_MAX
    };
    units.iter().take(most).take_while(fits).count().max(1)
}

/// Whether the entry would move a workspace's head to a snapshot that does not follow the primary's
/// head: the work on the primary would no longer be part of the workspace.
pub(crate) fn is_diverged<E>(
    entry: &Entry,
    follows: impl FnOnce(&str, &str) -> Result<bool, E>,
) -> Result<bool, E> {
    let head = |values: &Values| column(entry.table, values, "current_snapshot_id");
    let theirs = entry.known_base().and_then(head);
    match (entry.row.as_ref().and_then(head), theirs) {
        (Some(ours), Some(theirs)) => Ok(!follows(&ours, &theirs)?),
        (None, Some(_)) => Ok(entry.row.is_some()),
        (_, None) => Ok(false),
    }
}

/// Plans the write of a row.
fn row_of(entry: &Entry, row: &Values) -> PlannedRow {
    let columns = entry.table.columns.iter().zip(row);
    // The primary counts the lock version itself.
    let columns = columns.filter(|(column, _)| !column.lock_version);
    let columns = columns.map(|(column, value)| (column.name.to_owned(), value.clone())).collect();
    let lock = (entry.table.policy == Policy::Versioned).then_some(entry.base_version);
    let changed = entry.changed();
    let Entry { revision, scope, table, key, .. } = entry.clone();
    PlannedRow {
        revision,
        scope,
        table,
        key,
        lock,
        columns,
        changed,
        delete: false,
        inline: None,
        more: false,
    }
}

/// Plans the delete of a row.
fn gone(entry: &Entry) -> PlannedRow {
    let columns = BTreeMap::from([(entry.table.pk.to_owned(), Value::from(entry.key.as_str()))]);
    let (lock, changed) = (Some(entry.base_version), None);
    PlannedRow { lock, columns, changed, delete: true, ..row_of(entry, &Values::new()) }
}

impl PlannedRow {
    /// Returns the columns to send, without the key.
    pub(crate) fn sent(&self) -> impl Iterator<Item = (&String, &Value)> {
        let is_sent = |name: &str| {
            name != self.table.pk
                && self.changed.as_ref().is_none_or(|changed| changed.contains(&name))
        };
        self.columns.iter().filter(move |(name, _)| !self.delete && is_sent(name))
    }
}

/// Returns the rows in which a pack is sent.
fn pack_rows(planned: PlannedRow, large: LargePacks, uploads: &mut Vec<String>) -> Vec<PlannedRow> {
    let bytes = planned.columns["bytes"].as_i64().unwrap_or(0).max(0) as u64;
    let pack_id = planned.columns["pack_id"].as_str().unwrap_or_default().to_owned();
    match large {
        _ if bytes <= INLINE_BYTES_MAX => {
            vec![PlannedRow { inline: Some((0, bytes)), ..as_one(planned) }]
        }
        LargePacks::Stored => {
            uploads.push(pack_id);
            vec![as_one(planned)]
        }
        LargePacks::Rows => parts(planned, bytes),
    }
}

/// Returns the row of a whole pack. The pack may come from a primary that has it in parts.
fn as_one(mut row: PlannedRow) -> PlannedRow {
    row.columns.insert("parts".into(), 1.into());
    row
}

/// Splits the row of a pack into one row for each part.
fn parts(whole: PlannedRow, bytes: u64) -> Vec<PlannedRow> {
    let count = bytes.div_ceil(PART_BYTES);
    let stem = whole.key.as_str().rsplit_once('/').map_or(whole.key.as_str(), |(stem, _)| stem);
    (0..count)
        .map(|part| {
            let mut columns = whole.columns.clone();
            columns.insert("id".into(), format!("{stem}/{part}").into());
            columns.insert("part".into(), (part as i64).into());
            columns.insert("parts".into(), (count as i64).into());
            let from = part * PART_BYTES;
            let inline = Some((from, PART_BYTES.min(bytes - from)));
            PlannedRow { columns, inline, more: part + 1 < count, ..whole.clone() }
        })
        .collect()
}

/// Estimates how many bytes a row takes in the payload.
fn estimate(row: &PlannedRow) -> u64 {
    let texts = row.sent().map(|(name, value)| {
        // The length as JSON, where an escape takes up to six bytes.
        let value = match value {
            Value::Text(_) => value.to_wire().to_string().len(),
            // A real is sent as two integers, of up to 16 and 5 digits.
            Value::Real(_) => 25,
            _ => 8,
        };
        (name.len() + value + 6) as u64
    });
    texts.sum::<u64>()
        + (row.table.name.len() + row.key.as_str().len()) as u64 * 2
        + row.inline.map_or(0, |(_, bytes)| bytes.div_ceil(3) * 4)
        + 60
}

#[cfg(test)]
mod tests {
    use fastest_schema::tables::projects::Project;
    use fastest_schema::tables::workspaces::{ActivityEvent, Snapshot, Workspace};
    use fastest_schema::{FASTEST, Pack, Row};
    use serde_json::{Value as Json, json};

    use super::*;

    /// Returns an entry with the given columns; the others are null.
    fn entry(table: &'static Table, key: &str, columns: Json) -> Entry {
        let row: Values = table
            .columns
            .iter()
            .map(|column| match column.name {
                name if name == table.pk => key.into(),
                name => Value::from_wire(columns[name].clone(), column.kind).unwrap(),
            })
            .collect();
        Entry { revision: 1, ..Entry::unknown(&"p".into(), table, &key.into(), row) }
    }

    fn pack(id: &str, bytes: u64) -> Entry {
        let columns = json!({ "pack_id": id, "bytes": bytes, "part": 0, "parts": 1 });
        entry(Pack::TABLE, &format!("p/{id}/0"), columns)
    }

    fn event(key: &str, bytes: usize) -> Entry {
        entry(ActivityEvent::TABLE, key, json!({ "message": "x".repeat(bytes) }))
    }

    /// A plan, divided into statements.
    struct Planned {
        uploads: Vec<String>,
        statements: Vec<Vec<PlannedRow>>,
        diverged: Vec<WorkspaceId>,
    }

    fn plan(entries: &[Entry], diverged: &HashSet<RowKey>, large: LargePacks) -> Planned {
        let PushPlan { uploads, units, diverged } = plan_all(&FASTEST, entries, diverged, large);
        let (mut statements, mut left) = (Vec::new(), &units[..]);
        while !left.is_empty() {
            let (next, rest) = left.split_at(next_statement(left, usize::MAX));
            statements.push(next.concat());
            left = rest;
        }
        Planned { uploads, statements, diverged }
    }

    /// Returns the keys of each statement's rows.
    fn keys(plan: &Planned) -> Vec<Vec<&str>> {
        let key = |row: &PlannedRow| row.columns[row.table.pk].as_str().unwrap().to_owned();
        let keys = |rows: &Vec<PlannedRow>| rows.iter().map(key).collect::<Vec<_>>();
        let all: Vec<Vec<String>> = plan.statements.iter().map(keys).collect();
        all.into_iter().map(|keys| keys.into_iter().map(|k| &*k.leak()).collect()).collect()
    }

    #[test]
    fn nothing_to_push_is_no_statement() {
        let plan = plan(&[], &HashSet::new(), LargePacks::Rows);
        assert!(plan.statements.is_empty() && plan.uploads.is_empty());
    }

    #[test]
    fn what_points_comes_after_what_it_points_at() {
        let entries = [
            event("event", 0),
            entry(Workspace::TABLE, "workspace", json!({ "current_snapshot_id": "s" })),
            entry(Snapshot::TABLE, "s", json!({})),
            entry(Project::TABLE, "project", json!({})),
            entry(fastest_schema::tables::auth::User::TABLE, "user", json!({})),
        ];
        let plan = plan(&entries, &HashSet::new(), LargePacks::Rows);
        let [statement] = &keys(&plan)[..] else { panic!("it fits one statement") };
        let at = |key: &str| statement.iter().position(|other| *other == key).unwrap();
        assert_eq!(statement.len(), 5);
        for (first, then) in
            [("user", "project"), ("project", "s"), ("s", "workspace"), ("project", "event")]
        {
            assert!(at(first) < at(then), "{first} before {then} in {statement:?}");
        }
        let locks: Vec<_> = plan.statements[0].iter().map(|row| row.lock.is_some()).collect();
        assert_eq!(locks.iter().filter(|locked| **locked).count(), 3, "versioned rows have locks");
        let workspace = &plan.statements[0][at("workspace")];
        assert!(!workspace.columns.contains_key("version"), "the primary counts versions");
    }

    #[test]
    fn statements_are_closed_before_they_are_too_large() {
        let entries: Vec<Entry> =
            (0..7).map(|number| event(&format!("{number}"), 300_000)).collect();
        let plan = plan(&entries, &HashSet::new(), LargePacks::Rows);
        assert_eq!(keys(&plan), [vec!["0", "1", "2"], vec!["3", "4", "5"], vec!["6"]]);

        let entries = [event("0", 10), event("1", 1_500_000), event("2", 10)];
        let plan = self::plan(&entries, &HashSet::new(), LargePacks::Rows);
        assert_eq!(keys(&plan), [["0"], ["1"], ["2"]], "a row too large by itself goes alone");
    }

    #[test]
    fn what_goes_does_so_last_and_children_first() {
        let delete = |entry: Entry| Entry { base: entry.row, base_version: 4, row: None, ..entry };
        let entries = [
            delete(entry(Project::TABLE, "project", json!({}))),
            delete(entry(Workspace::TABLE, "workspace", json!({ "current_snapshot_id": "s" }))),
            event("event", 0),
        ];
        let plan = plan(&entries, &HashSet::new(), LargePacks::Rows);
        assert_eq!(keys(&plan), [["event", "workspace", "project"]]);
        let [_, workspace, _] = &plan.statements[0][..] else { panic!("three rows") };
        assert!(workspace.delete && workspace.lock == Some(4));
        assert_eq!(workspace.columns, [("id".to_owned(), "workspace".into())].into());
    }

    #[test]
    fn packs_go_inline_into_the_store_or_into_parts() {
        let small = pack("small", INLINE_BYTES_MAX);
        let large = pack("large", INLINE_BYTES_MAX + 1);
        let huge = pack("huge", 2 * PART_BYTES + 5);
        let entries = [small, large, huge];

        let stored = plan(&entries, &HashSet::new(), LargePacks::Stored);
        assert_eq!(stored.uploads, ["large", "huge"]);
        assert_eq!(keys(&stored), [["p/small/0", "p/large/0", "p/huge/0"]]);
        let inline: Vec<_> = stored.statements[0].iter().map(|row| row.inline).collect();
        assert_eq!(inline, [Some((0, INLINE_BYTES_MAX)), None, None]);

        let rows = plan(&entries, &HashSet::new(), LargePacks::Rows);
        assert_eq!(rows.uploads, Vec::<String>::new());
        let parts: Vec<_> = rows.statements.concat().into_iter().skip(2).collect();
        let inline: Vec<_> = parts.iter().map(|row| row.inline.unwrap()).collect();
        assert_eq!(inline, [(0, PART_BYTES), (PART_BYTES, PART_BYTES), (2 * PART_BYTES, 5)]);
        for (number, part) in parts.iter().enumerate() {
            assert_eq!(part.columns["id"], format!("p/huge/{number}").into());
            assert_eq!(
                (&part.columns["part"], &part.columns["parts"]),
                (&Value::Integer(number as i64), &Value::Integer(3))
            );
            assert_eq!(part.key, "p/huge/0", "all parts settle one entry");
        }
        for statement in &rows.statements {
            let bytes: u64 = statement.iter().filter_map(|row| row.inline).map(|(_, b)| b).sum();
            assert!(statement.len() == 1 || bytes * 4 / 3 <= PAYLOAD_BYTES_MAX);
        }
    }

    #[test]
    fn a_head_apart_from_the_primarys_waits() {
        let check = |ours: Option<&str>, theirs: Option<&str>, diverged: bool| {
            let head = |head: Option<&str>| json!({ "current_snapshot_id": head });
            let base = entry(Workspace::TABLE, "w", head(theirs)).row;
            let ours = Entry { base_version: 1, base, ..entry(Workspace::TABLE, "w", head(ours)) };
            let follows = |ours: &str, theirs: &str| Ok::<_, ()>(ours == theirs || theirs == "1");
            let is_diverged = is_diverged(&ours, follows).unwrap();
            let waits = is_diverged.then(|| ours.key.clone()).into_iter().collect();
            let plan = plan(&[ours, event("e", 1)], &waits, LargePacks::Stored);
            let expected = if diverged { vec!["w"] } else { vec![] };
            assert_eq!(plan.diverged, expected);
            assert_eq!(plan.statements[0].len(), if diverged { 1 } else { 2 });
        };
        check(Some("2"), Some("1"), false);
        check(Some("2"), Some("2"), false);
        check(Some("2"), None, false);
        check(None, None, false);
        check(Some("2"), Some("3"), true);
        check(Some("1"), Some("2"), true);
        check(None, Some("2"), true);
    }
}
