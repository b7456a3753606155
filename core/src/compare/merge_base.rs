//! The tree from which two histories diverged.
//!
//! Whenever devices pull from each other, there are several best common ancestors. None of them
//! alone can be the base: what only the others have would look like a change of one side, and be
//! undone silently. So they are merged first, into a virtual base, as in git's merge-recursive and
//! merge-ort. Where two of them have several best common ancestors of their own, these are merged
//! in turn.
//!
//! The result depends on the graph and the trees: not on who asks, nor on names or clocks. There is
//! one exception: bases of the same generation with the same tree are merged in the order of their
//! names, which makes little difference. Virtual trees stay in the scratch memory of the caller.

use std::collections::HashMap;

use crate::compare::ancestry::{Graph, History, Index};
use crate::compare::merge::{Past, agree_where_others_differ, merge_bases};
use crate::compare::parting::best_common;
use crate::object::id::TreeId;
use crate::object::memory::ScratchObjects;

/// Returns the tree that `ours` and `theirs` both started from; `None` if they have nothing in
/// common. Its virtual nodes are in `scratch`.
pub fn merge_base<A: History>(
    ancestry: &A,
    ours: &str,
    theirs: &str,
    scratch: &ScratchObjects<'_>,
) -> Result<Option<TreeId>, A::Error> {
    bounded_merge_base(ancestry, ours, theirs, scratch, Bounds::default())
}

/// Limits on the work for one base. Beyond them the older history counts as unknown, and whatever
/// differs there is unsettled. So a conflict may be reported needlessly, but no side is favoured.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// How deep bases of bases go. Devices that pull from each other all day reach several hundred.
    depth: usize,
    /// How many sets of bases are merged. A hostile graph can have more of them than there are
    /// atoms.
    sets: usize,
    /// How many snapshots are visited to find the best common ancestors of bases.
    steps: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { depth: 10_000, sets: 20_000, steps: 20_000_000 }
    }
}

fn bounded_merge_base<A: History>(
    ancestry: &A,
    ours: &str,
    theirs: &str,
    scratch: &ScratchObjects<'_>,
    left: Bounds,
) -> Result<Option<TreeId>, A::Error> {
    match &best_common(ancestry, ours, theirs)?[..] {
        [] => return Ok(None),
        [one] => return ancestry.tree(one).map(Some),
        // The common ancestors of the bases may be anywhere, so the whole graph is read.
        _ => {}
    }
    let graph = Graph::above(ancestry, &[ours, theirs])?;
    let heads = [ours, theirs].map(|head| graph.index(head));
    let mut unlimited = usize::MAX;
    let best = graph.best_common(&heads[..1], &heads[1..], &mut unlimited);
    let best = best.expect("the steps do not run out");
    let (trees, merged) = (HashMap::new(), HashMap::new());
    let mut bases = Bases { ancestry, graph, scratch, trees, merged, left };
    let [ours, theirs] = [bases.tree(heads[0])?, bases.tree(heads[1])?];
    let begun = bases.begin(best)?;
    if bases.agree(&begun.bases, [&ours, &theirs])? {
        return Ok(Some(begun.tree));
    }
    bases.merge(begun).map(Some)
}

struct Bases<'a, A> {
    ancestry: &'a A,
    graph: Graph,
    scratch: &'a ScratchObjects<'a>,
    trees: HashMap<Index, TreeId>,
    /// Virtual trees by the snapshots that they merge.
    merged: HashMap<Vec<Index>, TreeId>,
    left: Bounds,
}

/// Several snapshots that are being merged into one tree.
struct Merging {
    /// In the order in which they are merged.
    bases: Vec<Index>,
    /// How many of them are in `tree`.
    done: usize,
    tree: TreeId,
}

/// The common history of the next snapshot of a [`Merging`] and those before it.
enum Common {
    Nothing,
    Tree(TreeId),
    Unknown,
    /// These snapshots, whose virtual tree is not known yet.
    Several(Merging),
}

