//! Merges of random texts: the same as git's, line for line, and no line is lost.
//!
//! In half of the texts, lines occur more than once. Which of several equal lines was inserted or deleted is
//! then for the algorithm to choose, and ours chooses differently from git's now and then.
//!
//! `FASTEST_LINE_MERGES` says how many are tried, and `FASTEST_SEED` which one alone.

use std::collections::HashMap;
use std::path::Path as FilePath;

use fastest_core::compare::merge::{Names, Sides, merge};
use fastest_core::object::chunk::{read_content, write_content};
use fastest_core::object::id::TreeId;
use fastest_core::object::item::{Item, Kind};
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::tree::{Form, find, write_directory};

use super::against_git::git;
use super::histories::{Random, seeds};

/// A text and two edits of it.
#[derive(Debug)]
struct Case {
    has_repeats: bool,
    base: Vec<String>,
    ours: Vec<String>,
    theirs: Vec<String>,
}

impl Case {
    fn draw(seed: u64) -> Self {
        let mut random = Random(seed);
        let has_repeats = seed.is_multiple_of(2);
        let count = [1, 3, 8, 20, 60][random.below(5)];
        let base: Vec<String> =
            (0..count).map(|at| line(&mut random, has_repeats, &format!("b{at}"))).collect();
        let [mut ours, mut theirs] = [base.clone(), base.clone()];
        edit(&mut ours, &mut random, has_repeats, "o");
        edit(&mut theirs, &mut random, has_repeats, "t");
        // Often both sides make the same change, as after a patch that both applied.
        if random.below(4) == 0 {
            let at = random.below(base.len() + 1);
            for side in [&mut ours, &mut theirs] {
                side.insert(at.min(side.len()), "both\n".to_owned());
            }
        }
        for side in [&mut ours, &mut theirs] {
            if random.below(12) == 0 {
                side.last_mut().map(String::pop);
            }
        }
        Self { has_repeats, base, ours, theirs }
    }
}

/// Returns a line: one that occurs once, or, if there may be repeats, one that occurs often.
fn line(random: &mut Random, has_repeats: bool, name: &str) -> String {
    match random.below(5) {
        _ if !has_repeats => format!("{name}\n"),
        0 => "}\n".to_owned(),
        1 => "\n".to_owned(),
        2 => format!("    word {};\r\n", random.below(4)),
        _ => format!("{name}\n"),
    }
}

fn edit(lines: &mut Vec<String>, random: &mut Random, has_repeats: bool, side: &str) {
    for number in 0..random.below(6) {
        let at = random.below(lines.len() + 1);
        let new = line(random, has_repeats, &format!("{side}{number}"));
        match random.below(4) {
            0 | 1 => lines.insert(at, new),
            2 if at < lines.len() => lines[at] = new,
            _ => {
                let end = (at + 1 + random.below(3)).min(lines.len());
                lines.drain(at.min(end)..end);
            }
        }
    }
}

/// Merges, and returns the text; `None` if there is a conflict.
fn merged(base: &[String], ours: &[String], theirs: &[String]) -> Option<Vec<u8>> {
    let objects = MemoryObjects::default();
    let tree = |text: &[String]| -> TreeId {
        let content = write_content(&mut text.concat().as_bytes(), &objects).unwrap();
        let (id, bytes) = (content.id.0, content.bytes);
        let item = Item { kind: Kind::File, id, bytes, files: 1, list: None };
        write_directory(&[("f", item)], &objects).unwrap().id
    };
    let [base, ours, theirs] = [base, ours, theirs].map(tree);
    let names = Names { ours: "ours", theirs: "theirs", label: "main" };
    let sides = Sides { base: Some(&base), ours: &ours, theirs: &theirs, names };
    let merged = merge(&sides, &objects, &objects).unwrap();
    if let Some(conflict) = merged.conflicts.first() {
        assert_eq!(conflict.form, Form::Markers);
        return None;
    }
    let item = find(&merged.root.id, &[b"f"], &objects).unwrap().unwrap();
    let mut text = Vec::new();
    read_content(&item, &objects, &mut text).unwrap();
    Some(text)
}

