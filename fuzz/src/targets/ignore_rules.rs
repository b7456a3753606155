//! Ignore files.

use fastest_core::fuzzing::newly_ignores;
use fastest_core::worktree::ignore_rules::{IgnoreRules, IgnoredBy};

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"*",
    b"**/",
    b"/**",
    b"**",
    b"!",
    b"/",
    b"\\",
    b"?",
    b"[a-z]",
    b"[!a]",
    b"[[:alpha:]]",
    b"[",
    b"]",
    b"#",
    b"\n",
    b"\r\n",
    b" ",
    b"\\ ",
    b"\xef\xbb\xbf",
    b"\0",
    b"a",
    b".o",
    b"dir/",
];

/// Paths that rules are asked about.
const PATHS: [&str; 12] = [
    "a",
    "a.o",
    "dir/b.o",
    "dir/below/c.tar.gz",
    ".gitignore",
    "build",
    "node_modules/x/y/z/node_modules/w",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/b",
    "\u{444} x",
    "[x]",
    "#a",
];

/// Returns ignore files with each part of the syntax.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "*.o\n!keep.o\nbuild/\n/a\n# comment\n\\#a\n",
        "**/below/*.tar.gz\ndir/**\n**/a/**/b\n[[:alpha:]].txt\n[a-c]?\n",
        "\u{feff}node_modules/\r\n a \\ \r\n[z-a]\n\\\n!\n/\n",
        "**/a/**/a/**/a/**/a/**/c\n*a*a*a*a*a*a*a*b\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Parses an ignore file, and asks it about paths.
pub fn run(input: &[u8]) {
    let none = IgnoreRules::default();
    let Ok(rules) = none.with_file(0, input) else { return };
    let again = none.with_file(0, input).expect("it was parsed before");
    assert_eq!(rules.id(), again.id());
    let more = rules.with_file(0, b"nothing has this name\n").expect("it has no wildcards");
    let without = rules.with_file(0, b"!*\n").expect("it has one star");
    for path in PATHS {
        for is_directory in [false, true] {
            let path = path.as_bytes();
            let by = rules.ignored_by(path, is_directory);
            assert_ne!(by, Some(IgnoredBy::Elsewhere), "all rules are in the working copy");
            assert_eq!(more.ignored_by(path, is_directory), by, "the rule is about another name");
            assert_eq!(without.ignored_by(path, is_directory), None, "the last line decides");
            assert!(!newly_ignores(&rules, &again, path, is_directory), "no line was added");
            assert_eq!(newly_ignores(&rules, &none, path, is_directory), by.is_some());
        }
    }
    // Lines that end in another way are the same lines.
    if !input.contains(&b'\r') && !input.ends_with(b"\\") && !input.contains(&0) {
        let crlf = input.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
        if let Ok(same) = none.with_file(0, &crlf) {
            for path in PATHS {
                let path = path.as_bytes();
                assert_eq!(same.ignored_by(path, true), rules.ignored_by(path, true));
            }
        }
    }
}
