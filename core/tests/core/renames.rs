//! Merges in which files and folders were renamed: the cases by hand, and random trees whose every line is
//! written once, so that a line that is gone and that nobody took out is a loss.
//!
//! `FASTEST_RENAMES` says how many random merges are tried, and `FASTEST_SEED` which one alone.

use std::collections::{BTreeMap, BTreeSet};

use fastest_core::compare::merge::{Names, Sides, merge};
use fastest_core::compare::overlap::overlap;
use fastest_core::object::chunk::{read_content, write_content};
use fastest_core::object::id::TreeId;
use fastest_core::object::item::{Item, Kind, Root};
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::tree::read::read_directory;
use fastest_core::object::tree::write::write_directory;
use fastest_core::object::tree::{Conflict, Form, read_conflicts};

use super::histories::{Random, seeds};

/// Texts by path.
type Files = BTreeMap<String, String>;

fn write(files: &Files, objects: &MemoryObjects) -> Root {
    let mut entries: BTreeMap<String, Item> = BTreeMap::new();
    let mut folders: BTreeMap<String, Files> = BTreeMap::new();
    for (path, text) in files {
        if let Some((folder, rest)) = path.split_once('/') {
            folders.entry(folder.into()).or_default().insert(rest.into(), text.clone());
            continue;
        }
        let content = write_content(&mut text.as_bytes(), objects).unwrap();
        let (id, bytes, list) = (content.id.0, content.bytes, content.list);
        entries.insert(path.clone(), Item { kind: Kind::File, id, bytes, files: 1, list });
    }
    for (name, files) in folders {
        entries.insert(name, Item::directory(&write(&files, objects)));
    }
    write_directory(&entries.into_iter().collect::<Vec<_>>(), objects).unwrap()
}

fn read(tree: &TreeId, folder: &str, objects: &MemoryObjects, files: &mut Files) {
    for (name, item) in read_directory(tree, objects).unwrap() {
        let path = format!("{folder}{}", String::from_utf8(name).unwrap());
        match item.tree_id() {
            Some(below) => read(&below, &format!("{path}/"), objects, files),
            None => {
                let mut text = Vec::new();
                read_content(&item, objects, &mut text).unwrap();
                files.insert(path, String::from_utf8(text).unwrap());
            }
        }
    }
}

/// Merges in both directions, and checks what is true of all merges. Returns the files and the conflicts.
fn merged(base: &Files, ours: &Files, theirs: &Files) -> (Files, Vec<Conflict>) {
    let objects = MemoryObjects::default();
    let [base, ours, theirs] = [base, ours, theirs].map(|files| write(files, &objects).id);
    let merge = |[base, ours, theirs]: [&TreeId; 3], names: [&str; 2]| {
        let names = Names { ours: names[0], theirs: names[1], label: "x" };
        let merged = merge(&Sides { base: Some(base), ours, theirs, names }, &objects, &objects);
        merged.unwrap()
    };
    let here = merge([&base, &ours, &theirs], ["a", "b"]);
    let there = merge([&base, &theirs, &ours], ["b", "a"]);
    let files = |tree: &TreeId| {
        let mut files = Files::new();
        read(tree, "", &objects, &mut files);
        files
    };
    let swapped = |it: Conflict| Conflict {
        ours: it.theirs,
        theirs: it.ours,
        ours_name: it.theirs_name.clone(),
        theirs_name: it.ours_name.clone(),
        ..it
    };
    let mirrored: Vec<Conflict> = there.conflicts.into_iter().map(swapped).collect();
    assert_eq!(mirrored, here.conflicts, "whoever merges");
    assert_eq!(files(&here.root.id), files(&there.root.id), "whoever merges");
    assert_eq!(read_conflicts(&here.root.id, &objects).unwrap(), here.conflicts);
    let found = overlap(Some(&base), &ours, &theirs, &objects).unwrap();
    let paths: BTreeSet<Vec<u8>> = here.conflicts.iter().map(|it| it.path.clone()).collect();
    assert_eq!(found.conflicting, Vec::from_iter(paths), "drift and merge agree");
    // To merge the two merges changes nothing.
    let again = merge([&base, &here.root.id, &there.root.id], ["a", "b"]);
    assert_eq!(files(&again.root.id), files(&here.root.id));
    assert_eq!(again.conflicts, []);
    (files(&here.root.id), here.conflicts)
}