/// Returns git's merges of all cases; `None` for those with a conflict.
fn merged_by_git(cases: &[Case], dir: &FilePath) -> Vec<Option<Vec<u8>>> {
    git(dir, &["init", "--quiet", "--bare"], b"");
    let mut stream = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        for (number, text) in [&case.base, &case.ours, &case.theirs].into_iter().enumerate() {
            let (mark, text) = (3 * at + number + 1, text.concat());
            let from = if number == 0 { String::new() } else { format!("from :{}\n", 3 * at + 1) };
            let reset = if number == 0 { "reset refs/heads/all\n" } else { "" };
            let commit = format!(
                "{reset}commit refs/heads/all\nmark :{mark}\ncommitter x <x> {mark} +0000\ndata 0\n\
                 {from}M 100644 inline f\ndata {}\n{text}\n",
                text.len()
            );
            stream.extend(commit.as_bytes());
        }
    }
    git(dir, &["fast-import", "--quiet", "--force", "--export-marks=marks"], &stream);
    let marks = std::fs::read_to_string(dir.join("marks")).unwrap();
    let commits: HashMap<usize, &str> = marks
        .lines()
        .map(|line| line.strip_prefix(':').unwrap().split_once(' ').unwrap())
        .map(|(mark, commit)| (mark.parse().unwrap(), commit))
        .collect();
    let pair = |at| format!("{} {}\n", commits[&(3 * at + 2)], commits[&(3 * at + 3)]);
    let pairs: String = (0..cases.len()).map(pair).collect();
    let words = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "--stdin"];
    let merges =
        super::against_git::parse(&String::from_utf8(git(dir, &words, pairs.as_bytes())).unwrap());
    let asked: String = merges.iter().map(|merge| format!("{}:f\n", merge.tree)).collect();
    let mut answers = &git(dir, &["cat-file", "--batch"], asked.as_bytes())[..];
    let mut texts = Vec::new();
    for merge in merges {
        let end = answers.iter().position(|byte| *byte == b'\n').unwrap();
        let (header, rest) = answers.split_at(end + 1);
        let header = std::str::from_utf8(header).unwrap();
        let bytes: usize = header.split_whitespace().nth(2).unwrap().parse().unwrap();
        texts.push(merge.conflicts.is_empty().then(|| rest[..bytes].to_vec()));
        answers = &rest[bytes + 1..];
    }
    texts
}

/// Checks that no line is lost: what one side added and the other did not have, and what nobody deleted.
fn check_lines(case: &Case, text: &[u8]) {
    let has = |side: &[String], line: &String| side.contains(line);
    let is_once = |line: &&String| line.len() > 2 && !line.contains("word");
    let merged: Vec<String> = String::from_utf8(text.to_vec())
        .unwrap()
        .split_inclusive('\n')
        .map(str::to_owned)
        .collect();
    let Case { base, ours, theirs, .. } = case;
    for line in ours.iter().chain(theirs).filter(is_once) {
        if !has(base, line) || has(ours, line) && has(theirs, line) {
            assert!(has(&merged, line), "{line:?} is lost: {case:?}");
        }
    }
    for line in &merged {
        assert!(has(ours, line) || has(theirs, line), "{line:?} comes from nowhere: {case:?}");
    }
}

#[test]
fn texts_are_merged_as_git_merges_them() {
    let count = std::env::var("FASTEST_LINE_MERGES").ok().and_then(|count| count.parse().ok());
    let cases: Vec<Case> = seeds(1, count.unwrap_or(1_000)).map(Case::draw).collect();
    let dir = tempfile::tempdir().unwrap();
    let gits = merged_by_git(&cases, dir.path());
    let (mut clean, mut others) = (0, 0);
    for (case, expected) in cases.iter().zip(gits) {
        let Case { base, ours, theirs, .. } = case;
        let found = merged(base, ours, theirs);
        let told = |text: &Option<Vec<u8>>| {
            text.as_deref().map(|text| String::from_utf8_lossy(text).into_owned())
        };
        if case.has_repeats {
            others += usize::from(found != expected);
        } else {
            assert_eq!(told(&found), told(&expected), "{case:?}");
        }
        assert_eq!(found, merged(base, theirs, ours), "mirrored: {case:?}");
        assert_eq!(merged(base, ours, ours), Some(ours.concat().into_bytes()));
        if let Some(text) = found {
            clean += 1;
            check_lines(case, &text);
        }
    }
    println!("{} merges, {clean} without a conflict, {others} unlike git's", cases.len());
    assert!(others * 200 <= cases.len(), "{others} of {} are unlike git's", cases.len());
    assert!(cases.len() < 100 || clean * 10 > cases.len(), "almost all of them are conflicts");
}
