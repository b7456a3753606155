//! Architecture: in each crate, rooms import downwards only, and no two files import each other,
//! directly or indirectly.
//!
//! A room is a folder or a file of a crate's `src`. A file imports another if it contains a path
//! that leads there, in a `use` or in its code. The file that the path names counts, even if that
//! file only re-exports the name. Tests in the sources (`#[cfg(test)]`) may import anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::sources::{Sources, TESTS, Token, end_of_item, is_of_tests, read, tokens};

/// The rooms of each crate, from the bottom up. A file may import files of its own room and of
/// rooms before it.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "schema",
        &[
            "sql", "value", "declare", "tables", "check", "wire", "record", "migrate", "live",
            "adopt",
        ],
    ),
    (
        "core",
        &[
            "progress",
            "object",
            "files",
            "store",
            "compare",
            "worktree",
            "worktree/scan",
            "worktree/checkout",
            "fuzzing",
        ],
    ),
    (
        "sync",
        &[
            "base",
            "remote",
            "replica",
            "rows",
            "migrations",
            "error",
            "exchange",
            "database",
            "device",
        ],
    ),
    (
        "cli",
        &[
            "words", "error", "args", "logs", "output", "progress", "keyring", "secrets",
            "session", "commands",
        ],
    ),
];

/// The modules from the crate's root to one of its files.
type Module = Vec<String>;

/// A path in a file.
struct Mention {
    /// The modules that it is in, those of the file included.
    place: Module,
    /// Its words.
    words: Vec<String>,
    line: usize,
}

/// An import of one file by another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Import {
    from: String,
    line: usize,
    to: String,
}

fn module_of(file: &str) -> Module {
    let mut words: Module = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(words.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        words.pop();
    }
    words
}

/// Reads the paths of one file.
struct Reader<'a> {
    tokens: &'a [Token],
    /// The modules that the file declares: only their names begin a path without `crate`, `self` or
    /// `super`.
    children: BTreeSet<&'a str>,
    /// The reader's position: modules of the file, and the depth of brackets at which each ends.
    place: Module,
    inside: Vec<usize>,
    depth: usize,
    found: Vec<Mention>,
}

/// Returns the paths in a file.
fn mentions(file: &str, source: &str) -> Vec<Mention> {
    let tokens = tokens(source);
    let declared = tokens.windows(3).filter(|w| w[0].text == "mod" && w[2].text == ";");
    let children = declared.map(|three| three[1].text.as_str()).collect();
    let place = module_of(file);
    let mut reader =
        Reader { tokens: &tokens, children, place, inside: vec![], depth: 0, found: vec![] };
    let mut at = 0;
    while at < tokens.len() {
        at = reader.read(at);
    }
    reader.found
}

impl<'a> Reader<'a> {
    fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    /// Reads the item that begins at `at`, and returns where it ends.
    fn read(&mut self, at: usize) -> usize {
        match self.text(at) {
            "#" if is_of_tests(self.tokens, at) => end_of_item(self.tokens, at + TESTS.len()),
            // Not what a type captures: `impl Trait + use<'a>`.
            "use" if self.text(at + 1) != "<" => self.used(at + 1, &[], false),
            "mod" if self.text(at + 2) == "{" => {
                self.place.push(self.text(at + 1).to_owned());
                self.inside.push(self.depth);
                self.depth += 1;
                at + 3
            }
            "{" => {
                self.depth += 1;
                at + 1
            }
            "}" => {
                self.depth -= 1;
                if self.inside.last() == Some(&self.depth) {
                    self.inside.pop();
                    self.place.pop();
                }
                at + 1
            }
            _ if self.begins(at) && self.text(at + 1) == "::" => {
                let (mut words, mut next) = (vec![self.text(at).to_owned()], at + 1);
                while self.text(next) == "::" && self.is_word(next + 1) {
                    words.push(self.text(next + 1).to_owned());
                    next += 2;
                }
                self.mention(words, at);
                next
            }
            _ => at + 1,
        }
    }

    fn is_word(&self, at: usize) -> bool {
        self.text(at).starts_with(|c: char| c.is_alphabetic() || c == '_')
    }

    /// Whether a path into this crate begins here.
    fn begins(&self, at: usize) -> bool {
        let word = self.text(at);
        let is_first = at == 0 || self.text(at - 1) != "::";
        is_first && (["crate", "super", "self"].contains(&word) || self.children.contains(word))
    }

