//! Random histories on several devices that edit, delete, revert and pull each other, and the
//! resulting merges. Names of snapshots are in no order, as if clocks were wrong.

use std::collections::HashMap;

use fastest_core::compare::ancestry::{self, Ancestry};
use fastest_core::compare::merge::{Names, Sides, merge};
use fastest_core::compare::merge_base::merge_base;
use fastest_core::compare::parting::best_common;
use fastest_core::object::error::StoreError;
use fastest_core::object::id::TreeId;
use fastest_core::object::memory::{MemoryObjects, ScratchObjects};
use fastest_core::object::tree::{Conflict, Form};

use super::model::*;

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// Returns the seeds of a test's cases: `count` from `first`, or the one in `FASTEST_SEED`.
pub fn seeds(first: u64, count: u64) -> std::ops::Range<u64> {
    let named = std::env::var("FASTEST_SEED").ok().and_then(|seed| seed.parse().ok());
    named.map_or(first..first + count, |seed: u64| seed..seed + 1)
}

/// What may happen in a history.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Each path is edited by one device; otherwise any device edits any.
    pub one_editor: bool,
    /// Paths are deleted, and deleted ones come back.
    pub deletions: bool,
    /// A path is a file at one time and a folder at another, and folders may be empty.
    pub folders: bool,
}

pub struct Snapshot {
    name: String,
    pub parents: Vec<usize>,
    pub model: Model,
    tree: TreeId,
    /// If this is a merge: the paths in conflict.
    pub conflicts: Vec<Path>,
    /// By slot: how often it was edited, and its newest content.
    newest: Vec<(u32, Vec<(Path, Thing)>)>,
}

/// A path that belongs to an editor, with all below it.
struct Slot {
    path: Path,
    editor: usize,
}

pub struct History {
    rules: Rules,
    random: Random,
    slots: Vec<Slot>,
    pub snapshots: Vec<Snapshot>,
    names: HashMap<String, usize>,
    /// The head of each device.
    heads: Vec<usize>,
    /// The head of each device that others see.
    pushed: Vec<usize>,
    pub objects: MemoryObjects,
}

impl Ancestry for History {
    type Error = StoreError;

    fn parents(&self, id: &str) -> Result<Vec<String>, StoreError> {
        let parents = &self.snapshots[self.names[id]].parents;
        Ok(parents.iter().map(|&parent| self.snapshots[parent].name.clone()).collect())
    }
}

impl ancestry::History for History {
    fn tree(&self, id: &str) -> Result<TreeId, StoreError> {
        Ok(self.snapshots[self.names[id]].tree)
    }
}

fn path(text: &str) -> Path {
    text.split('/').map(|part| part.as_bytes().to_vec()).collect()
}

impl History {
    /// Creates the history of a seed. Prints the seed if that panics.
    pub fn of_seed(seed: u64, devices: usize, rules: Rules) -> Self {
        std::panic::catch_unwind(|| Self::new(seed, devices, rules)).unwrap_or_else(|panic| {
            println!("FASTEST_SEED={seed}");
            std::panic::resume_unwind(panic)
        })
    }

    pub fn merges(&self) -> impl Iterator<Item = &Snapshot> {
        self.snapshots.iter().filter(|snapshot| snapshot.parents.len() == 2)
    }

    /// Makes some edits and pulls on `devices` devices. At the end, each has pulled everything.
    fn new(seed: u64, devices: usize, rules: Rules) -> Self {
        let slots = (0..devices).flat_map(|editor| {
            let names = [format!("r{editor}"), format!("z{editor}")];
            // A file has another name in each folder: if it kept its name, the folder would seem renamed.
            let shared = ["f", "g", "h"].into_iter().enumerate();
            let shared = shared.map(move |(number, file)| format!("d{number}/{file}{editor}"));
            names.into_iter().chain(shared).map(move |name| Slot { path: path(&name), editor })
        });
        let mut history = Self {
            rules,
            random: Random(seed),
            slots: slots.collect(),
            snapshots: Vec::new(),
            names: HashMap::new(),
            heads: Vec::new(),
            pushed: Vec::new(),
            objects: MemoryObjects::default(),
        };
        history.begin(devices);
        for _ in 0..20 + history.random.below(60) {
            let device = history.random.below(devices);
            let other = (device + 1 + history.random.below(devices - 1)) % devices;
            match history.random.below(8) {
                0..3 => history.edit(device),
                3..6 => history.pull(device, other),
                _ => history.pushed[device] = history.heads[device],
            }
        }
        history.pushed.clone_from(&history.heads);
        for device in (0..devices).chain(0..devices) {
            (0..devices).for_each(|other| history.pull(device, other));
            history.pushed[device] = history.heads[device];
        }
        assert!(history.heads.iter().all(|head| *head == history.heads[0]), "all have pulled all");
        history
    }