/// Files from `path=lines` words, in which each letter is a line.
fn files(words: &str) -> Files {
    let file = |word: &str| {
        let (path, letters) = word.split_once('=').unwrap();
        (path.to_owned(), letters.chars().map(|letter| format!("{letter}\n")).collect())
    };
    words.split_whitespace().map(file).collect()
}

/// Merges, and compares the files and the conflicts: `path` with markers, `path?` where only one side has it.
#[track_caller]
fn check(base: &str, ours: &str, theirs: &str, expect: &str, conflicts: &[&str]) {
    let (found, listed) = merged(&files(base), &files(ours), &files(theirs));
    let told = |conflict: &Conflict| {
        let path = String::from_utf8_lossy(&conflict.path);
        match conflict.form {
            Form::Kept => format!("{path}?"),
            _ => path.into_owned(),
        }
    };
    assert_eq!(listed.iter().map(told).collect::<Vec<_>>(), conflicts);
    let in_markers = |path: &String| {
        listed.iter().any(|it| it.path == path.as_bytes() && it.form == Form::Markers)
    };
    let paths = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(&found), paths(&files(expect)));
    for (path, text) in files(expect).iter().filter(|(path, _)| !in_markers(path)) {
        assert_eq!(&found[path], text, "{path}");
    }
}

#[test]
fn an_edit_goes_to_the_new_name() {
    check("a=1234567", "b=1234567", "a=123456x", "b=123456x", &[]);
    check("a=1234567", "b=y234567", "a=123456x", "b=y23456x", &[]);
    check("d/a=1234567", "e/f/a=y234567", "d/a=123456x d/b=z", "e/f/a=y23456x e/f/b=z", &[]);
    check("a=1234567", "a/a=1234567", "a=123456x", "a/a=123456x", &[]);
    check("a=1234567", "b=y234567", "a=x234567", "b=", &["b"]);
    // Both gave it the same name.
    check("a=1234567", "b=y234567", "b=123456x", "b=y23456x", &[]);
    // Nobody else had to do with it.
    check("a=1234567", "b=y234567", "a=1234567 c=9", "b=y234567 c=9", &[]);
    // Too much was changed.
    check("a=1234567", "b=123xyzuvw", "a=1234568", "a=1234568 b=123xyzuvw", &["a?"]);
    // Several files at once.
    check(
        "d/a=1234567 d/b=abcdefg",
        "e/a=1234567 e/b=abcdefg",
        "d/a=123456x d/b=ybcdefg",
        "e/a=123456x e/b=ybcdefg",
        &[],
    );
}

#[test]
fn a_name_that_is_taken_is_left_alone() {
    check("a=1234567", "b=1234567", "a=123456x b=9", "a=123456x b=", &["a?", "b"]);
    check("a=1234567 c=abcdefg", "x=1234567 c=abcdefg", "a=1234567 x=abcdefg", "x=", &["x"]);
}

#[test]
fn a_file_that_one_side_deleted_and_the_other_renamed_is_kept() {
    check("a=1234567 k=1", "b=1234567 k=1", "k=2", "b=1234567 k=2", &["b?"]);
    check("a=1234567 k=1", "b=y234567 k=1", "k=2", "b=y234567 k=2", &["b?"]);
}

#[test]
fn a_file_with_two_new_names_has_both_edits_under_both() {
    check("a=1234567", "b=1234567", "c=1234567", "b=1234567 c=1234567", &["b?", "c?"]);
    check("a=1234567", "b=y234567", "c=123456x", "b=y23456x c=y23456x", &["b?", "c?"]);
    check("a=1234567", "b=y234567", "c=x234567", "b= c=", &["b", "c"]);
}

#[test]
fn what_was_put_into_a_renamed_folder_goes_along() {
    check("d/a=1234567", "e/a=1234567", "d/a=1234567 d/n=9", "e/a=1234567 e/n=9", &[]);
    check("d/a=1234567", "e/a=1234567", "d/a=123456x d/s/n=9", "e/a=123456x e/s/n=9", &[]);
    check("x/d/a=1234567", "y/d/a=1234567", "x/d/a=1234567 x/n=9", "y/d/a=1234567 y/n=9", &[]);
    check("d/a=1234567", "a=1234567", "d/a=1234567 d/n=9", "a=1234567 n=9", &[]);
    // A file that was moved there goes along too.
    check(
        "d/a=1234567 f=abcdefg",
        "e/a=1234567 f=ybcdefg",
        "d/a=1234567 d/f=abcdefx",
        "e/a=1234567 e/f=ybcdefx",
        &[],
    );
    // The folder is still there, went to two places, or the name is taken.
    check(
        "d/a=1234567 d/b=abcdefg",
        "e/a=1234567 d/b=abcdefg",
        "d/a=1234567 d/b=abcdefg d/n=9",
        "e/a=1234567 d/b=abcdefg d/n=9",
        &[],
    );
    check(
        "d/a=1234567 d/b=abcdefg",
        "e/a=1234567 f/b=abcdefg",
        "d/a=1234567 d/b=abcdefg d/n=9",
        "e/a=1234567 f/b=abcdefg d/n=9",
        &[],
    );
    check("d/a=1234567", "e/a=1234567 e/n=8", "d/a=1234567 d/n=9", "e/a=1234567 e/n=8 d/n=9", &[]);
}

