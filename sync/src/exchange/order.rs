//! Decides in which order the rows of a push are sent. Pure.
//!
//! The primary applies rows in this order: first the writes, parents before children, and then the
//! deletes, children before parents. A row that releases a unique value, by a delete or a change,
//! is sent before the row that takes it, together with whatever has to precede it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use fastest_schema::{Policy, Schema, Value, parents_first};

use crate::replica::keys::foreign_keys;
use crate::replica::local::outbox::Entry;
use crate::rows::unique::UniqueValues;

/// An ordering constraint: `first` is sent before `then` (indexes into `entries`).
pub(crate) struct Order {
    pub(crate) first: usize,
    pub(crate) then: usize,
}

/// Returns the entries in an order in which the primary can apply them. If rows take over values
/// from each other in a cycle, no order can do that; the cycle is broken at its first row.
pub(crate) fn ordered<'e>(schema: &Schema, entries: &[&'e Entry]) -> Vec<&'e Entry> {
    if entries.len() < 2 {
        return entries.to_vec();
    }
    let entries = usual(schema, entries);
    let mut orders = handovers(&entries);
    if orders.is_empty() {
        return entries;
    }
    orders.extend(references(&entries));
    let mut followers = vec![Vec::new(); entries.len()];
    let mut waits_for = vec![0_usize; entries.len()];
    for Order { first, then } in orders {
        followers[first].push(then);
        waits_for[then] += 1;
    }
    // Of the entries that wait for no other, the first in the usual order is next.
    let free = (0..entries.len()).filter(|at| waits_for[*at] == 0);
    let mut free: BinaryHeap<Reverse<usize>> = free.map(Reverse).collect();
    let mut ordered = Vec::with_capacity(entries.len());
    let (mut is_done, mut next) = (vec![false; entries.len()], 0);
    while ordered.len() < entries.len() {
        let at = match free.pop() {
            Some(Reverse(at)) => at,
            None => {
                // A cycle: its first entry is next.
                while is_done[next] {
                    next += 1;
                }
                next
            }
        };
        if std::mem::replace(&mut is_done[at], true) {
            continue;
        }
        ordered.push(entries[at]);
        for then in std::mem::take(&mut followers[at]) {
            waits_for[then] -= 1;
            if waits_for[then] == 0 && !is_done[then] {
                free.push(Reverse(then));
            }
        }
    }
    ordered
}

/// Returns the writes, parents first, and then the deletes, children first. Within a table, writes
/// keep the order in which they were queued, and deletes are reversed, because children are queued
/// after the rows that they refer to.
fn usual<'e>(schema: &Schema, entries: &[&'e Entry]) -> Vec<&'e Entry> {
    let tables = parents_first(schema.tables);
    let mut ordered = Vec::with_capacity(entries.len());
    for table in &tables {
        let of = entries.iter().filter(|entry| entry.table.name == table.name);
        ordered.extend(of.copied().filter(|entry| entry.row.is_some()));
    }
    for table in tables.iter().rev() {
        let of = entries.iter().rev().filter(|entry| entry.table.name == table.name);
        ordered.extend(of.copied().filter(|entry| entry.row.is_none()));
    }
    ordered
}

/// Returns a constraint for each set of unique values that one entry releases and another takes.
pub(crate) fn handovers(entries: &[&Entry]) -> Vec<Order> {
    let (unique, mut given) = (UniqueValues::default(), HashMap::new());
    for (at, entry) in entries.iter().enumerate() {
        let kept = entry.row.as_ref().map(|row| unique.of(entry.table, row));
        for set in entry.known_base().into_iter().flat_map(|base| unique.of(entry.table, base)) {
            if kept.as_ref().is_none_or(|kept| !kept.contains(&set)) {
                given.insert((entry.table.name, set), at);
            }
        }
    }
    let mut orders = Vec::new();
    for (then, entry) in entries.iter().enumerate().filter(|_| !given.is_empty()) {
        for set in entry.row.iter().flat_map(|row| unique.of(entry.table, row)) {
            let giver = given.get(&(entry.table.name, set)).filter(|first| **first != then);
            orders.extend(giver.map(|first| Order { first: *first, then }));
        }
    }
    orders
}

/// Returns the constraints of foreign keys: a reference is removed before the row that it points to
/// is deleted, and a row is written before others refer to it.
pub(crate) fn references(entries: &[&Entry]) -> Vec<Order> {
    let referred: HashSet<(&str, &str)> = entries
        .iter()
        .flat_map(|entry| foreign_keys(entry.table))
        .map(|(_, to)| (to.table, to.column))
        .collect();
    let (mut going, mut new) = (HashMap::new(), HashMap::new());
    for (at, entry) in entries.iter().enumerate() {
        let Entry { table, base_version, row, .. } = entry;
        for (place, column) in table.columns.iter().enumerate() {
            if !referred.contains(&(table.name, column.name)) {
                continue;
            }
            let before = entry.known_base().map(|base| &base[place]);
            let after = row.as_ref().map(|row| &row[place]);
            if let Some(after) = after.filter(|_| *base_version == 0 || before != after) {
                new.insert((table.name, column.name, after), at);
            }
            if let Some(before) = before.filter(|_| before != after) {
                going.insert((table.name, column.name, before), at);
            }
        }
    }
    let mut orders = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        for (column, to) in foreign_keys(entry.table) {
            let of = |values: Option<&Vec<Value>>, rows: &HashMap<_, usize>| {
                let value = values?.get(column).filter(|value| !value.is_null())?;
                rows.get(&(to.table, to.column, value)).copied().filter(|other| *other != at)
            };
            // An append-only row cannot change its reference: it waits until the delete is settled.
            let lets_go = entry.known_base().filter(|_| entry.table.policy == Policy::Versioned);
            let parent = of(lets_go, &going);
            orders.extend(parent.map(|then| Order { first: at, then }));
            let parent = of(entry.row.as_ref(), &new);
            orders.extend(parent.map(|first| Order { first, then: at }));
        }
    }
    orders
}