    fn begin(&mut self, devices: usize) {
        let nothing = vec![(0, Vec::new()); self.slots.len()];
        self.add(vec![], Model::default(), vec![], nothing);
        self.heads = vec![0];
        for slot in 0..self.slots.len() {
            self.edit_slot(0, slot);
        }
        self.heads = vec![self.heads[0]; devices];
        self.pushed.clone_from(&self.heads);
    }

    fn add(
        &mut self,
        parents: Vec<usize>,
        model: Model,
        conflicts: Vec<Path>,
        newest: Vec<(u32, Vec<(Path, Thing)>)>,
    ) -> usize {
        let at = self.snapshots.len();
        let name = format!("{:04x}-{at}", self.random.next() as u16);
        self.names.insert(name.clone(), at);
        let tree = stored(&model, &self.objects);
        self.snapshots.push(Snapshot { name, parents, model, tree, conflicts, newest });
        at
    }

    fn edit(&mut self, device: usize) {
        for _ in 0..1 + self.random.below(3) {
            let mut slot = self.random.below(self.slots.len());
            while self.rules.one_editor && self.slots[slot].editor != device {
                slot = self.random.below(self.slots.len());
            }
            self.edit_slot(device, slot);
        }
    }

    fn edit_slot(&mut self, device: usize, slot: usize) {
        let head = self.heads[device];
        let mut model = self.snapshots[head].model.clone();
        let path = self.slots[slot].path.clone();
        match self.random.below(8) {
            0 | 1 if self.rules.deletions => {
                model.remove(&path);
                let alone = model.below(&path[..1]).len() == 1;
                if path.len() > 1 && alone && self.random.below(2) == 0 {
                    model.remove(&path[..1]);
                }
            }
            2 | 3 if self.rules.one_editor => self.go_back(&path, &mut model),
            4 if self.rules.deletions && self.rules.one_editor => self.move_from(slot, &mut model),
            5..8 if path[0][0] == b'z' && self.rules.one_editor => self.fill(slot, &mut model),
            _ => {
                let thing = self.thing(slot);
                self.put(&path, thing, &mut model);
            }
        }
        let mut newest = self.snapshots[head].newest.clone();
        for (slot, (version, content)) in self.slots.iter().zip(&mut newest) {
            let now = content_of(&model, &slot.path);
            if now != *content {
                *version = self.snapshots.len() as u32;
                *content = now;
            }
        }
        self.heads[device] = self.add(vec![head], model, vec![], newest);
    }

    /// Returns a file with one of a few contents, so that contents recur. What several edit has contents
    /// of its own at each path: to git too, the file of one path is then never that of another.
    fn thing(&mut self, slot: usize) -> Thing {
        let content = match self.rules.one_editor {
            true => 1 + self.random.below(7),
            false => DISTINCT.start + 7 * slot + self.random.below(7),
        };
        match self.random.below(8) {
            0 if self.rules.one_editor => Thing::Executable(content),
            1 if self.rules.one_editor => Thing::Link(content),
            _ => Thing::File(content),
        }
    }

    fn put(&self, path: &Path, thing: Thing, model: &mut Model) {
        let in_the_way = model.get(path).is_some_and(Thing::is_directory) || thing.is_directory();
        if self.rules.folders || !in_the_way {
            model.put(path, thing);
        }
    }

    /// Restores a path from a random earlier snapshot.
    fn go_back(&mut self, path: &Path, model: &mut Model) {
        let then = self.random.below(self.snapshots.len());
        let before = content_of(&self.snapshots[then].model, path);
        let was_folder = |thing: Option<Thing>| thing.is_some_and(Thing::is_directory);
        let swaps =
            was_folder(before.first().map(|(_, thing)| *thing)) != was_folder(model.get(path));
        if self.rules.folders || !(swaps || before.is_empty()) {
            model.remove(path);
            before.into_iter().for_each(|(path, thing)| model.put(&path, thing));
        }
    }

    /// Moves what is at a slot to another one of the same editor.
    fn move_from(&mut self, from: usize, model: &mut Model) {
        let to = self.random.below(self.slots.len());
        let is_file = |slot: usize| self.slots[slot].path[0][0] != b'z';
        if self.slots[to].editor == self.slots[from].editor && is_file(to) && is_file(from) {
            model.rename(&self.slots[from].path, &self.slots[to].path);
        }
    }

    /// Edits something in an editor's own folder.
    fn fill(&mut self, slot: usize, model: &mut Model) {
        let path = &self.slots[slot].path.clone();
        let names = ["a", "b", "c/a", "c/b", "c/d/a", "e"].map(self::path);
        let below = [&path[..], &names[self.random.below(names.len())][..]].concat();
        let thing = match self.random.below(4) {
            0 if self.rules.folders => Thing::Directory,
            1 if self.rules.deletions => {
                let depth = if self.rules.folders { below.len() - self.random.below(2) } else { 2 };
                return model.remove(&below[..depth]);
            }
            _ => self.thing(slot),
        };
        if self.rules.folders || model.get(path).is_none_or(Thing::is_directory) {
            self.put(&below, thing, model);
        }
    }

