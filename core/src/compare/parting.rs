//! Where two histories diverge, found without reading all of their common past.
//!
//! A history may be long, and the best common ancestors of two snapshots are mostly close to both.
//! So the walk goes up from both at once, a step each in turn, and ends when everything that is
//! left is known to be common: it costs as much as the part in which the two differ. Unlike git, it
//! has no generation numbers to go by. Instead, when a snapshot is found to be common, everything
//! that was reached through it is marked as common at once. Its further ancestors are visited in
//! turn with the rest.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::compare::ancestry::{Ancestry, best_common_of_all};

/// Counts the ancestors of `theirs` that are not ancestors of `ours`. Each snapshot is an ancestor
/// of itself here.
pub fn ahead<A: Ancestry>(ancestry: &A, ours: &str, theirs: &str) -> Result<u64, A::Error> {
    let mut walk = Walk::between(ancestry, ours, theirs)?;
    // One parent of a merge may be far older than the best common ancestors. It may still look as
    // if only theirs had it. A snapshot is theirs alone if one of its parents is, so only the oldest
    // candidates are checked.
    let candidates = walk.only(THEIRS);
    let order = walk.ancestors_first(candidates.iter());
    if order.len() == candidates.len() {
        let mut alone: HashSet<&str> = HashSet::new();
        for id in order {
            let is_above = walk.parents[id].iter().any(|parent| alone.contains(parent.as_str()));
            if is_above || !follows(ancestry, ours, id)? {
                alone.insert(id);
            }
        }
        return Ok(alone.len() as u64);
    }
    // Only an invalid history has a cycle. Nothing is certain then until everything is read.
    while walk.step(BOTH)? {}
    Ok(walk.only(THEIRS).len() as u64)
}

/// Returns whether `ancestor` is `descendant` or one of its ancestors.
pub fn follows<A: Ancestry>(
    ancestry: &A,
    descendant: &str,
    ancestor: &str,
) -> Result<bool, A::Error> {
    if descendant == ancestor {
        return Ok(true);
    }
    let mut walk = Walk::between(ancestry, descendant, ancestor)?;
    if walk.marks[ancestor] & OURS == 0 && walk.has_ring() {
        // Only an invalid history has a cycle. Nothing is certain then until everything is read.
        while walk.step(BOTH)? {}
    }
    Ok(walk.marks[ancestor] & OURS != 0)
}

/// Returns the best common ancestors of two snapshots, sorted by name: those that are not ancestors
/// of another common ancestor. If there are several, their ancestors are read as well.
pub fn best_common<A: Ancestry>(ancestry: &A, a: &str, b: &str) -> Result<Vec<String>, A::Error> {
    let mut walk = Walk::between(ancestry, a, b)?;
    // One candidate may be an ancestor of another, by a long way round.
    while walk.candidates > 1 && walk.step(BOTH)? {}
    if walk.has_ring() {
        // Only an invalid history has a cycle. The names decide which parent link is then ignored.
        return best_common_of_all(ancestry, a, b);
    }
    let mut best: Vec<String> = walk.best().cloned().collect();
    best.sort_unstable();
    Ok(best)
}

/// Reached from our side.
const OURS: u8 = 1;
/// Reached from their side.
const THEIRS: u8 = 2;
/// An ancestor of a common ancestor.
const BELOW: u8 = 4;

/// The queue of the snapshots that were reached from both sides.
const BOTH: usize = 2;

struct Walk<'a, A> {
    ancestry: &'a A,
    marks: HashMap<String, u8>,
    /// The parents of the snapshots that were visited.
    parents: HashMap<String, Vec<String>>,
    /// The snapshots to visit: reached from our side, from theirs, and from both.
    queues: [VecDeque<String>; 3],
    /// How many common ancestors are not known to be ancestors of another one.
    candidates: usize,
}

impl<'a, A: Ancestry> Walk<'a, A> {
    /// Walks until everything that was reached from one side alone is visited.
    fn between(ancestry: &'a A, a: &str, b: &str) -> Result<Self, A::Error> {
        let (marks, parents, queues) = (HashMap::new(), HashMap::new(), <_>::default());
        let mut walk = Self { ancestry, marks, parents, queues, candidates: 0 };
        walk.reach(a, OURS);
        walk.reach(b, THEIRS);
        walk.run()?;
        Ok(walk)
    }