/// Random edits of a tree whose lines are all different.
struct Editor {
    random: Random,
    written: usize,
    taken_out: BTreeSet<String>,
}

impl Editor {
    fn line(&mut self) -> String {
        self.written += 1;
        format!("line {}\n", self.written)
    }

    fn text(&mut self) -> String {
        (0..4 + self.random.below(8)).map(|_| self.line()).collect()
    }

    fn path(&mut self) -> String {
        let folder = ["", "d/", "d/e/", "g/", "h/"][self.random.below(5)];
        format!("{folder}f{}", self.random.below(6))
    }

    fn edit(&mut self, files: &mut Files) {
        let Some(path) = files.keys().nth(self.random.below(files.len().max(1))).cloned() else {
            let path = self.path();
            let text = self.text();
            return drop(files.insert(path, text));
        };
        match self.random.below(8) {
            0 => {
                let text = files.remove(&path).unwrap();
                self.taken_out.extend(text.lines().map(str::to_owned));
            }
            1 => {
                let (path, text) = (self.path(), self.text());
                files.entry(path).or_insert(text);
            }
            2..5 => self.edit_lines(files.get_mut(&path).unwrap()),
            5 | 6 => {
                let to = self.path();
                if !files.contains_key(&to) {
                    let text = files.remove(&path).unwrap();
                    files.insert(to, text);
                }
            }
            _ => {
                let folders = ["d/", "g/", "h/", "d/e/"];
                let [from, to] = [0, 1].map(|_| folders[self.random.below(4)]);
                let paths: Vec<String> =
                    files.keys().filter(|path| path.starts_with(from)).cloned().collect();
                for path in paths {
                    let to = format!("{to}{}", &path[from.len()..]);
                    if !files.contains_key(&to) {
                        let text = files.remove(&path).unwrap();
                        files.insert(to, text);
                    }
                }
            }
        }
    }

    fn edit_lines(&mut self, text: &mut String) {
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let at = self.random.below(lines.len() + 1);
        match self.random.below(3) {
            0 if at < lines.len() => self.taken_out.extend([lines.remove(at).trim().to_owned()]),
            _ => lines.insert(at, self.line()),
        }
        *text = lines.concat();
    }
}

fn check_random(seed: u64) -> bool {
    let mut editor = Editor { random: Random(seed), written: 0, taken_out: BTreeSet::new() };
    let mut base = Files::new();
    for _ in 0..6 {
        let (path, text) = (editor.path(), editor.text());
        base.insert(path, text);
    }
    let [mut ours, mut theirs] = [base.clone(), base.clone()];
    for side in [&mut ours, &mut theirs] {
        for _ in 0..1 + editor.random.below(6) {
            editor.edit(side);
        }
    }
    let (all, conflicts) = merged(&base, &ours, &theirs);
    let lines = |files: &Files| -> BTreeSet<String> {
        files.values().flat_map(|text| text.lines().map(str::to_owned)).collect()
    };
    let (merged, written) = (lines(&all), &lines(&ours) | &lines(&theirs));
    for line in written.difference(&editor.taken_out) {
        assert!(merged.contains(line), "{line:?} is lost");
    }
    conflicts.is_empty()
}

#[test]
fn random_renames_lose_no_line() {
    let count = std::env::var("FASTEST_RENAMES").ok().and_then(|count| count.parse().ok());
    let mut clean = 0;
    for seed in seeds(1_400_000, count.unwrap_or(2_000)) {
        clean +=
            u64::from(std::panic::catch_unwind(|| check_random(seed)).unwrap_or_else(|panic| {
                println!("FASTEST_SEED={seed}");
                std::panic::resume_unwind(panic)
            }));
    }
    println!("{clean} without a conflict");
}
