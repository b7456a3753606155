//! Which of the transactions that wait can go, and in which order: pure.
//!
//! They go in the order in which they were last written, but for one that needs what another brings:
//! a row that it refers to, or a unique value that the other gives up. Transactions that need each
//! other become one. Where one cannot go, what needs it stays as well, and nothing else does.
//!
//! In Fastest's own tables each row is a transaction, and they go in the order of their tables.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};

use fastest_schema::{Policy, Schema};

use crate::children::foreign_keys;
use crate::order::{Order, handovers, ordered, references};
use crate::outbox::Entry;

/// The transactions that can go.
#[derive(Debug)]
pub(crate) struct Selected<'e> {
    /// Each by its entries, in order.
    pub(crate) transactions: Vec<Vec<&'e Entry>>,
    /// Whether rows stay that may go, or are void, once a delete is settled.
    pub(crate) held: bool,
}

/// Chooses among `entries`, in which everything stands that waits; those of which `stays` says so do.
pub(crate) fn select<'e>(
    schema: &Schema,
    entries: &'e [Entry],
    stays: &dyn Fn(&Entry) -> bool,
) -> Selected<'e> {
    let all: Vec<&Entry> = entries.iter().collect();
    let groups = Groups::of(&all);
    let mut needs: Vec<Order> = handovers(&all);
    needs.extend(references(&all));
    let needs: HashSet<(usize, usize)> = needs
        .into_iter()
        .map(|Order { first, then }| (groups.of[first], groups.of[then]))
        .filter(|(first, then)| first != then)
        .collect();
    let struck = struck(&all);
    let mut stay = vec![false; groups.count];
    for (at, entry) in all.iter().enumerate() {
        stay[groups.of[at]] |= struck.contains(&at) || stays(entry);
    }
    follow(&needs, &mut stay);
    let free = |at: &usize| !stay[groups.of[*at]];
    let held = !struck.is_empty();
    if schema.is_fastest() {
        let free: Vec<&Entry> = (0..all.len()).filter(free).map(|at| all[at]).collect();
        let transactions = ordered(schema, &free).into_iter().map(|entry| vec![entry]).collect();
        return Selected { transactions, held };
    }
    let mut members = vec![Vec::new(); groups.count];
    for at in (0..all.len()).filter(free) {
        members[groups.of[at]].push(all[at]);
    }
    let sequence = sequence(groups.count, &needs).into_iter();
    let transactions = sequence.map(|joined| {
        let entries: Vec<&Entry> = joined.into_iter().flat_map(|at| members[at].clone()).collect();
        ordered(schema, &entries)
    });
    Selected { transactions: transactions.filter(|rows| !rows.is_empty()).collect(), held }
}

/// The transactions, numbered from the first on.
struct Groups {
    count: usize,
    /// The transaction of each entry.
    of: Vec<usize>,
}

impl Groups {
    fn of(entries: &[&Entry]) -> Self {
        let mut numbers: BTreeMap<i64, usize> =
            entries.iter().map(|entry| (entry.transaction(), 0)).collect();
        for (number, place) in numbers.values_mut().enumerate() {
            *place = number;
        }
        let of = entries.iter().map(|entry| numbers[&entry.transaction()]).collect();
        Self { count: numbers.len(), of }
    }
}

/// The rows of append-only tables that a waiting delete strikes once the primary has taken it.
fn struck(entries: &[&Entry]) -> HashSet<usize> {
    let mut going = HashSet::new();
    for entry in entries.iter().filter(|entry| entry.row.is_none()) {
        let values = entry.base.iter().flatten();
        let columns = entry.table.columns.iter().zip(values);
        going.extend(columns.map(|(column, value)| (entry.table.name, column.name, value)));
    }
    let is_struck = |entry: &Entry| {
        let Some(row) = entry.row.as_ref().filter(|_| entry.table.policy == Policy::AppendOnly)
        else {
            return false;
        };
        foreign_keys(entry.table).any(|(at, to)| {
            to.on_delete.changes_children() && going.contains(&(to.table, to.column, &row[at]))
        })
    };
    (0..entries.len()).filter(|at| !going.is_empty() && is_struck(entries[*at])).collect()
}

