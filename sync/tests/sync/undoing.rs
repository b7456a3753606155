//! Undo, after random commands: files, conflicts, heads and names are as they were before each command, and
//! after a redo as they were after it. `FASTEST_UNDOS` sets how many commands are taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use fastest_core::compare::merge::Side;
use fastest_fixtures::random::Random;
use fastest_sync::SyncError;
use fastest_sync::device::activity::Activity;
use fastest_sync::remote::state::Packs;

use super::machine::{Machine, query};
use super::run;

/// What a command may change, as its user sees it.
#[derive(Debug, Clone, PartialEq)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    conflicts: Vec<String>,
    /// The tree of the head; and the snapshot itself, while only this device has it.
    tree: String,
    /// The workspace's name, and what was merged into it.
    row: Vec<String>,
    /// The tree of main's head.
    main: String,
}

/// A working copy of a workspace beside main, on a device of its own or on main's.
struct Place {
    machine: usize,
    folder: &'static str,
    workspace: &'static str,
}

const PLACES: [Place; 3] = [
    Place { machine: 0, folder: "app", workspace: "main" },
    Place { machine: 0, folder: "near", workspace: "near" },
    Place { machine: 1, folder: "far", workspace: "far" },
];

struct World {
    machines: [Machine; 2],
    random: Random,
    _folder: tempfile::TempDir,
}

impl World {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let primary = folder.path().join("primary.db");
        let mut machines = [(); 2].map(|()| Machine::following(&primary, Packs::Default));
        for file in 0..4 {
            machines[0].write(&format!("app/f{file}"), "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
        }
        machines[0].write("app/binary", "0\0");
        machines[0].push("app");
        let (copy, at) = (machines[0].copy("app"), machines[0].path("near"));
        let activity = Activity::default();
        run(machines[0].device.workspace_new(&copy, "near", Some(&at), &activity)).unwrap();
        machines[1].clone_project("app", "far");
        Self { machines, random: Random::new(seed), _folder: folder }
    }

    fn state(&mut self, place: &Place) -> State {
        let machine = &mut self.machines[place.machine];
        let copy = machine.copy(place.folder);
        let status = machine.device.status(&copy, &Activity::default()).unwrap();
        let store = machine.path("store").join("replica.db");
        let tree = |head: &str| {
            query(&store, &format!("SELECT manifest_hash FROM snapshots WHERE id = '{head}'"))
                .pop()
                .unwrap_or_default()
        };
        let head = status.snapshot_id.map(|id| id.to_string()).unwrap_or_default();
        let id = &copy.workspace_id;
        let row =
            format!("SELECT name || coalesce(merge_history, '') FROM workspaces WHERE id = '{id}'");
        let row = query(&store, &row);
        let main = "SELECT coalesce(current_snapshot_id, '') FROM workspaces WHERE name = 'main'";
        let main = query(&store, main);
        State {
            files: machine.files(place.folder),
            conflicts: status.conflicts.into_iter().map(|conflict| conflict.id).collect(),
            tree: tree(&head),
            row,
            main: main.first().map(|head| tree(head)).unwrap_or_default(),
        }
    }

    /// Changes some lines, or a file as a whole.
    fn edit(&mut self, place: &Place) {
        for _ in 0..self.random.below(3) {
            let (file, number) = (self.random.below(5), self.random.number() % 1_000);
            let path = format!("{}/f{file}", place.folder);
            let machine = &self.machines[place.machine];
            let text = fs::read_to_string(machine.path(&path)).unwrap_or_default();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            match self.random.below(8) {
                0 => drop(fs::remove_file(machine.path(&path))),
                1 => machine.write(&format!("{}/binary", place.folder), format!("{number}\0")),
                2 => machine
                    .write(&format!("{}/new{}", place.folder, number % 3), number.to_string()),
                _ => {
                    let at = self.random.below(lines.len() + 1);
                    lines.insert(at, format!("{} {number}", place.workspace));
                    machine.write(&path, lines.join("\n") + "\n");
                }
            }
        }
    }

