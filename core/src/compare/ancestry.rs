//! Histories: the parents of each snapshot, and the best common ancestors of two.
//!
//! A snapshot is only a name here. A type that knows more about snapshots, such as a replica with
//! its rows, implements [`Ancestry`]. Names and times decide nothing: only the shape of the graph
//! does.

use std::collections::{BTreeSet, BinaryHeap, HashMap};

use crate::object::error::StoreError;
use crate::object::id::TreeId;

/// Looks up the parents of snapshots.
pub trait Ancestry {
    /// The error of a look-up.
    type Error;

    /// Returns the parents of `id`, in any order; none for an unknown snapshot.
    fn parents(&self, id: &str) -> Result<Vec<String>, Self::Error>;
}

/// Looks up the trees of snapshots too.
pub trait History: Ancestry<Error: From<StoreError>> {
    /// Returns the tree of `id`. An unknown snapshot is an error.
    fn tree(&self, id: &str) -> Result<TreeId, Self::Error>;
}

/// Returns the best common ancestors of two snapshots, sorted by name: those that are not ancestors
/// of another common ancestor. After merges that cross each other (criss-cross) there are several.
///
/// Reads all ancestors of both; [`best_common`](crate::compare::parting::best_common) reads only those near
/// the two, where it can.
pub fn best_common_of_all<A: Ancestry>(
    ancestry: &A,
    a: &str,
    b: &str,
) -> Result<Vec<String>, A::Error> {
    let graph = Graph::above(ancestry, &[a, b])?;
    let [a, b] = [a, b].map(|name| graph.index(name));
    let mut steps = usize::MAX;
    let mut best = graph.best_common(&[a], &[b], &mut steps).expect("the steps do not run out");
    best.sort_unstable();
    Ok(best.into_iter().map(|at| graph.name(at).to_owned()).collect())
}

/// The position of a snapshot in a [`Graph`]. Positions are in the order of the names.
pub(crate) type Index = usize;

/// Some snapshots with all of their ancestors.
#[derive(Debug)]
pub(crate) struct Graph {
    /// Sorted.
    names: Vec<String>,
    parents: Vec<Vec<Index>>,
    /// 0 without parents, else one more than the largest of the parents' generations. So an
    /// ancestor's is always smaller.
    generations: Vec<u32>,
}

impl Graph {
    /// Reads `heads` and all of their ancestors.
    pub(crate) fn above<A: Ancestry>(ancestry: &A, heads: &[&str]) -> Result<Self, A::Error> {
        let mut found: HashMap<String, Vec<String>> = HashMap::new();
        let mut queue: Vec<String> = heads.iter().map(|&head| head.to_owned()).collect();
        while let Some(id) = queue.pop() {
            if !found.contains_key(&id) {
                let parents = ancestry.parents(&id)?;
                queue.extend(parents.iter().filter(|parent| !found.contains_key(*parent)).cloned());
                found.insert(id, parents);
            }
        }
        let mut sorted: Vec<(String, Vec<String>)> = found.into_iter().collect();
        sorted.sort_unstable();
        let (names, named_parents): (Vec<String>, Vec<Vec<String>>) = sorted.into_iter().unzip();
        let index = |name: &String| names.binary_search(name).expect("parents were read too");
        let by_index = |parents: &Vec<String>| -> Vec<Index> {
            parents.iter().map(index).collect::<BTreeSet<_>>().into_iter().collect()
        };
        let mut parents: Vec<Vec<Index>> = named_parents.iter().map(by_index).collect();
        let generations = generations(&mut parents);
        Ok(Self { names, parents, generations })
    }

    /// Returns the position of a snapshot that was read.
    pub(crate) fn index(&self, name: &str) -> Index {
        self.names.binary_search_by(|other| other.as_str().cmp(name)).expect("it was read")
    }

    pub(crate) fn name(&self, at: Index) -> &str {
        &self.names[at]
    }

    pub(crate) fn generation(&self, at: Index) -> u32 {
        self.generations[at]
    }