/// Lets those stay that need one that stays.
fn follow(needs: &HashSet<(usize, usize)>, stay: &mut [bool]) {
    let mut then_of = vec![Vec::new(); stay.len()];
    for (first, then) in needs {
        then_of[*first].push(*then);
    }
    let mut found: Vec<usize> = (0..stay.len()).filter(|at| stay[*at]).collect();
    while let Some(at) = found.pop() {
        for then in std::mem::take(&mut then_of[at]) {
            if !std::mem::replace(&mut stay[then], true) {
                found.push(then);
            }
        }
    }
}

/// So many transactions in their order, but each after those that it needs; those that need each
/// other as one.
fn sequence(count: usize, needs: &HashSet<(usize, usize)>) -> Vec<Vec<usize>> {
    // As which one each goes.
    let mut goes_as: Vec<usize> = (0..count).collect();
    loop {
        match in_turn(&goes_as, needs) {
            Ok(turns) => {
                let mut members = vec![Vec::new(); count];
                for at in 0..count {
                    members[goes_as[at]].push(at);
                }
                return turns.into_iter().map(|at| std::mem::take(&mut members[at])).collect();
            }
            Err(circle) => {
                let last = circle.iter().copied().max().unwrap_or_default();
                for one in goes_as.iter_mut().filter(|one| circle.contains(one)) {
                    *one = last;
                }
            }
        }
    }
}

/// The order in which they go, or some that need each other in a circle.
fn in_turn(goes_as: &[usize], needs: &HashSet<(usize, usize)>) -> Result<Vec<usize>, Vec<usize>> {
    let count = goes_as.len();
    let (mut then_of, mut first_of) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    let mut waits_for = vec![0_usize; count];
    for (first, then) in needs {
        let (first, then) = (goes_as[*first], goes_as[*then]);
        if first != then {
            then_of[first].push(then);
            first_of[then].push(first);
            waits_for[then] += 1;
        }
    }
    let all = (0..count).filter(|at| goes_as[*at] == *at);
    let free = all.clone().filter(|at| waits_for[*at] == 0);
    let mut free: BinaryHeap<Reverse<usize>> = free.map(Reverse).collect();
    let mut turns = Vec::with_capacity(count);
    let mut is_done = vec![false; count];
    while let Some(Reverse(at)) = free.pop() {
        is_done[at] = true;
        turns.push(at);
        for then in &then_of[at] {
            waits_for[*then] -= 1;
            if waits_for[*then] == 0 {
                free.push(Reverse(*then));
            }
        }
    }
    let Some(mut at) = all.clone().find(|at| !is_done[*at]) else { return Ok(turns) };
    // Each of those left needs another of them: back from one to the next, a circle is met.
    let mut path = Vec::new();
    while !path.contains(&at) {
        path.push(at);
        match first_of[at].iter().find(|first| !is_done[**first]) {
            Some(first) => at = *first,
            None => break,
        }
    }
    let begins = path.iter().position(|one| *one == at).unwrap_or_default();
    Err(path.split_off(begins))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(list: &[(usize, usize)]) -> HashSet<(usize, usize)> {
        list.iter().copied().collect()
    }

    #[test]
    fn they_go_as_they_came_but_after_what_they_need() {
        assert_eq!(sequence(3, &needs(&[])), [[0], [1], [2]]);
        assert_eq!(sequence(4, &needs(&[(3, 1), (0, 2)])), [[0], [2], [3], [1]]);
        assert_eq!(sequence(0, &needs(&[])), [[0_usize; 0]; 0]);
    }

    #[test]
    fn those_that_need_each_other_are_one() {
        assert_eq!(sequence(4, &needs(&[(1, 0), (0, 1)])), [vec![0, 1], vec![2], vec![3]]);
        let two_circles = needs(&[(0, 1), (1, 0), (1, 2), (2, 3), (3, 2), (4, 0)]);
        assert_eq!(sequence(5, &two_circles), [vec![4], vec![0, 1], vec![2, 3]]);
        let ring: Vec<(usize, usize)> = (0..9).map(|at| (at, (at + 1) % 9)).collect();
        assert_eq!(sequence(9, &needs(&ring)), [(0..9).collect::<Vec<_>>()]);
    }

    #[test]
    fn what_needs_one_that_stays_does_so_too() {
        let mut stay = vec![false, true, false, false, false];
        follow(&needs(&[(0, 1), (1, 2), (2, 3), (0, 4)]), &mut stay);
        assert_eq!(stay, [false, true, true, true, false]);
    }
}
