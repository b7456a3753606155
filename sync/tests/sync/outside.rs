//! Architecture: time, randomness and waiting come from the world that a device was opened in
//! (`sync/src/base/world.rs`), and nothing asks the system for them.

use std::collections::BTreeMap;
use std::path::Path;

use super::sources::{Sources, Token, end_of_item, is_of_tests, read, tokens};

/// Names that ask the system for a time, for randomness, or to wait.
const WORDS: &[&str] = &[
    "Instant",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "elapsed",
    "sleep",
    "sleep_until",
    "park_timeout",
    "recv_timeout",
    "wait_timeout",
    "tokio::time",
    "RandomState",
    "Ulid::generate",
    "Ulid::new",
    "getrandom",
    "rand",
    // Draws the names of temporary files.
    "tempfile",
];

/// Why names of temporary files may be random: a simulator masks them.
const TEMPORARY: &str = "names of temporary files, which nobody sees but in an error";

/// The files that use such names all the same, which names, and why.
const EXCEPTIONS: &[(&str, &[&str], &str)] = &[
    (
        "sync/src/base/world.rs",
        &["Instant", "SystemTime::now", "elapsed", "Ulid::generate", "tokio::time", "sleep"],
        "the system's world is made of them",
    ),
    (
        "sync/src/base/waiting.rs",
        &["Timestamp::now", "recv_timeout"],
        "people are told which process they wait for, and since when, while a lock of the system's \
         holds this one up",
    ),
    ("core/src/files/disk.rs", &["tempfile"], TEMPORARY),
    ("sync/src/device/read_only.rs", &["tempfile"], TEMPORARY),
    ("sync/src/migrations/adopt.rs", &["tempfile"], TEMPORARY),
    ("sync/src/migrations/folder.rs", &["tempfile"], TEMPORARY),
    ("sync/src/remote/pack_store/directory.rs", &["tempfile"], TEMPORARY),
    ("sync/src/replica/open.rs", &["tempfile"], TEMPORARY),
    (
        "core/src/store/temp.rs",
        &["elapsed"],
        "the age of a file that a dead process left, by the time that the system gave the file",
    ),
    (
        "core/src/worktree/checkout/taken.rs",
        &["SystemTime::now"],
        "whether a file was just written, by the time that the system gave the file",
    ),
    (
        "core/src/worktree/scan/database_copy.rs",
        &["SystemTime::now", "sleep"],
        "whether a file was just written, by the time that the system gave the file, and until that \
         time can move",
    ),
];

/// Returns the words that a source uses outside of its tests, each with its line.
fn uses(source: &str) -> Vec<(&'static str, usize)> {
    let all = tokens(source);
    let mut code: Vec<&Token> = Vec::new();
    let mut at = 0;
    while at < all.len() {
        if is_of_tests(&all, at) {
            at = end_of_item(&all, at);
        } else {
            code.push(&all[at]);
            at += 1;
        }
    }
    let mut found = Vec::new();
    for word in WORDS {
        let parts: Vec<String> = tokens(word).into_iter().map(|token| token.text).collect();
        let here = code
            .windows(parts.len())
            .filter(|here| here.iter().map(|token| &token.text).eq(&parts));
        found.extend(here.map(|here| (*word, here[0].line)));
    }
    found
}

/// Returns the uses that no exception allows, and the exceptions that nothing needs.
fn broken(sources: &Sources, exceptions: &[(&str, &[&str], &str)]) -> Vec<String> {
    let mut unused: BTreeMap<(&str, &str), ()> = BTreeMap::new();
    for (file, words, _) in exceptions {
        unused.extend(words.iter().map(|word| ((*file, *word), ())));
    }
    let is_allowed = |file: &str, used: &str| {
        exceptions.iter().any(|(allowed, words, _)| *allowed == file && words.contains(&used))
    };
    let mut broken = Vec::new();
    for (file, text) in sources.iter().filter(|(file, _)| !file.ends_with("tests.rs")) {
        for (word, line) in uses(text) {
            unused.remove(&(file.as_str(), word));
            if !is_allowed(file, word) {
                broken.push(format!("{file}, line {line}: {word}"));
            }
        }
    }
    let unused = unused.keys().map(|(file, word)| format!("{file} may use {word}, and does not"));
    broken.into_iter().chain(unused).collect()
}

#[test]
fn time_randomness_and_waiting_come_from_the_world() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut all = Sources::new();
    for member in ["schema", "core", "sync"] {
        let (src, mut sources) = (format!("{member}/src"), Sources::new());
        read(&root.join(&src), "", &mut sources);
        assert!(sources.len() > 10, "{member} has its sources elsewhere");
        all.extend(sources.into_iter().map(|(file, text)| (format!("{src}/{file}"), text)));
    }
    let broken = broken(&all, EXCEPTIONS);
    assert!(
        broken.is_empty(),
        "use the world that is given, or say why not:\n{}",
        broken.join("\n")
    );
}

/// Checks what is wrong with a source, in which `Instant` is allowed.
fn check(source: &str, expected: &[&str]) {
    let sources = Sources::from([("a.rs".to_owned(), source.to_owned())]);
    assert_eq!(broken(&sources, &[("a.rs", &["Instant"], "a test")]), expected, "{source}");
}

#[test]
fn a_file_that_asks_the_system_is_named_with_its_line() {
    check("use std::time::Instant;", &[]);
    check("", &["a.rs may use Instant, and does not"]);
    let asks = |text: &str| format!("use std::time::{{Duration, Instant}};\n{text}");
    check(&asks("fn f() { jiff::Timestamp::now() }"), &["a.rs, line 2: Timestamp::now"]);
    check(&asks("\nuse tokio::time::{self};"), &["a.rs, line 3: tokio::time"]);
    check(&asks("fn f() { time.elapsed() }"), &["a.rs, line 2: elapsed"]);
    check(&asks("fn f() { asleep(now); elapsed_ms() }"), &[]);
    check(&asks("// thread::sleep\nconst A: &str = \"thread::sleep\";"), &[]);
    check(&asks("#[cfg(test)]\nmod tests { use std::thread::sleep; }"), &[]);
    check(&asks("#[cfg(test)]\nuse a::B;\nuse std::thread::sleep;"), &["a.rs, line 4: sleep"]);
}