    /// Returns the best common ancestors of two hypothetical merges: one of all of `ours`, and one
    /// of all of `theirs`. Each visited snapshot uses up one of `steps`. Returns `None` if they run
    /// out.
    ///
    /// The walk is by descending generation, as in git's `paint_down_to_common`. A snapshot is visited
    /// after all of its descendants, so its marks are final by then. The walk ends when everything
    /// left is an ancestor of a common ancestor that was found.
    pub(crate) fn best_common(
        &self,
        ours: &[Index],
        theirs: &[Index],
        steps: &mut usize,
    ) -> Option<Vec<Index>> {
        let mut walk =
            Walk { graph: self, marks: HashMap::new(), queue: BinaryHeap::new(), open: 0 };
        ours.iter().for_each(|&at| walk.reach(at, OURS));
        theirs.iter().for_each(|&at| walk.reach(at, THEIRS));
        let mut best = Vec::new();
        while walk.open > 0 {
            *steps = steps.checked_sub(1)?;
            let (_, at) = walk.queue.pop().expect("what is open is queued");
            let mut mark = walk.marks[&at];
            walk.open -= usize::from(mark & BELOW == 0);
            if mark == OURS | THEIRS {
                best.push(at);
                mark |= BELOW;
            }
            self.parents[at].iter().for_each(|&parent| walk.reach(parent, mark));
        }
        Some(best)
    }
}

/// An ancestor of our side.
const OURS: u8 = 1;
/// An ancestor of their side.
const THEIRS: u8 = 2;
/// An ancestor of a common ancestor.
const BELOW: u8 = 4;

struct Walk<'a> {
    graph: &'a Graph,
    marks: HashMap<Index, u8>,
    queue: BinaryHeap<(u32, Index)>,
    /// How many snapshots in the queue may still be best, or lead to one.
    open: usize,
}

impl Walk<'_> {
    fn reach(&mut self, at: Index, marks: u8) {
        let before = self.marks.get(&at).copied();
        let after = before.unwrap_or(0) | marks;
        self.marks.insert(at, after);
        if before.is_none() {
            self.queue.push((self.graph.generations[at], at));
        }
        let is_open = |mark: u8| usize::from(mark & BELOW == 0);
        self.open = self.open + is_open(after) - before.map_or(0, is_open);
    }
}