    /// Returns the common ancestors that are not known to be ancestors of another one.
    fn best(&self) -> impl Iterator<Item = &String> {
        self.marks.iter().filter(|(_, mark)| is_candidate(**mark)).map(|(name, _)| name)
    }

    /// Returns the snapshots that were reached from one side alone.
    fn only(&self, side: u8) -> Vec<String> {
        let of_side = self.marks.iter().filter(|(_, mark)| **mark == side);
        of_side.map(|(name, _)| name.clone()).collect()
    }

    fn run(&mut self) -> Result<(), A::Error> {
        let mut steps = 0_usize;
        while self.step(0)? | self.step(1)? {
            steps += 1;
            self.step(BOTH)?;
        }
        // A common ancestor may lead to a snapshot that one side alone has reached by a shorter
        // way.
        while steps > 0 && self.step(BOTH)? {
            steps -= 1;
        }
        Ok(())
    }

    /// Visits the next snapshot of a queue. Returns whether there was one.
    fn step(&mut self, queue: usize) -> Result<bool, A::Error> {
        while let Some(id) = self.queues[queue].pop_front() {
            let mark = self.marks[&id];
            if self.parents.contains_key(&id) || queue_of(mark) != queue {
                continue;
            }
            let parents = self.ancestry.parents(&id)?;
            for parent in &parents {
                self.reach(parent, below(mark));
            }
            self.parents.insert(id, parents);
            return Ok(true);
        }
        Ok(false)
    }

    /// Marks a snapshot, and everything that was reached through it before.
    fn reach(&mut self, id: &str, mark: u8) {
        let mut stack = vec![(id.to_owned(), mark)];
        while let Some((id, mark)) = stack.pop() {
            let before = self.marks.get(&id).copied().unwrap_or(0);
            let after = before | mark;
            if after == before {
                continue;
            }
            self.candidates += usize::from(is_candidate(after));
            self.candidates -= usize::from(is_candidate(before));
            self.marks.insert(id.clone(), after);
            match self.parents.get(&id) {
                Some(parents) => {
                    stack.extend(parents.iter().map(|parent| (parent.clone(), below(after))));
                }
                None => self.queues[queue_of(after)].push_back(id),
            }
        }
    }

    /// Returns whether the visited snapshots have a cycle.
    fn has_ring(&self) -> bool {
        self.ancestors_first(self.parents.keys()).len() < self.parents.len()
    }

    /// Sorts visited snapshots, ancestors first. Leaves out those that are part of a cycle, and their
    /// descendants.
    fn ancestors_first<'s>(&'s self, ids: impl Iterator<Item = &'s String>) -> Vec<&'s str> {
        let mut left: HashMap<&str, usize> = ids.map(|id| (id.as_str(), 0)).collect();
        let mut children: HashMap<&str, Vec<&str>> = HashMap::new();
        for id in left.keys().copied() {
            let parents = self.parents[id].iter();
            for parent in parents.filter(|parent| left.contains_key(parent.as_str())) {
                children.entry(parent).or_default().push(id);
            }
        }
        for child in children.values().flatten() {
            *left.get_mut(child).expect("it is one of them") += 1;
        }
        let mut order: Vec<&str> =
            left.iter().filter(|(_, left)| **left == 0).map(|(id, _)| *id).collect();
        let mut done = 0;
        while let Some(id) = order.get(done).copied() {
            for child in children.get(id).into_iter().flatten() {
                let left = left.get_mut(child).expect("it is one of them");
                *left -= 1;
                if *left == 0 {
                    order.push(child);
                }
            }
            done += 1;
        }
        order
    }
}

fn is_candidate(mark: u8) -> bool {
    mark == OURS | THEIRS
}

/// Returns the mark that a snapshot with this mark passes on to its parents.
fn below(mark: u8) -> u8 {
    if mark & (OURS | THEIRS) == OURS | THEIRS { mark | BELOW } else { mark }
}

