//! The order of a log: newest first, and no snapshot above its descendants.
//!
//! The clocks of devices may be days apart, so times alone could put a parent above its child.
//! Snapshots beyond the end of the log are not read, except those that a wrong clock dates after
//! their children.

use std::collections::{BinaryHeap, HashMap, HashSet};

use fastest_schema::SnapshotId;

/// A snapshot's time and id, which order snapshots that ancestry leaves unordered.
type Dated = (String, SnapshotId);

/// The source of a log's snapshots.
pub(crate) trait Source {
    /// The error of a failed look-up.
    type Error;

    /// Returns the next snapshot by time, newest first.
    fn next(&mut self) -> Result<Option<Dated>, Self::Error>;

    /// Returns the children of a snapshot.
    fn children(&self, id: &SnapshotId) -> Result<Vec<SnapshotId>, Self::Error>;

    /// Returns the parents of a snapshot.
    fn parents(&self, id: &SnapshotId) -> Result<Vec<SnapshotId>, Self::Error>;
}

/// Returns the ids of the first `limit` snapshots of a log. Each is the newest of those whose
/// children are all listed already. In a cycle of parents, which no honest device creates, the
/// newest comes first.
pub(crate) fn newest_first<S: Source>(
    source: &mut S,
    limit: usize,
) -> Result<Vec<SnapshotId>, S::Error> {
    let (mut order, mut listed) = (Vec::new(), HashSet::new());
    // Snapshots that were read before their turn: those in `waiting` have children that are not
    // listed yet, those in `ready` no longer do.
    let mut waiting: HashMap<SnapshotId, (String, HashSet<SnapshotId>)> = HashMap::new();
    let mut ready: BinaryHeap<Dated> = BinaryHeap::new();
    // Snapshots that were put into `waiting`. Those that have left it are skipped.
    let mut by_time: BinaryHeap<Dated> = BinaryHeap::new();
    while order.len() < limit {
        let next = match ready.pop() {
            Some((_, id)) => id,
            None => match source.next()? {
                Some((time, id)) => {
                    let children = source.children(&id)?.into_iter();
                    let open: HashSet<SnapshotId> =
                        children.filter(|child| !listed.contains(child)).collect();
                    if !open.is_empty() {
                        by_time.push((time.clone(), id.clone()));
                        waiting.insert(id, (time, open));
                        continue;
                    }
                    id
                }
                None => match by_time.pop() {
                    Some((_, id)) if waiting.contains_key(&id) => id,
                    Some(_) => continue,
                    None => break,
                },
            },
        };
        waiting.remove(&next);
        for parent in source.parents(&next)? {
            let Some((time, open)) = waiting.get_mut(&parent) else { continue };
            open.remove(&next);
            if open.is_empty() {
                ready.push((time.clone(), parent.clone()));
                waiting.remove(&parent);
            }
        }
        listed.insert(next.clone());
        order.push(next);
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Words {
        by_time: std::vec::IntoIter<Dated>,
        parents: HashMap<SnapshotId, Vec<SnapshotId>>,
        looked_at: usize,
    }

    impl Source for Words {
        type Error = ();

        fn next(&mut self) -> Result<Option<Dated>, ()> {
            self.looked_at += 1;
            Ok(self.by_time.next())
        }

        fn children(&self, id: &SnapshotId) -> Result<Vec<SnapshotId>, ()> {
            let follows =
                |(_, parents): &(&SnapshotId, &Vec<SnapshotId>)| parents.iter().any(|p| p == id);
            Ok(self.parents.iter().filter(follows).map(|(child, _)| child.clone()).collect())
        }

        fn parents(&self, id: &SnapshotId) -> Result<Vec<SnapshotId>, ()> {
            Ok(self.parents[id].clone())
        }
    }

    /// Parses words of the form `id@time:parent,parent`.
    fn source(words: &str) -> Words {
        let word = |word: &str| {
            let (id, rest) = word.split_once('@').unwrap();
            let (time, parents) = rest.split_once(':').unwrap();
            let parents: Vec<SnapshotId> =
                parents.split(',').filter(|p| !p.is_empty()).map(SnapshotId::from).collect();
            ((time.to_owned(), SnapshotId::from(id)), parents)
        };
        let all: Vec<_> = words.split_whitespace().map(word).collect();
        let mut by_time: Vec<Dated> = all.iter().map(|(dated, _)| dated.clone()).collect();
        by_time.sort_by(|a, b| b.cmp(a));
        let parents = all.into_iter().map(|((_, id), parents)| (id, parents)).collect();
        Words { by_time: by_time.into_iter(), parents, looked_at: 0 }
    }

    /// Checks the order and each prefix of it.
    fn check(words: &str, expect: &str) {
        for limit in 0..10 {
            let order = newest_first(&mut source(words), limit).unwrap();
            let expect: Vec<&str> = expect.split_whitespace().take(limit).collect();
            assert_eq!(order, expect, "{words}");
        }
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

    #[test]
    fn what_is_not_listed_is_not_looked_at() {
        let words: Vec<String> =
            (1..100).map(|at| format!("s{at:02}@{at:02}:s{:02}", at - 1)).collect();
        let mut source = source(&words.join(" "));
        assert_eq!(newest_first(&mut source, 3).unwrap(), ["s99", "s98", "s97"]);
        assert_eq!(source.looked_at, 3);
    }
}
