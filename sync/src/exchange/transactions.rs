//! Decides which queued transactions can be sent, and in which order. Pure.
//!
//! They are sent in the order in which they were written, except that a transaction comes after
//! those that it needs: those that write a row that it refers to, remove a reference to a row that
//! it deletes, or release a unique value that it takes. Transactions that need each other become
//! one. If one cannot be sent, those that need it wait as well, and no others.
//!
//! In Fastest's own tables each row is a transaction, and rows are sent in the order of their
//! tables.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};

use fastest_schema::{Policy, Schema};

use crate::base::rules::Rules;
use crate::exchange::order::{Order, handovers, ordered, references};
use crate::replica::keys::foreign_keys;
use crate::replica::local::outbox::Entry;

/// The transactions that can be sent.
#[derive(Debug)]
pub(crate) struct Selected<'e> {
    /// The entries of each, in order.
    pub(crate) transactions: Vec<Vec<&'e Entry>>,
    /// Whether rows are held until a queued delete is settled. After that they are sent, or have
    /// been deleted with their parent.
    pub(crate) held: bool,
}

/// Whether an entry can be sent in this push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Yes, if everything that it needs can be sent.
    Here,
    /// No: its transaction has no row in the scope that is pushed.
    Elsewhere,
    /// No: the primary refused its transaction, or has a version of its row that cannot be stored
    /// here.
    Aside,
}

