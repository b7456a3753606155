//! The graph of snapshots: who descends from whom. Where two lines parted is found by
//! [`fastest_core::compare::merge_base::merge_base`], since there may be several places, which are merged first.
//!
//! Pure: the caller gives the parents of each snapshot. A parent that nobody knows is a root.

use std::collections::{HashMap, HashSet, VecDeque};

/// Parents by snapshot id.
pub type Parents = HashMap<String, Vec<String>>;

/// `id` and everything that it descends from.
pub fn ancestors(parents: &Parents, id: &str) -> HashSet<String> {
    let mut seen = HashSet::from([id.to_owned()]);
    let mut queue = VecDeque::from([id.to_owned()]);
    while let Some(id) = queue.pop_front() {
        for parent in parents.get(&id).into_iter().flatten() {
            if seen.insert(parent.clone()) {
                queue.push_back(parent.clone());
            }
        }
    }
    seen
}

/// Whether `descendant` is `ancestor` or follows it.
pub fn follows(parents: &Parents, descendant: &str, ancestor: &str) -> bool {
    descendant == ancestor || ancestors(parents, descendant).contains(ancestor)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `child:parent,parent` words.
    fn graph(words: &str) -> Parents {
        let word = |word: &str| {
            let (child, parents) = word.split_once(':').unwrap();
            let parents = parents.split(',').filter(|p| !p.is_empty()).map(str::to_owned);
            (child.to_owned(), parents.collect())
        };
        words.split_whitespace().map(word).collect()
    }

    #[test]
    fn who_follows_whom() {
        let check = |words: &str, descendant: &str, ancestor: &str, expect: bool| {
            assert_eq!(follows(&graph(words), descendant, ancestor), expect, "{words}");
        };
        check("1: 2:1 3:2", "3", "1", true);
        check("1: 2:1 3:2", "1", "3", false);
        check("1: 2:1 3:1", "2", "3", false);
        check("1: 2:1 3:1 4:2,3", "4", "3", true);
        check("1:", "1", "1", true);
        check("1:gone", "1", "gone", true);
        check("1:2 2:1 3:1", "1", "3", false);
    }
}
