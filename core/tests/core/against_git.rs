//! Compares the merges of random histories with git's merges of the same histories.
//!
//! All histories of a test go into one repository by `git fast-import`, and all their merges are
//! repeated by one `git merge-tree`. git does not know empty folders, so these are left out. Rename
//! detection cannot be turned off in merge-ort before git 2.50, so it must have nothing to find:
//! each file is one line, which depends on its path and content, and resembles that of no other
//! path.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path as FilePath;
use std::process::{Command, Stdio};
use std::time::Instant;

use fastest_core::object::id::BlobId;

use super::histories::*;
use super::model::*;

pub fn git(dir: &FilePath, words: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("git");
    command.current_dir(dir).args(words);
    // Ignores the settings of the person who runs the tests.
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("git is on the machine");
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "git {words:?}: {:?}", output.status);
    output.stdout
}

/// Writes a history for `git fast-import`, with marks counted from `first`. If several bases
/// disagree on a file, the order in which they are merged matters. git takes them by time, so the
/// commits' times follow our order.
fn export(history: &History, first: usize, out: &mut Vec<u8>) {
    for (at, snapshot) in history.snapshots.iter().enumerate() {
        let time = 1_000_000_000 + history.order(at);
        let reset = if at == 0 { "reset refs/heads/all\n" } else { "" };
        // The name distinguishes commits that are otherwise equal.
        let (mark, name) = (first + at, format!("<{at}>"));
        let header = format!(
            "{reset}commit refs/heads/all\nmark :{mark}\ncommitter x {name} {time} +0000\ndata 0\n"
        );
        out.extend(header.as_bytes());
        for (parent, word) in snapshot.parents.iter().zip(["from", "merge"]) {
            out.extend(format!("{word} :{}\n", first + parent).as_bytes());
        }
        out.extend(b"deleteall\n");
        for (path, thing) in snapshot.model.files() {
            let mode = match thing {
                Thing::Executable(_) => "100755",
                Thing::Link(_) => "120000",
                _ => "100644",
            };
            let path = String::from_utf8(joined(path)).unwrap();
            let text = format!("{path} {}", thing.content().unwrap());
            let text = BlobId::of(text.as_bytes()).to_hex();
            let line = format!("M {mode} inline {path}\ndata {}\n{text}\n", text.len());
            out.extend(line.as_bytes());
        }
    }
}

/// The result of a merge by git.
pub struct GitMerge {
    pub tree: String,
    pub conflicts: BTreeSet<String>,
}

/// Returns git's results of all merges in `histories`, in order, and the trees of our own merges.
fn merges_of_git(histories: &[History]) -> (Vec<GitMerge>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "--quiet", "--bare"], b"");
    let (mut stream, mut firsts) = (Vec::new(), vec![1]);
    for history in histories {
        export(history, *firsts.last().unwrap(), &mut stream);
        firsts.push(firsts.last().unwrap() + history.snapshots.len());
    }
    let words = ["fast-import", "--quiet", "--force", "--export-marks=marks"];
    git(dir.path(), &words, &stream);
    let marks = std::fs::read_to_string(dir.path().join("marks")).unwrap();
    let mut commits = vec![String::new(); *firsts.last().unwrap()];
    for line in marks.lines() {
        let (mark, commit) = line.strip_prefix(':').unwrap().split_once(' ').unwrap();
        commits[mark.parse::<usize>().unwrap()] = commit.to_owned();
    }
    let (mut sides, mut ours) = (String::new(), String::new());
    for (history, first) in histories.iter().zip(&firsts) {
        for (at, snapshot) in history.snapshots.iter().enumerate() {
            if let [a, b] = &snapshot.parents[..] {
                sides += &format!("{} {}\n", commits[first + a], commits[first + b]);
                ours += &format!("{}^{{tree}}\n", commits[first + at]);
            }
        }
    }
    let words = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "--stdin"];
    let merged = String::from_utf8(git(dir.path(), &words, sides.as_bytes())).unwrap();
    let words = ["cat-file", "--batch-check=%(objectname)"];
    let trees = String::from_utf8(git(dir.path(), &words, ours.as_bytes())).unwrap();
    (parse(&merged), trees.lines().map(str::to_owned).collect())
}