    fn mention(&mut self, words: Vec<String>, at: usize) {
        let line = self.tokens[at].line;
        self.found.push(Mention { place: self.place.clone(), words, line });
    }

    /// Reads the paths of a `use`, or of the brackets in one. `stem` is the path before the
    /// brackets, and `is_ours` says whether it leads into this crate. Returns where it ends.
    fn used(&mut self, mut at: usize, stem: &[String], is_ours: bool) -> usize {
        let mut words = stem.to_vec();
        let mut leads_here = is_ours;
        loop {
            match self.text(at) {
                "{" => {
                    at = self.used(at + 1, &words.clone(), leads_here);
                    // The brackets contained everything that this path had.
                    words.truncate(stem.len());
                    continue;
                }
                end @ ("," | ";" | "}" | "") => {
                    if words.len() > stem.len() && leads_here {
                        self.mention(words, at - 1);
                    }
                    (words, leads_here) = (stem.to_vec(), is_ours);
                    if end != "," {
                        return at + 1;
                    }
                }
                "as" => at += 1,
                word if self.is_word(at) => {
                    leads_here |= words.is_empty() && self.begins(at);
                    words.push(word.to_owned());
                }
                _ => {}
            }
            at += 1;
        }
    }
}

/// Returns every import of one file of a crate by another.
fn imports(sources: &Sources) -> BTreeSet<Import> {
    let files: BTreeMap<Module, &String> =
        sources.keys().map(|file| (module_of(file), file)).collect();
    let mut all = BTreeSet::new();
    let leads_on = |at: &Module| files.keys().any(|module| module.starts_with(at));
    for (file, text) in sources {
        for Mention { place, words, line } in mentions(file, text) {
            let mut words = &words[..];
            let mut at = match words[0].as_str() {
                "crate" => Vec::new(),
                _ => place,
            };
            while let Some("crate" | "self" | "super") = words.first().map(String::as_str) {
                if words[0] == "super" {
                    at.pop();
                }
                words = &words[1..];
            }
            for word in words {
                at.push(word.clone());
                if !leads_on(&at) {
                    break;
                }
            }
            // A module inside of a file belongs to the file.
            while !at.is_empty() && !files.contains_key(&at) {
                at.pop();
            }
            if let Some(to) = files.get(&at).filter(|to| **to != file) {
                all.insert(Import { from: file.clone(), line, to: to.to_string() });
            }
        }
    }
    all
}

/// Returns the index of a file's room in the list; `None` if the file is in no room.
fn room_of(file: &str, rooms: &[&str]) -> Option<usize> {
    if matches!(file, "lib.rs" | "main.rs") {
        return Some(rooms.len());
    }
    let is_in = |room: &str| match file.strip_prefix(room) {
        Some(rest) => rest.starts_with('/') || rest == ".rs",
        None => false,
    };
    // Of nested rooms, the longer path names the inner one.
    (0..rooms.len()).filter(|at| is_in(rooms[*at])).max_by_key(|at| rooms[*at].len())
}

/// Returns the imports that break the order of the rooms, and the files that are in none.
fn climbing(sources: &Sources, rooms: &[&str]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in sources.keys().filter(|file| room_of(file, rooms).is_none()) {
        broken.push(format!("{file} is in no room"));
    }
    for Import { from, line, to } in imports(sources) {
        if let (Some(low), Some(high)) = (room_of(&from, rooms), room_of(&to, rooms))
            && low < high
        {
            broken.push(format!("{from}, line {line}: imports {to}, which is above it"));
        }
    }
    broken
}

/// Returns the imports that form a cycle; empty if there is none.
fn circle(sources: &Sources) -> Vec<String> {
    let mut arrows: BTreeMap<String, Vec<Import>> = BTreeMap::new();
    for import in imports(sources) {
        arrows.entry(import.from.clone()).or_default().push(import);
    }
    let mut done = BTreeSet::new();
    for file in sources.keys() {
        let mut path = Vec::new();
        if let Some(circle) = circle_from(file, &arrows, &mut path, &mut done) {
            return circle;
        }
    }
    Vec::new()
}

fn circle_from(
    file: &str,
    arrows: &BTreeMap<String, Vec<Import>>,
    path: &mut Vec<Import>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    if done.contains(file) {
        return None;
    }
    for import in arrows.get(file).into_iter().flatten() {
        path.push(import.clone());
        if let Some(start) = path.iter().position(|earlier| earlier.from == import.to) {
            let show = |Import { from, line, to }: &Import| format!("{from}, line {line}: {to}");
            return Some(path[start..].iter().map(show).collect());
        }
        if let Some(circle) = circle_from(&import.to, arrows, path, done) {
            return Some(circle);
        }
        path.pop();
    }
    done.insert(file.to_owned());
    None
}