    /// Runs a random command. Returns its words, and whether it merged the work of others on the way.
    fn command(&mut self, place: &Place) -> (String, bool) {
        let (what, other) = (self.random.below(9), self.random.below(3));
        let number = self.random.below(1_000);
        let machine = &mut self.machines[place.machine];
        let (copy, root) = (machine.copy(place.folder), machine.path(place.folder));
        let (device, activity) = (&mut machine.device, Activity::default());
        let other = PLACES[other].workspace;
        match what {
            0 => device.snapshot(&copy, None, &activity).map(drop).unwrap(),
            1 => {
                let pushed = run(device.push(&root, None, &activity)).unwrap();
                return ("push".to_owned(), pushed.merged);
            }
            2 => {
                let landed =
                    run(device.land(&root, None, "main", number < 500, &activity)).unwrap();
                return ("land".to_owned(), landed.merged);
            }
            3..=5 => {
                // A workspace of the other device may not be known yet.
                let pulled = run(device.pull(&copy, Some(other), &activity));
                assert!(pulled.is_ok() || place.workspace != "main", "{pulled:?}");
                return (format!("pull {other}"), false);
            }
            6 => {
                let paths = if number < 500 { vec![] } else { vec!["f0".into()] };
                let to = if number.is_multiple_of(2) { "@" } else { "main" };
                match device.restore(&copy, &root, &paths, Some(to), &activity) {
                    Ok(_) | Err(SyncError::NoPath { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            7 => {
                let side = [Some(Side::Ours), Some(Side::Theirs)][number % 2];
                match device.resolve_files(
                    &copy,
                    &root,
                    std::slice::from_ref(&root),
                    side,
                    &activity,
                ) {
                    Ok(_) => {}
                    Err(
                        SyncError::NoFileConflict { .. }
                        | SyncError::OddMarkers { .. }
                        | SyncError::SeveralConflicts { .. },
                    ) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            _ => {
                let name = format!("name{number}");
                device.workspace_rename(&copy, copy.workspace_id.as_str(), &name).unwrap();
            }
        }
        let words = ["snapshot", "", "", "", "", "", "restore", "resolve", "rename"][what];
        (words.to_owned(), false)
    }

    /// Returns the tree that main had before an operation landed there, if it did.
    fn main_before(&self, place: &Place, number: i64) -> Option<String> {
        let sql = format!(
            "SELECT manifest_hash FROM snapshots WHERE id = (SELECT effect->>'$.landed.head.before'
             FROM fastest_local_operation WHERE number = {number})"
        );
        self.machines[place.machine].replica(&sql).pop()
    }

    fn newest(&mut self, place: &Place) -> i64 {
        let machine = &mut self.machines[place.machine];
        let copy = machine.copy(place.folder);
        let found = machine.device.operations(&copy, Some(1)).unwrap().operations;
        found.first().map_or(0, |operation| operation.operation)
    }

    /// Runs a command, takes it back, and does it again. Returns whether there was anything to take back.
    fn round(&mut self, seed: u64) -> bool {
        let place = &PLACES[self.random.below(3)];
        self.edit(place);
        let (before, newest) = (self.state(place), self.newest(place));
        let (words, is_merged) = self.command(place);
        let number = self.newest(place);
        if number == newest {
            return false;
        }
        let after = self.state(place);
        let machine = &mut self.machines[place.machine];
        let copy = machine.copy(place.folder);
        let undone = machine.device.undo(&copy, None, &Activity::default());
        if is_merged && matches!(undone, Err(SyncError::BuiltUpon { .. }))
            || matches!(undone, Err(SyncError::PulledAndSent { .. }))
        {
            return false;
        }
        if undone.is_err() {
            println!("{} {:#?}", place.workspace, machine.replica("SELECT number || char(32) || command || effect FROM fastest_local_operation ORDER BY number DESC LIMIT 2"));
        }
        let undone = undone.unwrap_or_else(|error| panic!("seed {seed}: undo {words}: {error}"));
        assert_eq!(undone.undone, number, "seed {seed}: {words}");
        let back = self.state(place);
        let told = format!("seed {seed}: {words} in {}, taken back", place.workspace);
        // What a push merged on the way stays.
        let files = if is_merged { &after.files } else { &before.files };
        assert_eq!(back.files, *files, "{told}: files");
        if !is_merged {
            assert_eq!(back.conflicts, before.conflicts, "{told}: conflicts");
            assert_eq!(back.tree, before.tree, "{told}: the head's tree");
        }
        // Others land in main, and a command that asks the primary hears of it.
        if place.workspace != "main" {
            assert_eq!(back.row, if is_merged { &after } else { &before }.row, "{told}: row");
            let main = self.main_before(place, number).unwrap_or(after.main.clone());
            assert_eq!(back.main, main, "{told}: main");
        }
        let machine = &mut self.machines[place.machine];
        let redone = machine.device.redo(&copy, &Activity::default());
        if matches!(redone, Err(SyncError::LandAgain { .. })) {
            return true;
        }
        redone.unwrap_or_else(|error| panic!("seed {seed}: redo {words}: {error}"));
        let again = self.state(place);
        let told = format!("seed {seed}: {words} in {}, done again", place.workspace);
        assert_eq!(again, after, "{told}");
        if words == "rename" || self.random.below(2) == 0 {
            let machine = &mut self.machines[place.machine];
            machine.device.undo(&copy, None, &Activity::default()).unwrap();
        }
        true
    }
}

#[test]
fn every_command_can_be_taken_back_and_done_again() {
    let wanted = std::env::var("FASTEST_UNDOS").map_or(60, |number| number.parse().unwrap());
    let first: u64 = std::env::var("FASTEST_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut undone = 0;
    for seed in first.. {
        let mut world = World::new(seed);
        for _ in 0..12 {
            undone += u32::from(world.round(seed));
        }
        for machine in &mut world.machines {
            machine.check();
        }
        if undone >= wanted {
            break;
        }
    }
    println!("{undone} commands were taken back");
}

/// The files that each workspace has for itself, as its owner has left them.
type Own = BTreeMap<String, Vec<u8>>;

impl World {
    fn own_files(&self, place: &Place, owner: &Place) -> Own {
        let all = self.machines[place.machine].files(place.folder).into_iter();
        all.filter(|(path, _)| path.starts_with(&format!("own-{}", owner.workspace))).collect()
    }

    fn edit_own(&mut self, place: &Place) {
        let (file, number) = (self.random.below(3), self.random.number() % 1_000_000);
        let path = format!("{}/own-{}-{file}", place.folder, place.workspace);
        let machine = &self.machines[place.machine];
        match self.random.below(5) {
            0 => drop(fs::remove_file(machine.path(&path))),
            _ => machine.write(&path, number.to_string()),
        }
    }

    /// Runs a random command, or takes one back. Returns its words.
    fn any_step(&mut self, place: &Place) -> String {
        let (what, other, number) =
            (self.random.below(12), self.random.below(3), self.random.below(40) as i64);
        let machine = &mut self.machines[place.machine];
        let (copy, root) = (machine.copy(place.folder), machine.path(place.folder));
        let (device, activity) = (&mut machine.device, Activity::default());
        let other = PLACES[other].workspace;
        let tell = |words: &str, done: Result<String, SyncError>| match done {
            Ok(done) => format!("{words}: {done}"),
            Err(
                error @ (SyncError::NothingToUndo
                | SyncError::NothingToRedo
                | SyncError::RedoPassed { .. }
                | SyncError::NoOperation { .. }
                | SyncError::IsUndone { .. }
                | SyncError::NotNewest { .. }
                | SyncError::BuiltUpon { .. }
                | SyncError::LandAgain { .. }
                | SyncError::PulledAndSent { .. }
                | SyncError::Unknown { .. }),
            ) => format!("{words}: {error}"),
            Err(error) => panic!("{words} in {}: {error}", place.workspace),
        };
        match what {
            0 => tell(
                "snapshot",
                device.snapshot(&copy, None, &activity).map(|it| it.snapshot_id.to_string()),
            ),
            1 | 2 => tell(
                "push",
                run(device.push(&root, None, &activity))
                    .map(|it| it.snapshot.snapshot_id.to_string()),
            ),
            3 | 4 => tell(
                "land",
                run(device.land(&root, None, "main", true, &activity))
                    .map(|it| format!("{:?} {}", it.landed, it.snapshot.snapshot_id)),
            ),
            5 | 6 => tell(
                &format!("pull {other}"),
                run(device.pull(&copy, Some(other), &activity))
                    .map(|it| format!("{:?}", it.snapshot_id)),
            ),
            7..=9 => tell(
                "undo",
                device
                    .undo(&copy, None, &activity)
                    .map(|it| format!("{} {} {:?}", it.undone, it.command, it.snapshot_id)),
            ),
            10 => tell(
                &format!("undo {number}"),
                device.undo(&copy, Some(number), &activity).map(|it| it.command),
            ),
            _ => tell("redo", device.redo(&copy, &activity).map(|it| it.command)),
        }
    }

    /// Lets all land and pull until all have the same.
    fn settle(&mut self, seed: u64) {
        for _ in 0..8 {
            for place in [&PLACES[1], &PLACES[2], &PLACES[0]] {
                let machine = &mut self.machines[place.machine];
                let (copy, root) = (machine.copy(place.folder), machine.path(place.folder));
                let (device, activity) = (&mut machine.device, Activity::default());
                run(device.land(&root, None, "main", true, &activity)).unwrap();
                run(device.pull(&copy, Some("main"), &activity)).unwrap();
            }
            let files: Vec<_> = PLACES
                .iter()
                .map(|place| self.machines[place.machine].files(place.folder))
                .collect();
            if files.iter().all(|other| *other == files[0]) {
                return;
            }
        }
        panic!("seed {seed}: the workspaces do not agree");
    }
}

/// Each workspace edits files of its own. Whatever is pulled, landed, taken back and done again, in whatever
/// order: nobody else's command, and no undo, changes them, and in the end all have them as their owners left them.
#[test]
fn nobodys_work_goes_with_an_undo() {
    let runs = std::env::var("FASTEST_UNDOS").map_or(12, |number| number.parse::<u64>().unwrap());
    let first: u64 = std::env::var("FASTEST_SEED").map_or(1, |seed| seed.parse().unwrap());
    for seed in first..first + runs {
        let mut world = World::new(seed);
        let mut story = Vec::new();
        for _ in 0..40 {
            let place = &PLACES[world.random.below(3)];
            if world.random.below(2) == 0 {
                world.edit_own(place);
                story.push(format!("edit in {}", place.workspace));
            }
            let before = world.own_files(place, place);
            let told = world.any_step(place);
            story.push(format!("{}: {told}", place.workspace));
            let after = world.own_files(place, place);
            assert_eq!(after, before, "seed {seed}: own files change:\n{}", story.join("\n"));
        }
        let owned: Vec<Own> = PLACES.iter().map(|owner| world.own_files(owner, owner)).collect();
        world.settle(seed);
        let main = world.machines[0].copy("app");
        let open = world.machines[0].device.file_conflicts(&main, &Activity::default()).unwrap();
        let is_open = |path: &str| open.iter().any(|it| it.path == path);
        for (owner, expected) in PLACES.iter().zip(owned) {
            let found = world.own_files(&PLACES[0], owner);
            let paths: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
            for path in paths {
                let [is, should] = [&found, &expected].map(|files| files.get(path).cloned());
                // A conflict has both.
                let has = |text: &[u8]| {
                    let is = is.as_deref().unwrap_or_default();
                    is.windows(text.len()).any(|part| part == text)
                };
                let is_kept = is_open(path) && should.as_deref().is_none_or(has);
                let story = || story.join("\n");
                assert!(is == should || is_kept, "seed {seed}: {path} {is:?}:\n{}", story());
            }
        }
        world.machines.iter_mut().for_each(Machine::check);
    }
}