fn queue_of(mark: u8) -> usize {
    match mark & (OURS | THEIRS) {
        OURS => 0,
        THEIRS => 1,
        _ => BOTH,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::compare::ancestry::tests::Shape;
    use crate::object::error::StoreError;

    /// Counts the look-ups.
    struct Counted<'a>(&'a Shape, Cell<usize>);

    impl Ancestry for Counted<'_> {
        type Error = StoreError;

        fn parents(&self, id: &str) -> Result<Vec<String>, StoreError> {
            self.1.set(self.1.get() + 1);
            self.0.parents(id)
        }
    }

    #[track_caller]
    fn check(words: &str, a: &str, b: &str, best: &[&str], ours: u64, theirs: u64) {
        let best: Vec<String> = best.iter().map(|name| (*name).to_owned()).collect();
        let shape = Shape::new(words);
        assert_eq!(best_common(&shape, a, b).unwrap(), best);
        assert_eq!(ahead(&shape, b, a).unwrap(), ours);
        assert_eq!(ahead(&shape, a, b).unwrap(), theirs);
    }

    #[test]
    fn what_each_side_has_alone_is_counted() {
        check("1: 2:1 3:2", "3", "3", &["3"], 0, 0);
        check("1: 2:1 3:2", "3", "1", &["1"], 2, 0);
        check("1: 2:1 3:1 4:3", "2", "4", &["1"], 1, 2);
        check("1: 2:", "1", "2", &[], 1, 1);
        check("1: 2:1 3:1 4:2,3 5:2,3", "4", "5", &["2", "3"], 1, 1);
        // A merge that reaches past the best common ancestor.
        check("1: 2:1 3:2 4:3,1 5:3", "4", "5", &["3"], 1, 1);
        check("0: 1:0 2:1 3:2 4:3,0 5:3", "4", "5", &["3"], 1, 1);
        check("0: 2:0 4:2 5:4 6:5 9:6 10:0,9 12:9", "12", "10", &["9"], 1, 1);
        let line: Vec<String> = (1..200).map(|at| format!("{at}:{}", at - 1)).collect();
        let words = format!("0: {} a:20 b:a m:199,b", line.join(" "));
        check(&words, "199", "m", &["199"], 0, 3);
    }

    #[test]
    fn what_follows_is_found_and_a_ring_ends() {
        let shape = Shape::new("1: 2:1 3:2 x:1 a:b b:a,1");
        for (descendant, ancestor, expect) in
            [("3", "1", true), ("1", "3", false), ("x", "2", false), ("gone", "gone", true)]
        {
            assert_eq!(follows(&shape, descendant, ancestor).unwrap(), expect, "{descendant}");
        }
        assert!(follows(&shape, "a", "1").unwrap());
        assert!(!follows(&shape, "1", "a").unwrap());
    }

    #[test]
    fn a_long_history_costs_what_differs() {
        let name = |at: usize| format!("{at:06}");
        let mut shape = Shape::new("");
        for at in 0..20_000 {
            shape.0.insert(name(at), at.checked_sub(1).map(name).into_iter().collect());
        }
        shape.0.insert("a".into(), vec![name(19_990)]);
        shape.0.insert("b".into(), vec![name(19_980)]);
        let counted = Counted(&shape, Cell::new(0));
        assert_eq!(best_common(&counted, "a", "b").unwrap(), [name(19_980)]);
        assert_eq!(ahead(&counted, "b", "a").unwrap(), 11);
        assert_eq!(ahead(&counted, "a", "b").unwrap(), 1);
        assert!(follows(&counted, &name(19_999), &name(19_990)).unwrap());
        assert!(!follows(&counted, &name(19_990), &name(19_999)).unwrap());
        assert!(counted.1.get() < 2_000, "{} look-ups", counted.1.get());
        counted.1.set(0);
        assert_eq!(ahead(&counted, &name(19_000), &name(19_200)).unwrap(), 200);
        assert!(counted.1.get() < 2_000, "{} look-ups", counted.1.get());
    }
}
