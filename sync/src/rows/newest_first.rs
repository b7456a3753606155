//! The order of a log: newest first, and no snapshot above one that follows it.
//!
//! Pure. Devices' clocks may be days apart, so that times alone would put a parent above its child.

use std::collections::{BinaryHeap, HashMap};

/// A snapshot, as far as its place in the log depends on it.
#[derive(Debug, Clone)]
pub(crate) struct Dated {
    pub id: String,
    pub created_at: String,
    pub parents: Vec<String>,
}

/// The places of `snapshots` in the log. Of those that no other one has to precede, the newest comes
/// first. In a ring of parents, which no honest device makes, the newest comes first too.
pub(crate) fn newest_first(snapshots: &[Dated]) -> Vec<usize> {
    let by_id = snapshots.iter().enumerate().map(|(at, snapshot)| (snapshot.id.as_str(), at));
    let by_id: HashMap<&str, usize> = by_id.collect();
    let parents = |at: usize| {
        snapshots[at].parents.iter().filter_map(|parent| by_id.get(parent.as_str()).copied())
    };
    // Of each snapshot, how many of its children are not listed yet.
    let mut waits_for = vec![0_usize; snapshots.len()];
    (0..snapshots.len()).flat_map(parents).for_each(|parent| waits_for[parent] += 1);
    let rank = |at: usize| (&snapshots[at].created_at, &snapshots[at].id, at);
    let mut ready: BinaryHeap<_> =
        (0..snapshots.len()).filter(|&at| waits_for[at] == 0).map(rank).collect();
    let mut is_listed = vec![false; snapshots.len()];
    let mut order = Vec::with_capacity(snapshots.len());
    while order.len() < snapshots.len() {
        let next = ready.pop().or_else(|| {
            let rest = (0..snapshots.len()).filter(|&at| !is_listed[at]);
            rest.map(rank).max()
        });
        let (_, _, at) = next.expect("some are not listed yet");
        if std::mem::replace(&mut is_listed[at], true) {
            continue;
        }
        order.push(at);
        for parent in parents(at) {
            waits_for[parent] = waits_for[parent].saturating_sub(1);
            if waits_for[parent] == 0 && !is_listed[parent] {
                ready.push(rank(parent));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `id@time:parent,parent` words, and the order that they come in.
    fn check(words: &str, expect: &str) {
        let word = |word: &str| {
            let (id, rest) = word.split_once('@').unwrap();
            let (created_at, parents) = rest.split_once(':').unwrap();
            let parents = parents.split(',').filter(|p| !p.is_empty()).map(str::to_owned);
            let (id, created_at) = (id.to_owned(), created_at.to_owned());
            Dated { id, created_at, parents: parents.collect() }
        };
        let snapshots: Vec<_> = words.split_whitespace().map(word).collect();
        let order = newest_first(&snapshots);
        let ids: Vec<_> = order.into_iter().map(|at| snapshots[at].id.as_str()).collect();
        assert_eq!(ids.join(" "), expect, "{words}");
    }

    #[test]
    fn no_parent_stands_above_its_child() {
        check("", "");
        check("a@1: b@2:a c@3:b", "c b a");
        check("a@9: b@2:a c@3:b", "c b a");
        check("a@1: b@9:a c@3:b d@4:c", "d c b a");
        check("a@1: b@5:a c@4:a d@2:b,c", "d b c a");
        check("a@1: b@2: c@1:gone", "b c a");
        check("a@1: b@2:a,a", "b a");
    }

    #[test]
    fn a_ring_ends() {
        check("a@1:b b@2:a c@3:a", "c b a");
        check("a@1:a", "a");
    }
}
