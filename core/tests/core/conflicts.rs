//! Conflicts on several devices: whatever is edited, merged and settled, no line is lost, and a tree lists
//! exactly the conflicts whose markers stand in its file.
//!
//! Every line is written once, by one device, so a line that is gone and that nobody took out is a loss.
//! `FASTEST_CONFLICTS` says how many histories are tried, and `FASTEST_SEED` which one alone.

use std::collections::{BTreeSet, HashMap};

use fastest_core::compare::ancestry::{Ancestry, History};
use fastest_core::compare::merge::{Names, Side, Sides, merge, pick};
use fastest_core::compare::merge_base::merge_base;
use fastest_core::compare::overlap::overlap;
use fastest_core::compare::parting::follows;
use fastest_core::object::chunk::{read_content, write_content};
use fastest_core::object::error::StoreError;
use fastest_core::object::id::TreeId;
use fastest_core::object::item::{Item, Kind};
use fastest_core::object::memory::{MemoryObjects, ScratchObjects};
use fastest_core::object::tree::conflicts::{Conflict, read_conflicts};
use fastest_core::object::tree::read::find;
use fastest_core::object::tree::write::write_directory;
use fastest_core::worktree::contents::CopyContents;
use fastest_core::worktree::open_conflicts::carry;

use super::histories::{Random, seeds};

#[derive(Default)]
struct World {
    objects: MemoryObjects,
    /// By name: the parents and the tree.
    snapshots: HashMap<String, (Vec<String>, TreeId)>,
    /// Which device made a snapshot.
    makers: HashMap<String, usize>,
    /// The newest snapshot of each device.
    heads: Vec<String>,
    /// How many lines were written.
    written: usize,
    /// Lines that somebody took out.
    dropped: BTreeSet<String>,
    /// How many merges found a conflict, and how many conflicts were settled.
    counts: [usize; 2],
}

impl Ancestry for World {
    type Error = StoreError;

    fn parents(&self, id: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.snapshots[id].0.clone())
    }
}

impl History for World {
    fn tree(&self, id: &str) -> Result<TreeId, StoreError> {
        Ok(self.snapshots[id].1)
    }
}

fn is_marker(line: &str) -> bool {
    ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark))
}

/// Returns the lines of a text that are not markers.
fn lines(text: &str) -> BTreeSet<String> {
    text.lines().filter(|line| !is_marker(line)).map(str::to_owned).collect()
}

