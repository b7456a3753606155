//! Names that a file system treats as one, because it folds case or normalises Unicode.

use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::Mode;
use unicode_normalization::UnicodeNormalization;

use crate::files::beneath::change::{create_file, make_directory, remove_all};
use crate::files::beneath::{Beneath, DIRECTORY, look_at};
use crate::worktree::state_dir::StateDir;

/// Which differences between names a file system ignores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Folding {
    /// `a` and `A` are the same name.
    pub case: bool,
    /// The composed and the decomposed form of a letter with an accent are the same name.
    pub normalisation: bool,
}

/// Two names of a directory that cannot both exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clash(pub(crate) Vec<u8>, pub(crate) Vec<u8>);

impl Folding {
    /// Finds out what the file system of a working copy ignores, by creating files in its folder of
    /// temporary files.
    pub fn probe(state: &StateDir) -> io::Result<Self> {
        let tmp = state.open_tmp()?;
        static PROBES: AtomicU64 = AtomicU64::new(0);
        let number = PROBES.fetch_add(1, Ordering::Relaxed);
        let name = format!("probe-{}-{number}", std::process::id());
        remove_all(tmp.as_fd(), name.as_bytes())?;
        make_directory(tmp.as_fd(), name.as_bytes())?;
        let folder = Beneath::from(rustix::fs::openat(&tmp, &name, DIRECTORY, Mode::empty())?);
        let same = |written: &str, read: &str| -> io::Result<bool> {
            // A file system that rejects the name does not fold it either.
            Ok(match create_file(&folder, written.as_bytes(), Mode::RUSR | Mode::WUSR) {
                Ok(_) => look_at(&folder, read.as_bytes())?.is_some(),
                Err(_) => false,
            })
        };
        let found = (same("probe", "PROBE"), same("\u{e9}", "e\u{301}"));
        remove_all(tmp.as_fd(), name.as_bytes())?;
        Ok(Self { case: found.0?, normalisation: found.1? })
    }

    /// Returns a key that is equal for names that are the same to the file system. Works on whole
    /// paths as well.
    pub(crate) fn key(self, name: &[u8]) -> Vec<u8> {
        let Ok(text) = str::from_utf8(name) else {
            return if self.case { name.to_ascii_lowercase() } else { name.to_vec() };
        };
        let composed: String =
            if self.normalisation { text.nfc().collect() } else { text.to_owned() };
        let folded = if self.case { composed.to_lowercase() } else { composed };
        // Lower-casing can leave a sequence that composes.
        if self.normalisation { folded.nfc().collect::<String>().into() } else { folded.into() }
    }

    /// Returns the first two of a directory's names that are the same to the file system.
    pub(crate) fn clash<'n>(self, names: impl Iterator<Item = &'n [u8]>) -> Option<Clash> {
        if self == Self::default() {
            return None;
        }
        let mut seen = HashMap::new();
        for name in names {
            if let Some(first) = seen.insert(self.key(name), name) {
                return Some(Clash(first.to_vec(), name.to_vec()));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(folding: Folding, names: &[&str], expect: Option<Clash>) {
        assert_eq!(folding.clash(names.iter().map(|name| name.as_bytes())), expect, "{names:?}");
    }

    fn names(first: &str, second: &str) -> Option<Clash> {
        Some(Clash(first.into(), second.into()))
    }

    #[test]
    fn names_clash_only_where_the_file_system_folds_them() {
        let exact = Folding::default();
        let case = Folding { case: true, normalisation: false };
        let both = Folding { case: true, normalisation: true };
        let normalising = Folding { case: false, normalisation: true };
        check(exact, &["a", "A", "\u{e9}", "e\u{301}"], None);
        check(case, &["A", "a"], names("A", "a"));
        check(case, &["\u{c9}", "\u{e9}"], names("\u{c9}", "\u{e9}"));
        check(case, &["\u{e9}", "e\u{301}"], None);
        check(normalising, &["e\u{301}", "\u{e9}"], names("e\u{301}", "\u{e9}"));
        check(normalising, &["A", "a"], None);
        check(both, &["E\u{301}", "\u{e9}"], names("E\u{301}", "\u{e9}"));
        check(both, &["a", "b", "ab"], None);
    }

    #[test]
    fn names_that_are_not_utf_8_fold_in_ascii_only() {
        let case = Folding { case: true, normalisation: true };
        let names = [&b"\xffA"[..], b"\xffa"];
        assert!(case.clash(names.into_iter()).is_some());
        assert!(case.clash([&b"\xff"[..], b"\xfe"].into_iter()).is_none());
    }
}