/// Parses the status, tree and conflicting names of each merge. Each word ends with NUL, and each
/// merge with another NUL.
pub fn parse(text: &str) -> Vec<GitMerge> {
    let mut words = text.split('\0');
    let mut merges = Vec::new();
    while let Some(status) = words.next().filter(|word| !word.is_empty()) {
        let tree = words.next().unwrap().to_owned();
        let conflicts = words.by_ref().take_while(|word| !word.is_empty()).map(str::to_owned);
        let conflicts: BTreeSet<String> = conflicts.collect();
        assert_eq!(status == "1", conflicts.is_empty(), "git says which paths");
        merges.push(GitMerge { tree, conflicts });
    }
    merges
}

fn conflicts(snapshot: &Snapshot) -> BTreeSet<String> {
    snapshot.conflicts.iter().map(|path| String::from_utf8(joined(path)).unwrap()).collect()
}

/// Compares 100 histories, from `first_seed` on, or that of `FASTEST_SEED`. Prints how many of
/// their merges are in conflict.
fn compare(
    rules: Rules,
    first_seed: u64,
    devices: usize,
    is_same: fn(&Snapshot, &GitMerge) -> bool,
) {
    let started = Instant::now();
    let seeds: Vec<u64> = seeds(first_seed, 100).collect();
    let histories: Vec<History> =
        seeds.iter().map(|&seed| History::of_seed(seed, devices, rules)).collect();
    let (gits, trees) = merges_of_git(&histories);
    let (mut at, mut clean, mut crossed, mut more) = (0, 0, 0, 0);
    for (seed, history) in seeds.iter().zip(&histories) {
        crossed += history.crossed();
        for snapshot in history.merges() {
            let (git, tree) = (&gits[at], &trees[at]);
            at += 1;
            let ours = conflicts(snapshot);
            let told = || format!("FASTEST_SEED={seed}: {ours:?}, git {:?}", git.conflicts);
            assert!(is_same(snapshot, git), "{}", told());
            more += ours.len() - git.conflicts.len();
            if ours.is_empty() {
                assert_eq!(git.tree, *tree, "{}", told());
                clean += 1;
            }
        }
    }
    assert_eq!(at, gits.len());
    let in_conflict = at - clean;
    println!(
        "{devices} devices: {} histories, {at} merges, {crossed} crossed, {in_conflict} in conflict \
         ({more} paths more than in git), {:.1?}",
        seeds.len(),
        started.elapsed()
    );
    assert!(seeds.len() == 1 || crossed > 50, "{crossed} crossed");
    assert_eq!(in_conflict == 0, rules.one_editor || seeds.len() == 1);
}

#[test]
fn merges_of_files_with_one_editor_are_gits() {
    let rules = Rules { one_editor: true, deletions: true, folders: false };
    for devices in [2, 3] {
        compare(rules, 1_210_000, devices, |snapshot, git| {
            git.conflicts.is_empty() && snapshot.conflicts.is_empty()
        });
    }
}

#[test]
fn files_with_several_editors_are_in_conflict_where_they_are_in_git() {
    let rules = Rules { one_editor: false, deletions: false, folders: false };
    for devices in [2, 3] {
        compare(rules, 1_220_000, devices, |snapshot, git| conflicts(snapshot) == git.conflicts);
    }
}

/// If a virtual base is in conflict over a deletion, git takes the version before the deletion, so
/// the changes of a side that went back to that version are lost silently. We report a conflict
/// there, and git does not.
#[test]
fn files_that_some_edit_and_others_delete_are_in_conflict_at_least_where_they_are_in_git() {
    let rules = Rules { one_editor: false, deletions: true, folders: false };
    for devices in [2, 3] {
        compare(rules, 1_230_000, devices, |snapshot, git| {
            git.conflicts.is_subset(&conflicts(snapshot))
        });
    }
}
