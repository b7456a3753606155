//! Journals of checkouts. A working copy from elsewhere may contain one.

use std::cell::RefCell;
use std::fs;

use fastest_core::fuzzing;
use fastest_core::worktree::checkout::outcome::Recovered;
use fastest_core::worktree::checkout::run::recover;
use tempfile::TempDir;

use crate::place::folder;
use crate::targets::sealed::{check, seal};

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"FSTCHECK\x01\0\0\0",
    b"FSTCHECK\x02\0\0\0",
    b"\x02..",
    b"\x0b../bystander",
    b"\x08.fastest",
    b"\x04.git",
    b"\x0d.fastest/head",
    b"\x01a",
    b"\x04link",
    b"\x0alink/below",
    &[0],
    &[1],
    &[2],
    &[3, 1, 0],
    &[4, 1],
    &[5, 1],
    &[0; 32],
];

/// Returns journals with each kind of step, and with paths that lead elsewhere.
pub fn seeds() -> Vec<Vec<u8>> {
    let stat = [0u8; 32];
    let expected = [&[2][..], &stat, &[7; 32]].concat();
    let mut steps: Vec<Vec<u8>> = vec![
        [b"\x01a\x00", &expected[..]].concat(),
        b"\x03dir\x01".to_vec(),
        b"\x04made\x02".to_vec(),
        b"\x03new\x03\x01\x05".to_vec(),
        [b"\x01b\x04\x02", &stat[..]].concat(),
        [b"\x01c\x05\x03", &stat[..], &expected].concat(),
    ];
    let mut seeds = Vec::new();
    for version in [1, 2] {
        let head = [b"FSTCHECK", &[version, 0, 0, 0][..], b"\x05token"].concat();
        seeds.push([&head[..], &[0]].concat());
        seeds.push([&head[..], &[steps.len() as u8], &steps.concat()].concat());
        steps.reverse();
        for path in [&b".."[..], b"../bystander", b".git/config", b".fastest/head", b"a//b"] {
            let make_directory = [&[path.len() as u8], path, b"\x02"].concat();
            seeds.push([&head[..], &[1], &make_directory].concat());
        }
    }
    seeds
}

thread_local! {
    static SCENE: RefCell<TempDir> = RefCell::new(folder());
}

/// Decodes a journal with a true checksum, and recovers a working copy that has it. Nothing outside
/// of the working copy changes, nor its state folder's other files, except for the head.
pub fn run(input: &[u8]) {
    check(input, fuzzing::journal);
    let Some(paths) = fuzzing::journal_paths(&seal(input)) else { return };
    for path in paths {
        assert!(path.split(|byte| *byte == b'/').all(is_content), "a step at {path:?}");
    }
    SCENE.with_borrow(|scene| {
        let (outside, copy) = (scene.path().join("outside"), scene.path().join("copy"));
        if !outside.is_dir() {
            fs::create_dir(&outside).expect("a folder");
            fs::write(outside.join("below"), "untouched").expect("a file");
        }
        let _ = fs::remove_dir_all(&copy);
        fs::create_dir_all(copy.join(".fastest/tmp")).expect("folders");
        fs::create_dir_all(copy.join("dir")).expect("a folder");
        for (path, text) in
            [("a", "a"), ("c", "c"), (".fastest/head", "snap\n"), (".fastest/tmp/2", "n")]
        {
            fs::write(copy.join(path), text).expect("a file");
        }
        std::os::unix::fs::symlink("../outside", copy.join("link")).expect("a link");
        fs::write(copy.join(".fastest/checkout"), seal(input)).expect("a file");
        let recovered = recover(&copy);
        assert_eq!(recovered.is_ok(), !copy.join(".fastest/checkout").exists());
        let text = |path: std::path::PathBuf| fs::read_to_string(path).unwrap_or_default();
        assert_eq!(text(outside.join("below")), "untouched", "a file outside");
        assert_eq!(fs::read_dir(&outside).expect("a folder").count(), 1, "a file outside");
        let head = match recovered {
            Ok(Some(Recovered { head, kept })) if kept.is_empty() && !head.is_empty() => head,
            _ => b"snap".to_vec(),
        };
        let expected = String::from_utf8(head).expect("a head is text");
        assert_eq!(text(copy.join(".fastest/head")), expected + "\n", "the state folder");
        assert_eq!(fs::read_dir(scene.path()).expect("a folder").count(), 2, "a file beside it");
    });
}

/// Whether a name may be that of content, whatever else the engine knows about names.
fn is_content(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    !matches!(&lower[..], b"" | b"." | b".." | b".git" | b".fastest") && !name.contains(&0)
}