#[test]
fn rooms_import_downward_and_no_file_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (member, rooms) in ROOMS {
        let mut sources = Sources::new();
        read(&root.join(member).join("src"), "", &mut sources);
        assert!(sources.len() > 10, "{member} has its sources elsewhere");
        let climbing = climbing(&sources, rooms);
        assert!(climbing.is_empty(), "{member}/src:\n{}", climbing.join("\n"));
        let circle = circle(&sources);
        assert!(circle.is_empty(), "{member}/src, a circle:\n{}", circle.join("\n"));
        for room in *rooms {
            let is_used = |file: &String| room_of(file, &[room]) == Some(0);
            assert!(sources.keys().any(is_used), "{member} has no room {room}");
        }
    }
}

/// Checks which of these sources break the order of the rooms `low`, `high` and `high/attic`, and
/// how many imports form a cycle.
fn check(sources: &[(&str, &str)], climbs: &[&str], in_circle: usize) {
    let own = |(file, text): &(&str, &str)| ((*file).to_owned(), (*text).to_owned());
    let sources: Sources = sources.iter().map(own).collect();
    assert_eq!(climbing(&sources, &["low", "high", "high/attic"]), climbs);
    let circle = circle(&sources);
    assert_eq!(circle.len(), in_circle, "{circle:?}");
}

#[test]
fn a_file_that_breaks_the_order_is_named_with_its_line() {
    let low = ("low/a.rs", "");
    check(&[low, ("high/b.rs", "use crate::low::a::A;")], &[], 0);
    check(
        &[
            ("low/a.rs", "//! A.\n\nuse std::{fs, io};\nuse crate::{high::b::{self, B}, low};"),
            ("high/b.rs", ""),
        ],
        &["low/a.rs, line 4: imports high/b.rs, which is above it"],
        0,
    );
    check(
        &[("low/a.rs", "fn f() {\n    if x { crate::high::b::f::<u8>() }\n}"), ("high/b.rs", "")],
        &["low/a.rs, line 2: imports high/b.rs, which is above it"],
        0,
    );
    check(
        &[("high/b.rs", "use super::attic::c::C as D;"), ("high/attic/c.rs", "")],
        &["high/b.rs, line 1: imports high/attic/c.rs, which is above it"],
        0,
    );
    check(&[("lib.rs", "pub use low::a::A; mod low;"), ("low/mod.rs", ""), low], &[], 0);
    check(
        &[("lib.rs", ""), ("low/a.rs", "use crate::A;")],
        &["low/a.rs, line 1: imports lib.rs, which is above it"],
        0,
    );
    check(&[("cellar.rs", "")], &["cellar.rs is in no room"], 0);
}

#[test]
fn circles_are_found_and_tests_may_look_anywhere() {
    let b = ("low/b.rs", "use super::a;");
    check(&[("low/a.rs", "use crate::low::b::B;"), b], &[], 2);
    check(&[("low/a.rs", "fn f(b: super::b::B) {}"), b], &[], 2);
    check(&[("low/a.rs", "macro!(crate::low::b::B);"), b], &[], 2);
    check(&[("low/a.rs", "#[cfg(test)]\nmod tests { use crate::low::b::B; }"), b], &[], 0);
    check(&[("low/a.rs", "// crate::low::b\nconst B: &str = \"crate::low::b\";"), b], &[], 0);
    // A parent that uses its child, which uses what the parent defines.
    check(&[("low/a.rs", "mod c; use c::C;"), ("low/a/c.rs", "use super::A;")], &[], 2);
    check(&[("low/a.rs", "mod c; struct A(c::C);"), ("low/a/c.rs", "use super::A;")], &[], 2);
    check(&[("low/a.rs", "mod c; struct A;"), ("low/a/c.rs", "use super::A;")], &[], 0);
    check(&[("low/a.rs", "mod c { use super::A; }"), b], &[], 0);
    let three = [
        ("low/a.rs", "use crate::low::c;"),
        ("low/b.rs", "use crate::low::a;"),
        ("low/c.rs", "use crate::low::b;"),
    ];
    check(&three, &[], 3);
    let captured = "fn f<'a>() -> impl I + use<'a> {\n}\nmod c { fn g() { super::super::b::B; } }";
    check(&[("low/a.rs", captured), b], &[], 2);
}
