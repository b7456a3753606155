//! kill -9 at random moments of snapshot, push, pull and restore, two hundred times.
//!
//! After each: the store passes `doctor`; every file in the working copy has its old or its new
//! content; the same command succeeds; what it replaced is in a snapshot. At the end, every
//! snapshot that a push has acknowledged is in both devices' logs.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::{Copy, Found, Random, edit, list, sharing};

const KILLS: usize = 200;

#[test]
fn a_kill_at_any_moment_loses_nothing() {
    let mut random = Random::new(20_261_121);
    let scene = sharing(&["here", "there"]);
    std::fs::create_dir(scene.path("mine")).unwrap();
    edit(&scene.path("mine"), 400, &mut random);
    let mine = Copy::new(&scene, "here", "mine");
    mine.run(&["init", "--name", "app"]);
    mine.run(&["push"]);
    scene.run("there", "", "clone app yours");
    let yours = Copy::new(&scene, "there", "yours");
    yours.run(&["push"]);

    let mut acknowledged = Vec::new();
    let mut durations: HashMap<String, Duration> = HashMap::new();
    let mut killed = 0;
    let mut rounds = 0;
    while killed < KILLS {
        rounds += 1;
        assert!(rounds < 3 * KILLS, "commands end before they can be killed");
        let (copy, other, theirs) = match random.below(2) {
            0 => (&mine, &yours, "yours"),
            _ => (&yours, &mine, "main"),
        };
        if rounds % 3 == 0 {
            edit(&other.root(), 1 + random.below(60), &mut random);
            acknowledged.push(snapshot_of(&other.run(&["push"])));
        }
        edit(&copy.root(), random.below(60), &mut random);
        let log = copy.log();
        let words: Vec<&str> = match random.below(4) {
            0 => vec!["snapshot"],
            1 => vec!["push"],
            2 => vec!["pull", theirs],
            _ => vec!["restore", "--to", random.pick(log.as_slice()).as_str()],
        };
        let before = read(&copy.root());
        killed += usize::from(kill_in_the_middle(copy, &words, &mut durations, &mut random));
        let between = read(&copy.root());

        let doctor = copy.run(&["doctor"]);
        assert_eq!(doctor["problems"], Value::Array(Vec::new()), "after {words:?}");
        copy.run(&words);
        let after = read(&copy.root());
        // A folder may be empty for the moment in which its files come or go.
        for (path, found) in between.iter().filter(|(_, found)| found.0 != Found::EmptyFolder) {
            let whole = before.get(path) == Some(found) || after.get(path) == Some(found);
            assert!(whole, "{} is neither old nor new after {words:?}", path.display());
        }
        if words[0] == "restore" {
            assert_restore_is_undone(copy, &before, &after);
        } else {
            assert_replaced_is_kept(copy, &before, &after, &mut random);
        }
    }
    for copy in [&mine, &yours, &mine] {
        acknowledged.push(snapshot_of(&copy.run(&["push"])));
        copy.run(&["pull", if copy.folder == "mine" { "yours" } else { "main" }]);
    }
    for copy in [&mine, &yours] {
        copy.run(&["pull"]);
        let log = copy.log();
        let lost: Vec<_> = acknowledged.iter().filter(|id| !log.contains(id)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        assert_eq!(copy.run(&["doctor"])["problems"], Value::Array(Vec::new()));
    }
}

/// The entry at each path, with the bytes of files.
type Contents = BTreeMap<PathBuf, (Found, Vec<u8>)>;

fn read(root: &Path) -> Contents {
    let bytes = |path: &Path, found: &Found| match found {
        Found::File { .. } => std::fs::read(root.join(path)).unwrap(),
        Found::Link(_) | Found::EmptyFolder => Vec::new(),
    };
    list(root)
        .into_iter()
        .map(|(path, found)| {
            let bytes = bytes(&path, &found);
            (path, (found, bytes))
        })
        .collect()
}

fn snapshot_of(report: &Value) -> String {
    report["snapshot_id"].as_str().unwrap().to_owned()
}

/// Starts a command and kills it at a uniformly random moment. Returns whether it was killed before
/// it ended. The first command of each kind is not killed: how long it takes depends on the
/// machine.
fn kill_in_the_middle(
    copy: &Copy<'_>,
    words: &[&str],
    durations: &mut HashMap<String, Duration>,
    random: &mut Random,
) -> bool {
    let begun = Instant::now();
    let mut child = copy.start(words);
    let Some(usual) = durations.get(words[0]).copied() else {
        child.wait_with_output().unwrap();
        durations.insert(words[0].to_owned(), begun.elapsed());
        return false;
    };
    std::thread::sleep(usual.mul_f64(random.below(1000) as f64 / 1000.0));
    child.kill().unwrap();
    let killed = child.wait_with_output().unwrap().status.code().is_none();
    if !killed {
        // It was faster than expected: aim earlier.
        durations.insert(words[0].to_owned(), begun.elapsed().mul_f64(0.9));
    } else {
        durations.insert(words[0].to_owned(), usual.mul_f64(1.05));
    }
    killed
}

/// Checks that `undo` brings back what a restore replaced. A restore that was killed may have replaced some of
/// it, and the one after it the rest.
fn assert_restore_is_undone(copy: &Copy<'_>, before: &Contents, after: &Contents) {
    if before == after {
        return;
    }
    let mut undone = 0;
    while read(&copy.root()) != *before {
        undone += 1;
        assert!(undone <= 2, "what a restore replaced does not come back");
        copy.run(&["undo"]);
    }
    (0..undone).for_each(|_| drop(copy.run(&["redo"])));
    assert!(read(&copy.root()) == *after, "what was undone is not done again");
}

/// Checks that two files, chosen at random from those that the command replaced or deleted, are in
/// the newest snapshots.
fn assert_replaced_is_kept(
    copy: &Copy<'_>,
    before: &Contents,
    after: &Contents,
    random: &mut Random,
) {
    let replaced: Vec<_> = before
        .iter()
        .filter(|(path, old)| matches!(old.0, Found::File { .. }) && after.get(*path) != Some(old))
        .collect();
    if replaced.is_empty() {
        return;
    }
    let log = copy.log();
    for _ in 0..2 {
        let (path, (_, bytes)) = *random.pick(&replaced);
        let kept = log.iter().any(|id| cat(copy, id, path).as_ref() == Some(bytes));
        assert!(kept, "what stood in {} is in no snapshot", path.display());
    }
}

fn cat(copy: &Copy<'_>, snapshot: &str, path: &Path) -> Option<Vec<u8>> {
    let mut command = copy.scene.command(&copy.store, &copy.folder);
    let output = command.args(["cat", snapshot]).arg(path).output().unwrap();
    output.status.success().then_some(output.stdout)
}
