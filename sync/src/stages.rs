//! In which stages a push goes, where rows take over unique values from others: pure.
//!
//! The primary checks a unique value row by row, in an order of its own. So whoever gives such a
//! value up, by a delete or a change, does so in a statement before the one of the row that takes it.
//! What has to go no later than a row goes along: the children that let go of a row that is to be
//! deleted, and the new rows that others refer to.

use std::collections::HashMap;

use fastest_schema::Table;
use serde_json::Value;

use crate::children::foreign_keys;
use crate::local_write::unique_sets;
use crate::outbox::Entry;

/// That one entry, by its place, must not go before another: one stage later, or in the same.
struct Order {
    first: usize,
    then: usize,
    apart: bool,
}

/// The entries of each stage, in the given order. One stage, where no row takes over from another;
/// or where rows take over in a circle, which no order of whole rows can carry out.
pub(crate) fn stages(entries: &[Entry]) -> Vec<Vec<&Entry>> {
    let mut orders = handovers(entries);
    if !orders.is_empty() {
        orders.extend(references(entries));
    }
    let levels = levels(entries.len(), &orders);
    let count = levels.iter().max().map_or(0, |last| last + 1);
    let mut stages = vec![Vec::new(); count];
    for (entry, level) in entries.iter().zip(levels) {
        stages[level].push(entry);
    }
    stages
}

/// The earliest stage of each entry; the first of all, where the orders lead in a circle.
fn levels(count: usize, orders: &[Order]) -> Vec<usize> {
    let mut levels = vec![0; count];
    let deepest = orders.iter().filter(|order| order.apart).count();
    loop {
        let mut moved = false;
        for Order { first, then, apart } in orders {
            let least = levels[*first] + usize::from(*apart);
            if least > deepest {
                return vec![0; count];
            }
            moved |= levels[*then] < least;
            levels[*then] = levels[*then].max(least);
        }
        if !moved {
            return levels;
        }
    }
}

/// Who gives up a set of unique values that another is to have.
fn handovers(entries: &[Entry]) -> Vec<Order> {
    let mut given = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        let kept = entry.row.as_ref().map(|row| unique_values(entry.table, row));
        for set in entry.base.iter().flat_map(|base| unique_values(entry.table, base)) {
            if kept.as_ref().is_none_or(|kept| !kept.contains(&set)) {
                given.insert((entry.table.name, set), at);
            }
        }
    }
    let mut orders = Vec::new();
    for (then, entry) in entries.iter().enumerate().filter(|_| !given.is_empty()) {
        for set in entry.row.iter().flat_map(|row| unique_values(entry.table, row)) {
            let giver = given.get(&(entry.table.name, set)).filter(|first| **first != then);
            orders.extend(giver.map(|first| Order { first: *first, then, apart: true }));
        }
    }
    orders
}

/// Whether a row is to have what only one row may have, and one that goes has now.
pub(crate) fn takes_over(entry: &Entry, gone: &Entry) -> bool {
    let (Some(row), Some(held), None) = (&entry.row, &gone.base, &gone.row) else { return false };
    let held = unique_values(gone.table, held);
    entry.table.name == gone.table.name
        && unique_values(entry.table, row).iter().any(|set| held.contains(set))
}

/// The sets of unique values that a row has: which set, and its values. One with a null is shared by
/// any number of rows.
fn unique_values(table: &Table, row: &[Value]) -> Vec<(usize, Vec<String>)> {
    let sets = unique_sets(table).into_iter().enumerate();
    let sets = sets.map(|(at, columns)| {
        let all = table.columns.iter().zip(row);
        let of = all.filter(|(column, _)| columns.contains(&column.name));
        (at, of.map(|(_, value)| value).collect::<Vec<_>>())
    });
    let sets = sets.filter(|(_, values)| values.iter().all(|value| !value.is_null()));
    sets.map(|(at, values)| (at, values.into_iter().map(Value::to_string).collect())).collect()
}

/// Who lets go of a row before it goes, and who refers to a row that has to be there first.
fn references(entries: &[Entry]) -> Vec<Order> {
    let (mut going, mut new) = (HashMap::new(), HashMap::new());
    for (at, Entry { table, base, row, .. }) in entries.iter().enumerate() {
        let (rows, values) = match (base, row) {
            (Some(base), None) => (&mut going, base),
            (None, Some(row)) => (&mut new, row),
            _ => continue,
        };
        for (column, value) in table.columns.iter().zip(values) {
            rows.insert((table.name, column.name, value), at);
        }
    }
    let mut orders = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        for (column, to) in foreign_keys(entry.table) {
            let of = |values: Option<&Vec<Value>>, rows: &HashMap<_, usize>| {
                let value = values?.get(column).filter(|value| !value.is_null())?;
                rows.get(&(to.table, to.column, value)).copied().filter(|other| *other != at)
            };
            let parent = of(entry.base.as_ref(), &going);
            orders.extend(parent.map(|then| Order { first: at, then, apart: false }));
            let parent = of(entry.row.as_ref(), &new);
            orders.extend(parent.map(|first| Order { first, then: at, apart: false }));
        }
    }
    orders
}