/// Returns the generation of each snapshot. Only an invalid history has cycles. From each cycle,
/// one parent link is removed; which one depends on the names alone.
fn generations(parents: &mut [Vec<Index>]) -> Vec<u32> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Entered,
        Done,
    }
    let mut states = vec![State::New; parents.len()];
    let mut generations = vec![0; parents.len()];
    // An explicit stack: a history may be too deep for a thread's stack.
    let mut stack: Vec<(Index, usize)> = Vec::new();
    for start in 0..parents.len() {
        if states[start] == State::New {
            states[start] = State::Entered;
            stack.push((start, 0));
        }
        while let Some((at, next)) = stack.pop() {
            let Some(&parent) = parents[at].get(next) else {
                let above = parents[at].iter().map(|&parent| generations[parent] + 1).max();
                generations[at] = above.unwrap_or(0);
                states[at] = State::Done;
                continue;
            };
            match states[parent] {
                State::Entered => {
                    parents[at].remove(next);
                    stack.push((at, next));
                }
                State::Done => stack.push((at, next + 1)),
                State::New => {
                    states[parent] = State::Entered;
                    stack.extend([(at, next + 1), (parent, 0)]);
                }
            }
        }
    }
    generations
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::compare::parting::{ahead, best_common};

    /// Snapshots and their parents, without trees.
    pub(crate) struct Shape(pub(crate) HashMap<String, Vec<String>>);

    impl Shape {
        /// Parses words of the form `child:parent,parent`.
        pub(crate) fn new(words: &str) -> Self {
            let word = |word: &str| {
                let (child, parents) = word.split_once(':').unwrap();
                let parents = parents.split(',').filter(|p| !p.is_empty()).map(str::to_owned);
                (child.to_owned(), parents.collect())
            };
            Self(words.split_whitespace().map(word).collect())
        }
    }

    impl Ancestry for Shape {
        type Error = StoreError;

        fn parents(&self, id: &str) -> Result<Vec<String>, StoreError> {
            Ok(self.0.get(id).cloned().unwrap_or_default())
        }
    }

    /// Finds them with both implementations, which must agree.
    fn best(shape: &Shape, a: &str, b: &str) -> Result<Vec<String>, StoreError> {
        let best = best_common_of_all(shape, a, b)?;
        assert_eq!(best_common(shape, a, b)?, best, "{:?} of {a} and {b}", shape.0);
        Ok(best)
    }

    #[track_caller]
    fn check(words: &str, a: &str, b: &str, expect: &[&str]) {
        let shape = Shape::new(words);
        assert_eq!(best(&shape, a, b).unwrap(), expect, "{words}");
        assert_eq!(best(&shape, b, a).unwrap(), expect, "{words}");
    }

    #[test]
    fn where_lines_part() {
        check("1: 2:1 3:1", "2", "3", &["1"]);
        check("1: 2:1 3:2", "2", "3", &["2"]);
        check("1: 2:1 3:1 4:2,3 5:4 6:3", "5", "6", &["3"]);
        check("1: 2:", "1", "2", &[]);
        check("1: 2:1", "2", "2", &["2"]);
        check("2:gone 3:gone", "2", "3", &["gone"]);
    }

    #[test]
    fn lines_that_cross_have_several_best_ancestors() {
        check("1: 2:1 3:1 4:2,3 5:2,3", "4", "5", &["2", "3"]);
        check("1: 2:1 3:1 4:2,3 5:3,2 6:4 7:5", "6", "7", &["2", "3"]);
        check("1: 2:1 3:1 4:1 5:2,3,4 6:4,3,2", "5", "6", &["2", "3", "4"]);
        // 2 is an ancestor of 3, by a long way round.
        check("1: 2:1 a:2 b:a 3:b 4:2,3 5:2,3", "4", "5", &["3"]);
        // A name may sort before those of its ancestors, as when a clock was wrong.
        check("9: 8:9 7:9 2:8,7 1:7,8", "1", "2", &["7", "8"]);
    }

    #[test]
    fn a_graph_with_a_ring_ends() {
        check("1:2 2:1 3:1", "3", "2", &["2"]);
        check("1:1 2:1", "1", "2", &["1"]);
        check("1:3 2:1 3:2 4:1 5:3", "4", "5", &["3"]);
    }

    fn reaches(shape: &Shape, a: &str, b: &str) -> bool {
        let (mut seen, mut queue) = (BTreeSet::new(), vec![a.to_owned()]);
        while let Some(id) = queue.pop() {
            queue.extend(shape.parents(&id).unwrap());
            seen.insert(id);
        }
        seen.contains(b)
    }

    /// By the definition, in cubic time.
    fn naive(shape: &Shape, a: &str, b: &str) -> Vec<String> {
        let follows = |a: &str, b: &str| reaches(shape, a, b);
        let mut common: Vec<_> =
            shape.0.keys().filter(|id| follows(a, id) && follows(b, id)).cloned().collect();
        common.sort();
        let is_best = |id: &&String| !common.iter().any(|other| other != *id && follows(other, id));
        common.iter().filter(is_best).cloned().collect()
    }

    #[test]
    fn random_graphs_are_as_the_definition_has_it() {
        let mut state = 12u64;
        let mut below = |end: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % end
        };
        let mut several = 0;
        for _ in 0..400 {
            let count = 2 + below(14);
            // Names in no order.
            let name = |at: usize| format!("{:02}", (at * 7 + 3) % 17);
            let mut shape = Shape(HashMap::new());
            for at in 0..count {
                let parents = (0..1 + below(3)).filter(|_| at > 0);
                let parents = parents.map(|_| name(at - 1 - below(at.min(5))));
                let parents = parents.collect();
                shape.0.insert(name(at), parents);
            }
            for head in ["a", "b"] {
                let parents = (0..3).map(|_| name(count - 1 - below(count.min(6))));
                shape.0.insert(head.into(), parents.collect());
            }
            let (a, b) = ("a", "b");
            let best = best(&shape, a, b).unwrap();
            assert_eq!(best, naive(&shape, a, b), "{:?} of {a} and {b}", shape.0);
            let alone =
                shape.0.keys().filter(|id| reaches(&shape, b, id) && !reaches(&shape, a, id));
            assert_eq!(ahead(&shape, a, b).unwrap(), alone.count() as u64, "{:?}", shape.0);
            several += usize::from(best.len() > 1);
        }
        assert!(several > 20, "{several} of the graphs crossed");
    }

    #[test]
    fn a_long_history_is_walked_without_recursion_and_no_further_than_it_must() {
        let name = |at: usize| format!("{at:06}");
        let mut shape = Shape(HashMap::new());
        for at in 0..60_000 {
            shape.0.insert(name(at), at.checked_sub(1).map(name).into_iter().collect());
        }
        shape.0.insert("a".into(), vec![name(59_990)]);
        shape.0.insert("b".into(), vec![name(59_980)]);
        let graph = Graph::above(&shape, &["a", "b"]).unwrap();
        let mut steps = 20;
        let best = graph.best_common(&[graph.index("a")], &[graph.index("b")], &mut steps);
        assert_eq!(best, Some(vec![graph.index(&name(59_980))]));
        assert_eq!(graph.best_common(&[graph.index("a")], &[0], &mut 20), None, "steps run out");
    }
}