/// Chooses the transactions to send from `entries`. `place` says which entries can be sent.
pub(crate) fn select<'e>(
    schema: &Schema,
    entries: &'e [Entry],
    place: &dyn Fn(&Entry) -> Place,
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
    let (mut stay, mut aside) = (vec![false; groups.count], vec![false; groups.count]);
    for (at, entry) in all.iter().enumerate() {
        stay[groups.of[at]] |= place(entry) != Place::Here;
        aside[groups.of[at]] |= place(entry) == Place::Aside;
    }
    let mut later = HashSet::new();
    let then_of = followers(groups.count, &needs);
    follow(&then_of, &mut aside);
    let struck = struck(&all, &|at| aside[groups.of[at]]);
    for (at, by) in &struck {
        // If the delete needs the row's transaction, that transaction cannot be held: then only the
        // row is held.
        if reaches(&then_of, groups.of[*at], groups.of[*by]) {
            later.insert(*at);
        } else {
            stay[groups.of[*at]] = true;
        }
    }
    follow(&then_of, &mut stay);
    let free = |at: &usize| !stay[groups.of[*at]] && !later.contains(at);
    let held = !struck.is_empty();
    if !Rules::of(schema).keeps_transactions {
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

/// The transactions, numbered from 0, the oldest first.
struct Groups {
    count: usize,
    /// The number of each entry's transaction.
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

/// Returns the append-only rows that a waiting delete removes or changes once the primary has
/// accepted it, each with that delete (indexes into `entries`).
fn struck(entries: &[&Entry], is_aside: &dyn Fn(usize) -> bool) -> Vec<(usize, usize)> {
    let mut going = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if entry.row.is_none() && !is_aside(at) {
            let columns = entry.table.columns.iter().zip(entry.base.iter().flatten());
            going.extend(
                columns.map(|(column, value)| ((entry.table.name, column.name, value), at)),
            );
        }
    }
    let struck_by = |at: usize| {
        let entry = entries[at];
        let row = entry.row.as_ref().filter(|_| entry.table.policy == Policy::AppendOnly)?;
        let mut keys = foreign_keys(entry.table).filter(|(_, to)| to.on_delete.changes_children());
        keys.find_map(|(column, to)| going.get(&(to.table, to.column, &row[column])))
            .map(|by| (at, *by))
    };
    if going.is_empty() { Vec::new() } else { (0..entries.len()).filter_map(struck_by).collect() }
}

/// Returns, for each transaction, those that need it.
fn followers(count: usize, needs: &HashSet<(usize, usize)>) -> Vec<Vec<usize>> {
    let mut then_of = vec![Vec::new(); count];
    for (first, then) in needs {
        then_of[*first].push(*then);
    }
    then_of
}

/// Whether `then` is `first`, or needs it directly or indirectly.
fn reaches(then_of: &[Vec<usize>], first: usize, then: usize) -> bool {
    let (mut found, mut met) = (vec![first], HashSet::from([first]));
    while let Some(at) = found.pop() {
        if at == then {
            return true;
        }
        found.extend(then_of[at].iter().copied().filter(|next| met.insert(*next)));
    }
    false
}

/// Extends `stay` to all transactions that need one that stays.
fn follow(then_of: &[Vec<usize>], stay: &mut [bool]) {
    let mut found: Vec<usize> = (0..stay.len()).filter(|at| stay[*at]).collect();
    while let Some(at) = found.pop() {
        for then in &then_of[at] {
            if !std::mem::replace(&mut stay[*then], true) {
                found.push(*then);
            }
        }
    }
}

/// Orders `count` transactions: in the order in which they were written, but each after those that
/// it needs. Those that need each other become one.
fn sequence(count: usize, needs: &HashSet<(usize, usize)>) -> Vec<Vec<usize>> {
    let goes_as = circles(&followers(count, needs));
    let mut members = vec![Vec::new(); count];
    for at in 0..count {
        members[goes_as[at]].push(at);
    }
    let joined = needs.iter().map(|(first, then)| (goes_as[*first], goes_as[*then]));
    let joined: HashSet<(usize, usize)> = joined.filter(|(first, then)| first != then).collect();
    let then_of = followers(count, &joined);
    let mut waits_for = vec![0_usize; count];
    for (_, then) in &joined {
        waits_for[*then] += 1;
    }
    let free = (0..count).filter(|at| goes_as[*at] == *at && waits_for[*at] == 0);
    let mut free: BinaryHeap<Reverse<usize>> = free.map(Reverse).collect();
    let mut turns = Vec::with_capacity(count);
    while let Some(Reverse(at)) = free.pop() {
        turns.push(std::mem::take(&mut members[at]));
        for then in &then_of[at] {
            waits_for[*then] -= 1;
            if waits_for[*then] == 0 {
                free.push(Reverse(*then));
            }
        }
    }
    turns
}

/// Returns, for each transaction, the last one of its cycle (itself, if it is in none). The whole
/// cycle is sent in that one's place. The cycles are strongly connected components, found by
/// Tarjan's algorithm (1972) without recursion.
fn circles(then_of: &[Vec<usize>]) -> Vec<usize> {
    const NEW: usize = usize::MAX;
    let count = then_of.len();
    let (mut number, mut low, mut goes_as) = (vec![NEW; count], vec![0; count], vec![NEW; count]);
    let (mut next, mut open, mut path) = (0, Vec::new(), Vec::new());
    for start in 0..count {
        if number[start] == NEW {
            path.push((start, 0));
        }
        while let Some((at, edge)) = path.pop() {
            if edge == 0 {
                (number[at], low[at]) = (next, next);
                next += 1;
                open.push(at);
            }
            match then_of[at].get(edge) {
                Some(then) => {
                    path.push((at, edge + 1));
                    if number[*then] == NEW {
                        path.push((*then, 0));
                    } else if goes_as[*then] == NEW {
                        low[at] = low[at].min(number[*then]);
                    }
                }
                None => {
                    if let Some((above, _)) = path.last() {
                        low[*above] = low[*above].min(low[at]);
                    }
                    if low[at] == number[at] {
                        let begins = open.iter().rposition(|one| *one == at).unwrap_or_default();
                        let circle = open.split_off(begins);
                        let last = circle.iter().copied().max().unwrap_or(at);
                        circle.into_iter().for_each(|one| goes_as[one] = last);
                    }
                }
            }
        }
    }
    goes_as
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
        let pairs = (0..100_000).flat_map(|at| [(2 * at, 2 * at + 1), (2 * at + 1, 2 * at)]);
        assert_eq!(sequence(200_000, &pairs.collect()).len(), 100_000);
    }

    #[test]
    fn what_needs_one_that_stays_does_so_too() {
        let mut stay = vec![false, true, false, false, false];
        follow(&followers(5, &needs(&[(0, 1), (1, 2), (2, 3), (0, 4)])), &mut stay);
        assert_eq!(stay, [false, true, true, true, false]);
    }
}