    /// Does as `pull` does: takes the other's head if it follows ours, and merges otherwise.
    fn pull(&mut self, device: usize, other: usize) {
        let (ours, theirs) = (self.heads[device], self.pushed[other]);
        if self.follows(ours, theirs) {
            return;
        }
        self.heads[device] = match self.follows(theirs, ours) {
            true => theirs,
            false => self.merge(ours, theirs),
        };
    }

    /// Returns a number that grows in the order in which merge bases are merged: by generation,
    /// then tree.
    pub fn order(&self, at: usize) -> u64 {
        let [a, b, ..] = self.snapshots[at].tree.0;
        self.generation(at) << 16 | u64::from(a) << 8 | u64::from(b)
    }

    fn generation(&self, at: usize) -> u64 {
        let mut generations = vec![0; at + 1];
        for at in 1..=at {
            let parents = self.snapshots[at].parents.iter();
            generations[at] = parents.map(|&parent| generations[parent] + 1).max().unwrap_or(0);
        }
        generations[at]
    }

    /// Returns how many of the merges had several best bases.
    pub fn crossed(&self) -> usize {
        let name = |at: &usize| self.snapshots[*at].name.as_str();
        let several = |snapshot: &&Snapshot| match &snapshot.parents[..] {
            [a, b] => best_common(self, name(a), name(b)).unwrap().len() > 1,
            _ => false,
        };
        self.snapshots.iter().filter(several).count()
    }

    fn follows(&self, descendant: usize, ancestor: usize) -> bool {
        let (mut seen, mut queue) = (vec![false; self.snapshots.len()], vec![descendant]);
        while let Some(at) = queue.pop() {
            if !std::mem::replace(&mut seen[at], true) {
                queue.extend(&self.snapshots[at].parents);
            }
        }
        seen[ancestor]
    }

    fn merge(&mut self, ours: usize, theirs: usize) -> usize {
        let (tree, conflicts) = self.merged(ours, theirs);
        let (mirrored, their_conflicts) = self.merged(theirs, ours);
        assert_eq!(conflicts.len(), their_conflicts.len(), "whoever merges");
        let mut model = Model::read(&tree, &self.objects);
        let [a, b] = [ours, theirs].map(|side| &self.snapshots[side].newest);
        let newest: Vec<_> =
            a.iter().zip(b).map(|(a, b)| if a.0 < b.0 { b } else { a }.clone()).collect();
        if self.rules.one_editor {
            assert_eq!(conflicts, [], "each path has one editor");
            assert_eq!(tree, mirrored, "whoever merges");
            for (slot, (_, content)) in self.slots.iter().zip(&newest) {
                let merged = content_of(&model, &slot.path);
                assert_eq!(merged, *content, "the last word of {}'s editor", show(&slot.path));
            }
        }
        // Resolved as a user may do it: keeps ours, and what only one side deleted.
        for conflict in &conflicts {
            if let Form::Beside { theirs_path } = &conflict.form {
                model.remove(&path(std::str::from_utf8(theirs_path).unwrap()));
            }
        }
        let path = |conflict: &Conflict| path(std::str::from_utf8(&conflict.path).unwrap());
        let conflicts = conflicts.iter().map(path).collect();
        self.add(vec![ours, theirs], model, conflicts, newest)
    }

    fn merged(&self, ours: usize, theirs: usize) -> (TreeId, Vec<Conflict>) {
        let [a, b] = [ours, theirs].map(|side| &self.snapshots[side]);
        let scratch = ScratchObjects::over(&self.objects);
        let base = merge_base(self, &a.name, &b.name, &scratch).unwrap();
        let names = Names { ours: "ours", theirs: "theirs", label: "x" };
        let sides = Sides { base: base.as_ref(), ours: &a.tree, theirs: &b.tree, names };
        let merged = merge(&sides, &scratch, &self.objects).unwrap();
        (merged.root.id, merged.conflicts)
    }
}

fn content_of(model: &Model, path: &Path) -> Vec<(Path, Thing)> {
    model.below(path).into_iter().map(|path| (path.clone(), model.0[&path])).collect()
}

fn show(path: &Path) -> String {
    String::from_utf8_lossy(&joined(path)).into_owned()
}

#[test]
fn each_editors_last_word_stands_in_whatever_order_devices_pull() {
    let started = std::time::Instant::now();
    let rules = Rules { one_editor: true, deletions: true, folders: true };
    let (mut cases, mut merges, mut crossed) = (0, 0, 0);
    for seed in seeds(1_200_000, 3_000) {
        let devices = 2 + seed as usize % 3;
        let history = History::of_seed(seed, devices, rules);
        cases += 1;
        merges += history.merges().count();
        crossed += history.crossed();
    }
    println!("{cases} histories, {merges} merges, {crossed} crossed, {:.1?}", started.elapsed());
    assert!(cases == 1 || (merges > 5 * cases && crossed > cases), "{merges}, {crossed}");
}