impl<A: History> Bases<'_, A> {
    /// Returns the virtual tree of several snapshots. Uses an explicit stack: bases may be nested
    /// deeper than a thread's stack allows.
    fn merge(&mut self, begun: Merging) -> Result<TreeId, A::Error> {
        let mut stack = vec![begun];
        loop {
            let top = stack.last().expect("the loop ends with the last one");
            let Some(&next) = top.bases.get(top.done) else {
                let Merging { bases, tree, .. } = stack.pop().expect("it was looked at above");
                self.merged.insert(bases, tree);
                if stack.is_empty() {
                    return Ok(tree);
                }
                // The set that needs this tree is on top of the stack now, and will find it in
                // `merged`.
                continue;
            };
            let theirs = self.tree(next)?;
            let tree = if theirs == top.tree {
                theirs
            } else {
                match self.common(top, next, stack.len())? {
                    Common::Several(below) => {
                        stack.push(below);
                        continue;
                    }
                    Common::Nothing => self.merge_pair(Past::Nothing, &top.tree, &theirs)?,
                    Common::Tree(tree) => self.merge_pair(Past::Tree(&tree), &top.tree, &theirs)?,
                    Common::Unknown => self.merge_pair(Past::Unknown, &top.tree, &theirs)?,
                }
            };
            let top = stack.last_mut().expect("it was looked at above");
            (top.tree, top.done) = (tree, top.done + 1);
        }
    }

    /// Begins to merge snapshots, in the order of their generations: the oldest first, as in git.
    fn begin(&mut self, mut bases: Vec<Index>) -> Result<Merging, A::Error> {
        for &base in &bases {
            self.tree(base)?;
        }
        bases.sort_by_key(|base| (self.graph.generation(*base), self.trees[base], *base));
        Ok(Merging { done: 1, tree: self.trees[&bases[0]], bases })
    }

    fn common(&mut self, of: &Merging, next: Index, depth: usize) -> Result<Common, A::Error> {
        let before = &of.bases[..of.done];
        let Some(best) = self.graph.best_common(before, &[next], &mut self.left.steps) else {
            return Ok(Common::Unknown);
        };
        match best[..] {
            [] => return Ok(Common::Nothing),
            [one] => return Ok(Common::Tree(self.tree(one)?)),
            _ => {}
        }
        let below = self.begin(best)?;
        if let Some(tree) = self.merged.get(&below.bases) {
            return Ok(Common::Tree(*tree));
        }
        let next = self.tree(next)?;
        if self.agree(&below.bases, [&of.tree, &next])? {
            return Ok(Common::Tree(below.tree));
        }
        if depth > self.left.depth || self.left.sets == 0 {
            return Ok(Common::Unknown);
        }
        self.left.sets -= 1;
        Ok(Common::Several(below))
    }

    /// Returns whether bases agree on everything that matters to a merge of two trees, so that any
    /// of them will do. They do if devices pull from each other but do not edit the same file each
    /// time. Nothing is merged then.
    fn agree(&mut self, bases: &[Index], of: [&TreeId; 2]) -> Result<bool, A::Error> {
        let one = self.tree(bases[0])?;
        for &base in &bases[1..] {
            let two = self.tree(base)?;
            if !agree_where_others_differ(&one, &two, of, self.scratch)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn merge_pair(
        &self,
        past: Past<'_>,
        ours: &TreeId,
        theirs: &TreeId,
    ) -> Result<TreeId, A::Error> {
        Ok(merge_bases(past, ours, theirs, self.scratch, self.scratch)?)
    }

    fn tree(&mut self, at: Index) -> Result<TreeId, A::Error> {
        if let Some(tree) = self.trees.get(&at) {
            return Ok(*tree);
        }
        let tree = self.ancestry.tree(self.graph.name(at))?;
        self.trees.insert(at, tree);
        Ok(tree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::ancestry::Ancestry;
    use crate::compare::merge::{Merged, Names, Sides, merge};
    use crate::compare::parting::best_common;
    use crate::object::error::StoreError;
    use crate::object::id::BlobId;
    use crate::object::item::{Item, Kind};
    use crate::object::kind::ObjectKind;
    use crate::object::memory::MemoryObjects;
    use crate::object::source::ObjectSink;
    use crate::object::tree::{Conflict, with_conflicts, write_directory};

    /// Snapshots of trees that are a single folder. Their objects are in `store`.
    #[derive(Default)]
    struct Lines {
        store: MemoryObjects,
        snapshots: HashMap<String, (Vec<String>, TreeId)>,
    }

    impl Ancestry for Lines {
        type Error = StoreError;

        fn parents(&self, id: &str) -> Result<Vec<String>, StoreError> {
            Ok(self.snapshots.get(id).map(|(parents, _)| parents.clone()).unwrap_or_default())
        }
    }

    impl History for Lines {
        fn tree(&self, id: &str) -> Result<TreeId, StoreError> {
            Ok(self.snapshots[id].1)
        }
    }

    impl Lines {
        /// Parses lines of the form `child:parent,parent file=content file=content`.
        fn new(lines: &[&str]) -> Self {
            let mut history = Self::default();
            for line in lines {
                let (head, files) = line.split_once(' ').unwrap_or((line, ""));
                let (child, parents) = head.split_once(':').unwrap();
                let parents: Vec<&str> = parents.split(',').filter(|p| !p.is_empty()).collect();
                history.add(child, &parents, files);
            }
            history
        }

        fn add(&mut self, child: &str, parents: &[&str], files: &str) {
            let parents = parents.iter().map(|&parent| parent.to_owned()).collect();
            let tree = tree(files, &self.store);
            self.snapshots.insert(child.to_owned(), (parents, tree));
        }

        fn merge(&self, ours: &str, theirs: &str, bounds: Bounds) -> Merged {
            let before = self.store.len();
            let scratch = ScratchObjects::over(&self.store);
            let base = bounded_merge_base(self, ours, theirs, &scratch, bounds).unwrap();
            assert_eq!(self.store.len(), before, "virtual trees are in the scratch memory alone");
            let (ours, theirs) = (self.tree(ours).unwrap(), self.tree(theirs).unwrap());
            let names = Names { ours: "ours", theirs: "theirs", label: "x" };
            let sides = Sides { base: base.as_ref(), ours: &ours, theirs: &theirs, names };
            merge(&sides, &scratch, &self.store).unwrap()
        }

        /// Merges in both directions.
        #[track_caller]
        fn check(&self, a: &str, b: &str, expect: &str, conflicts: &[&str]) {
            let names = |found: Vec<Conflict>| -> Vec<String> {
                found.into_iter().map(|c| String::from_utf8(c.path).unwrap()).collect()
            };
            let merged = self.merge(a, b, Bounds::default());
            assert_eq!(names(merged.conflicts), conflicts);
            let files = with_conflicts(&merged.root.id, vec![], &self.store, &self.store).unwrap();
            assert_eq!(files.id, tree(expect, &self.store), "expected {expect}");
            let mirrored = self.merge(b, a, Bounds::default());
            assert_eq!(names(mirrored.conflicts), conflicts, "whoever merges");
            assert!(!conflicts.is_empty() || mirrored.root == merged.root, "whoever merges");
        }
    }

    /// `name=content` words; an executable has `*` before its name. The contents are no text, so no file gets
    /// markers.
    fn tree(files: &str, objects: &MemoryObjects) -> TreeId {
        let entry = |word: &str| {
            let (name, content) = word.split_once('=').unwrap();
            let kind = if name.starts_with('*') { Kind::Executable } else { Kind::File };
            let content = format!("{content}\0");
            let id = BlobId::of(content.as_bytes()).0;
            objects.put(ObjectKind::Blob, BlobId(id).into(), content.as_bytes()).unwrap();
            let item = Item { kind, id, bytes: content.len() as u64, files: 1, list: None };
            (name.trim_start_matches('*').as_bytes().to_vec(), item)
        };
        let mut entries: Vec<_> = files.split_whitespace().map(entry).collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        write_directory(&entries, objects).unwrap().id
    }

    /// Merges `a2` and `b2`. Their parents are both `a1` and `b1`, whose parent is `o`. All have
    /// these files.
    #[track_caller]
    fn check([o, a1, b1, a2, b2]: [&str; 5], expect: &str, conflicts: &[&str]) {
        // Either may have the greater name.
        for (a, b) in [("x", "y"), ("y", "x")] {
            let lines = [
                format!("o: {o}"),
                format!("{a}1:o {a1}"),
                format!("{b}1:o {b1}"),
                format!("{a}2:{a}1,{b}1 {a2}"),
                format!("{b}2:{b}1,{a}1 {b2}"),
            ];
            let history = Lines::new(&lines.each_ref().map(String::as_str));
            history.check(&format!("{a}2"), &format!("{b}2"), expect, conflicts);
        }
    }

    #[test]
    fn what_one_side_did_after_both_pulled_stands() {
        let (o, a1, b1) = ("k=1", "k=1 new=1", "k=1 other=1");
        let both = "k=1 new=1 other=1";
        check([o, a1, b1, both, "k=1 other=1"], "k=1 other=1", &[]);
        check([o, a1, b1, "k=1 new=1", both], "k=1 new=1", &[]);
        // Deleted, and put back.
        check(["f=1", "", "f=1 g=1", "f=1 g=1", "g=1"], "f=1 g=1", &[]);
        // Edited, and edited back.
        check(["f=1", "f=2", "f=1 g=1", "f=1 g=1", "f=2 g=1"], "f=1 g=1", &[]);
        check(["f=1", "*f=1", "f=1 g=1", "f=1 g=1", "*f=1 g=1"], "f=1 g=1", &[]);
    }

    #[test]
    fn a_conflict_of_bases_is_decided_for_nobody() {
        // Both changed `f`; then each resolved the conflict, in its own way or in the same way.
        check(["f=1", "f=2", "f=3", "f=2", "f=2"], "f=2", &[]);
        for settled in ["f=1", "f=2", "f=3", "f=4", ""] {
            for other in ["f=1", "f=2", "f=3"] {
                if settled != other {
                    let names = [("x1", "f=2"), ("y1", "f=3"), ("x2", settled), ("y2", other)];
                    let [x1, y1, x2, y2] = names.map(|(name, files)| match &name[1..] {
                        "1" => format!("{name}:o {files}"),
                        _ => format!("{name}:x1,y1 {files}"),
                    });
                    let history = Lines::new(&["o: f=1", &x1, &y1, &x2, &y2]);
                    let merged = history.merge("x2", "y2", Bounds::default());
                    assert_eq!(merged.conflicts.len(), 1, "{settled:?} and {other:?}");
                }
            }
        }
    }

    #[test]
    fn a_deletion_against_an_edit_among_bases_is_decided_for_nobody() {
        check(["f=1", "f=2", "", "f=2", "f=2"], "f=2", &[]);
        check(["f=1", "f=2", "", "", ""], "", &[]);
        // git takes the side that did not go back to 1.
        check(["f=1", "f=2", "", "f=1", ""], "f=1", &["f"]);
        check(["f=1", "f=2", "", "", "f=2"], "f=2", &["f"]);
        check(["", "f=2", "f=3", "", "f=2"], "f=2", &["f"]);
    }

    #[test]
    fn an_executable_bit_is_settled_though_the_content_is_not() {
        check(["f=1", "*f=2", "f=3", "*f=2", "f=2"], "f=2", &[]);
        check(["f=1", "f=2", "f=3", "*f=2", "f=2"], "*f=2", &[]);
    }

    #[test]
    fn histories_without_a_common_past_have_no_base() {
        let history = Lines::new(&["a: f=1 g=1", "b: f=1 h=1"]);
        history.check("a", "b", "f=1 g=1 h=1", &[]);
    }

    /// Two devices that pull each other's last push and edit a file of their own, `rungs` times.
    fn ladder(rungs: usize) -> Lines {
        let mut history = Lines::new(&["x0: x=0 y=0", "y0:x0 x=0 y=0"]);
        for rung in 1..rungs {
            let below = rung - 1;
            let parents = [format!("x{below}"), format!("y{below}")];
            let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
            history.add(&format!("x{rung}"), &parents, &format!("x={rung} y={below}"));
            history.add(&format!("y{rung}"), &parents, &format!("x={below} y={rung}"));
        }
        history
    }

    #[test]
    fn a_ladder_of_a_thousand_crossings_costs_a_merge_for_each() {
        let started = std::time::Instant::now();
        let history = ladder(1_000);
        assert_eq!(best_common(&history, "x999", "y999").unwrap(), ["x998", "y998"]);
        let scratch = ScratchObjects::over(&history.store);
        let limits = Bounds { depth: 1_000, sets: 1_000, steps: 20_000 };
        let base = bounded_merge_base(&history, "x999", "y999", &scratch, limits).unwrap();
        assert_eq!(base, Some(tree("x=998 y=998", &history.store)));
        history.check("x999", "y999", "x=999 y=999", &[]);
        println!("1,000 crossings, three merges: {:.1?}", started.elapsed());
    }

    #[test]
    fn crossings_in_which_other_files_were_edited_each_time_merge_nothing() {
        let mut history = Lines::new(&["x0: k=0", "y0:x0 k=0"]);
        let files = |side: &str, rungs: usize| -> String {
            (0..rungs).map(|rung| format!(" {side}{rung}={rung}")).collect()
        };
        for rung in 1..100 {
            let parents = [format!("x{}", rung - 1), format!("y{}", rung - 1)];
            let parents = parents.each_ref().map(String::as_str);
            let [xs, ys] = [files("x", rung), files("y", rung - 1)];
            history.add(&format!("x{rung}"), &parents, &format!("k=0{xs}{ys}"));
            let [xs, ys] = [files("x", rung - 1), files("y", rung)];
            history.add(&format!("y{rung}"), &parents, &format!("k=0{xs}{ys}"));
        }
        let merged = history.merge("x99", "y99", Bounds { sets: 0, ..Bounds::default() });
        assert_eq!(merged.conflicts, []);
        assert_eq!(merged.root.files, 1 + 2 * 99);
    }

    #[test]
    fn past_a_bound_nothing_is_decided_and_what_both_have_stands() {
        let history = ladder(200);
        for (depth, sets) in [(50, 1_000), (1_000, 50), (0, 1_000), (1_000, 0)] {
            let bounds = Bounds { depth, sets, ..Bounds::default() };
            let merged = history.merge("x199", "y199", bounds);
            let named: Vec<&[u8]> = merged.conflicts.iter().map(|c| c.path.as_slice()).collect();
            assert_eq!(named, [b"x", b"y"], "edited on each rung, the base is nobody's");
        }
        // Deletions are unsettled as well: nothing comes back, and nothing is deleted.
        let bounds = Bounds { steps: 0, ..Bounds::default() };
        let lines =
            ["o: f=1 g=1", "a1:o g=1", "b1:o f=1 g=1 h=1", "a2:a1,b1 f=1 g=1", "b2:a1,b1 g=1"];
        let merged = Lines::new(&lines).merge("a2", "b2", bounds);
        assert_eq!(merged.conflicts.len(), 1, "f was put back here, and stayed deleted there");
    }

    /// The parents of each of the `width` snapshots of a level are some of the level below: no two
    /// sets are the same.
    fn lattice(levels: usize, width: usize) -> Lines {
        let mut history = Lines::default();
        let mut state = 1u64;
        for level in 0..levels {
            for at in 0..width {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let below = (0..width).filter(|bit| level > 0 && state >> (20 + 2 * bit) & 3 > 0);
                let below: Vec<String> = below.map(|at| format!("{}-{at}", level - 1)).collect();
                let below: Vec<&str> = below.iter().map(String::as_str).collect();
                history.add(
                    &format!("{level}-{at}"),
                    &below,
                    &format!("f{at}={level} g={level}{at}"),
                );
            }
        }
        history
    }

    #[test]
    fn graphs_that_want_more_merges_than_there_is_time_for_end() {
        let started = std::time::Instant::now();
        let history = lattice(60, 16);
        let merged = history.merge("59-0", "59-1", Bounds::default());
        assert!(!merged.conflicts.is_empty());
        println!("60 levels of 16: {:.1?}", started.elapsed());
        // As an octopus, too.
        let mut history = Lines::new(&["o: f=0"]);
        let arms: Vec<String> = (0..1_500).map(|at| format!("arm{at}")).collect();
        arms.iter().for_each(|arm| history.add(arm, &["o"], &format!("{arm}=1 f=0")));
        let arms: Vec<&str> = arms.iter().map(String::as_str).collect();
        let all: Vec<String> = arms.iter().map(|arm| format!("{arm}=1")).collect();
        let all = all.join(" ");
        history.add("x", &arms, &format!("{all} f=1"));
        history.add("y", &arms, &format!("{all} f=0 g=1"));
        let merged = history.merge("x", "y", Bounds::default());
        assert_eq!((merged.conflicts.len(), merged.root.files), (0, 1_502));
        println!("and an octopus: {:.1?}", started.elapsed());
    }
}
