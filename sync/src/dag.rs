//! The graph of snapshots: who descends from whom, and where two lines parted.
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

/// A best common ancestor: one that no other common ancestor follows. Where there are several
/// (criss-cross merges), the one with the greatest id, which is the newest, as ULIDs sort by time.
pub fn merge_base(parents: &Parents, a: &str, b: &str) -> Option<String> {
    let ours = ancestors(parents, a);
    let common = ancestors(parents, b).into_iter().filter(|id| ours.contains(id));
    let common: HashSet<String> = common.collect();
    let followed: HashSet<&String> =
        common.iter().flat_map(|id| parents.get(id).into_iter().flatten()).collect();
    common.iter().filter(|id| !followed.contains(id)).max().cloned()
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

    fn check(words: &str, a: &str, b: &str, expect: Option<&str>) {
        let parents = graph(words);
        assert_eq!(merge_base(&parents, a, b).as_deref(), expect, "{words}");
        assert_eq!(merge_base(&parents, b, a).as_deref(), expect, "{words}");
    }

    #[test]
    fn where_lines_part() {
        check("1: 2:1 3:1", "2", "3", Some("1"));
        check("1: 2:1 3:2", "2", "3", Some("2"));
        check("1: 2:1 3:1 4:2,3 5:4 6:3", "5", "6", Some("3"));
        check("1: 2:", "1", "2", None);
        check("1: 2:1", "2", "2", Some("2"));
        check("1: 2:1 3:1 4:2,3 5:2,3", "4", "5", Some("3"));
        check("2:gone 3:gone", "2", "3", Some("gone"));
    }

    #[test]
    fn a_graph_with_a_ring_ends() {
        check("1:2 2:1 3:1", "3", "2", None);
    }
}