impl World {
    fn text(&self, tree: &TreeId) -> String {
        let item = find(tree, &[b"f"], &self.objects).unwrap().expect("the file is never deleted");
        let mut text = Vec::new();
        read_content(&item, &self.objects, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    fn head(&self, device: usize) -> TreeId {
        self.snapshots[&self.heads[device]].1
    }

    fn add(&mut self, device: usize, parents: Vec<String>, tree: TreeId) {
        let name = format!("s{:04}", self.snapshots.len());
        self.snapshots.insert(name.clone(), (parents, tree));
        self.makers.insert(name.clone(), device);
        self.heads[device] = name;
    }

    /// Saves a new text of the file, as a command does that scans the working copy.
    fn save(&mut self, device: usize, text: &str) {
        let content = write_content(&mut text.as_bytes(), &self.objects).unwrap();
        let (id, bytes) = (content.id.0, content.bytes);
        let item = Item { kind: Kind::File, id, bytes, files: 1, list: None };
        let scanned = write_directory(&[("f", item)], &self.objects).unwrap().id;
        let head = self.head(device);
        // In a conflict, a line may stand on both sides. Two devices may each take another copy of it out.
        let (before, after) = (self.text(&head), text);
        let count = |text: &str, line: &str| text.lines().filter(|other| *other == line).count();
        let gone =
            lines(&before).into_iter().filter(|line| count(&before, line) > count(after, line));
        self.dropped.extend(gone);
        let before = read_conflicts(&head, &self.objects).unwrap();
        let contents = CopyContents::of(&self.objects, None).unwrap();
        let store = &self.objects;
        let carried = carry(Some(&head), before, &[], &scanned, (store, store), &contents).unwrap();
        self.counts[1] += carried.settled.len();
        self.check(&carried.root.id);
        self.add(device, vec![self.heads[device].clone()], carried.root.id);
    }

    /// Checks that the tree lists the conflicts whose markers stand in the file.
    fn check(&self, tree: &TreeId) {
        let listed: BTreeSet<String> = read_conflicts(tree, &self.objects)
            .unwrap()
            .iter()
            .map(|conflict| conflict.id().to_string())
            .collect();
        let text = self.text(tree);
        let stand = text.lines().filter(|line| line.starts_with(['<', '>'])).filter_map(|line| {
            Some(line.split_once("(conflict ")?.1.strip_suffix(')')?.to_owned())
        });
        assert_eq!(listed, stand.collect(), "{text}");
    }

    fn edit(&mut self, device: usize, random: &mut Random) {
        let text = self.text(&self.head(device));
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for _ in 0..1 + random.below(3) {
            let at = random.below(lines.len() + 1);
            match random.below(4) {
                0 if at < lines.len() && !is_marker(&lines[at]) => drop(lines.remove(at)),
                _ => {
                    self.written += 1;
                    lines.insert(at, format!("{device}.{}", self.written));
                }
            }
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.save(device, &text);
    }

    /// Settles a conflict with one side's lines, or all conflicts by taking the markers out.
    fn settle(&mut self, device: usize, random: &mut Random) {
        let head = self.head(device);
        let open = read_conflicts(&head, &self.objects).unwrap();
        let text = self.text(&head);
        let Some(conflict) = open.get(random.below(open.len().max(1))) else { return };
        let side = [Side::Ours, Side::Theirs][random.below(2)];
        let settled = match random.below(3) {
            0 => text.split_inclusive('\n').filter(|line| !is_marker(line)).collect(),
            _ => match pick(text.as_bytes(), conflict, side, true) {
                Some(text) => String::from_utf8(text).unwrap(),
                None => return,
            },
        };
        self.save(device, &settled);
    }

    fn merged(&self, ours: &str, theirs: &str) -> (TreeId, Vec<Conflict>) {
        let scratch = ScratchObjects::over(&self.objects);
        let base = merge_base(self, ours, theirs, &scratch).unwrap();
        let [ours_name, theirs_name] = [ours, theirs].map(|id| format!("d{}", self.makers[id]));
        let [ours, theirs] = [ours, theirs].map(|id| self.snapshots[id].1);
        let names = Names { ours: &ours_name, theirs: &theirs_name, label: "b" };
        let sides = Sides { base: base.as_ref(), ours: &ours, theirs: &theirs, names };
        // A comparison finds what the merge finds, and before the merge has stored anything.
        let found = overlap(base.as_ref(), &ours, &theirs, &scratch).unwrap();
        let merged = merge(&sides, &scratch, &self.objects).unwrap();
        let paths: BTreeSet<&Vec<u8>> = merged.conflicts.iter().map(|it| &it.path).collect();
        assert_eq!(found.conflicting.iter().collect::<BTreeSet<_>>(), paths);
        assert_eq!(found.unread, Vec::<Vec<u8>>::new());
        (merged.root.id, merged.conflicts)
    }

    fn pull(&mut self, device: usize, other: usize) {
        self.pull_head(device, self.heads[other].clone());
    }

    fn pull_head(&mut self, device: usize, theirs: String) {
        let ours = self.heads[device].clone();
        if follows(self, &ours, &theirs).unwrap() {
            return;
        }
        if follows(self, &theirs, &ours).unwrap() {
            self.heads[device] = theirs;
            return;
        }
        let (tree, conflicts) = self.merged(&ours, &theirs);
        self.counts[0] += usize::from(!conflicts.is_empty());
        let before = [&ours, &theirs].map(|id| lines(&self.text(&self.snapshots[id].1)));
        let after = lines(&self.text(&tree));
        let lost: Vec<&String> = before
            .iter()
            .flatten()
            .filter(|line| !after.contains(*line) && !self.dropped.contains(*line))
            .collect();
        assert!(lost.is_empty(), "{lost:?} is lost in\n{}", self.text(&tree));
        self.check(&tree);
        let (mirrored, their_conflicts) = self.merged(&theirs, &ours);
        assert_eq!(conflicts.len(), their_conflicts.len(), "whoever merges");
        assert_eq!(lines(&self.text(&mirrored)), after, "whoever merges");
        if read_conflicts(&tree, &self.objects).unwrap().is_empty() {
            assert_eq!(tree, mirrored, "whoever merges");
        }
        self.add(device, vec![ours, theirs], tree);
    }
}

/// Starts with the same text on all devices.
fn start(devices: usize, text: &str) -> World {
    let mut world = World::default();
    let content = write_content(&mut text.as_bytes(), &world.objects).unwrap();
    let (id, bytes) = (content.id.0, content.bytes);
    let item = Item { kind: Kind::File, id, bytes, files: 1, list: None };
    let tree = write_directory(&[("f", item)], &world.objects).unwrap().id;
    world.heads = vec![String::new(); devices];
    world.add(0, Vec::new(), tree);
    world.heads = vec![world.heads[0].clone(); devices];
    world
}

/// Runs a history, and returns how many merges conflicted and how many conflicts were settled.
fn run(seed: u64) -> [usize; 2] {
    let mut random = Random(seed);
    let devices = 2 + random.below(3);
    let first: String = (0..3 + random.below(8)).map(|at| format!("first.{at}\n")).collect();
    let mut world = start(devices, &first);
    for _ in 0..10 + random.below(30) {
        let device = random.below(devices);
        let other = (device + 1 + random.below(devices - 1)) % devices;
        match random.below(8) {
            0..4 => world.edit(device, &mut random),
            4..7 => world.pull(device, other),
            _ => world.settle(device, &mut random),
        }
    }
    for device in 1..devices {
        world.pull(0, device);
    }
    world.counts
}

/// Whoever merges, the text is the same, so there is nothing to merge the next time.
#[test]
fn devices_that_only_pull_each_other_agree_and_their_file_does_not_grow() {
    for (ours, theirs) in [("1\nA\n3\n4\n", "1\nB\n3\n4\n"), ("1\nA\n3\nx\n", "1\nB\nB\n3\n4\n")] {
        let mut world = start(2, "1\n2\n3\n4\n");
        world.save(0, ours);
        world.save(1, theirs);
        let mut lengths = Vec::new();
        for _ in 0..6 {
            let [one, two] = [world.heads[0].clone(), world.heads[1].clone()];
            world.pull_head(0, two);
            world.pull_head(1, one);
            let texts = [0, 1].map(|device| world.text(&world.head(device)));
            assert_eq!(texts[0], texts[1]);
            lengths.push(texts[0].len());
        }
        assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
    }
}

#[test]
fn no_line_is_lost_whatever_is_merged_and_settled() {
    let cases = std::env::var("FASTEST_CONFLICTS").ok().and_then(|count| count.parse().ok());
    let cases = cases.unwrap_or(1_500);
    let mut counts = [0, 0];
    for seed in seeds(1, cases) {
        let found = std::panic::catch_unwind(|| run(seed)).unwrap_or_else(|panic| {
            println!("FASTEST_SEED={seed}");
            std::panic::resume_unwind(panic)
        });
        counts.iter_mut().zip(found).for_each(|(all, one)| *all += one);
    }
    println!("{} merges conflicted, {} conflicts were settled", counts[0], counts[1]);
    if std::env::var_os("FASTEST_SEED").is_none() {
        assert!(counts.iter().all(|count| *count as u64 > cases / 4), "{counts:?}");
    }
}
