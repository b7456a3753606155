//! Which names of a working copy are not part of its tree.
//!
//! The syntax is that of gitignore, in `.gitignore` and `.fastestignore` in every directory. A
//! deeper file overrides a shallower one, and `.fastestignore` overrides the `.gitignore` beside
//! it. In a git repository its rules apply as well, and are weaker than those of the working copy
//! (see [`crate::worktree::git`]).
//!
//! Rules say what is ignored. Whether an ignored file is still content, because the head has it or
//! git tracks it, is decided by [`crate::worktree::scan`], and depends on where the rule is.

pub mod file;

use std::sync::Arc;

pub use file::{
    DOUBLE_STARS_MAX, IGNORE_FILE_BYTES_MAX, IgnoreFileError, STARS_MAX, WILDCARD_LINES_MAX,
};
use file::{IgnoreFile, Line};

/// Identifies the rules of a directory: equal as long as all ignore files that apply there are. A
/// change to how rules are interpreted requires a new version of the stat index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RulesId(pub [u8; 16]);

/// Where the rule is that ignores a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IgnoredBy {
    /// In an ignore file of the working copy.
    WorkingCopy,
    /// Elsewhere: in the git repository above, on this machine alone, or in a file that cannot be
    /// read. Such a rule keeps new files out of the tree, and removes nothing from it.
    Elsewhere,
}

/// The rules for the entries of one directory.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    nearest: Option<Arc<Level>>,
    /// The id of the rules without any level.
    seed: RulesId,
}

/// The rules that one ignore file adds.
#[derive(Debug)]
struct Level {
    id: RulesId,
    rules: Rules,
    place: Place,
    by: IgnoredBy,
    weaker: Option<Arc<Level>>,
}

#[derive(Debug)]
enum Rules {
    File(IgnoreFile),
    /// The rules of a file that cannot be used: nobody knows what it would ignore.
    Everything,
}

/// The directory of an ignore file.
#[derive(Debug)]
enum Place {
    /// At or below the root: the length of its path relative to the root, with its slash.
    Below(usize),
    /// Above the root: the path from there to the root, with its slash.
    Above(Vec<u8>),
}

impl IgnoreRules {
    /// Returns no rules. `seed` distinguishes them from others that are built from the same ignore
    /// files.
    pub(crate) fn seeded(seed: RulesId) -> Self {
        Self { nearest: None, seed }
    }

    /// Adds an ignore file with this text. `prefix_bytes` is the length of its directory's path
    /// relative to the root, with its slash.
    ///
    /// # Errors
    /// If the text exceeds a limit. Its rules are then unknown: see [`IgnoreRules::unknown`].
    pub fn with_file(&self, prefix_bytes: usize, text: &[u8]) -> Result<Self, IgnoreFileError> {
        self.with_file_by(prefix_bytes, text, IgnoredBy::WorkingCopy)
    }

    /// Like [`IgnoreRules::with_file`]. `by` says whether the file is content. The rules of a file
    /// that is not content count as being elsewhere: the file is not synced.
    pub(crate) fn with_file_by(
        &self,
        prefix_bytes: usize,
        text: &[u8],
        by: IgnoredBy,
    ) -> Result<Self, IgnoreFileError> {
        self.with(text, Place::Below(prefix_bytes), by)
    }

    /// Like [`IgnoreRules::with_file`], for a file that is not part of the working copy, and whose
    /// patterns are relative to a directory above the root. `way` is the path from there to the
    /// root, with a slash at the end; empty for the root itself.
    ///
    /// # Errors
    /// Those of [`IgnoreRules::with_file`].
    pub(crate) fn with_outer_file(&self, way: &[u8], text: &[u8]) -> Result<Self, IgnoreFileError> {
        self.with(text, Place::Above(way.to_vec()), IgnoredBy::Elsewhere)
    }

    fn with(&self, text: &[u8], place: Place, by: IgnoredBy) -> Result<Self, IgnoreFileError> {
        let file = IgnoreFile::parse(text)?;
        Ok(if file.is_empty() {
            self.clone()
        } else {
            self.above(Rules::File(file), text, place, by)
        })
    }

    /// Adds an ignore file that cannot be used: everything below its directory that is not in the
    /// tree already is ignored.
    pub fn unknown(&self, prefix_bytes: usize) -> Self {
        self.above(Rules::Everything, &[], Place::Below(prefix_bytes), IgnoredBy::Elsewhere)
    }

    fn above(&self, rules: Rules, text: &[u8], place: Place, by: IgnoredBy) -> Self {
        let (place_tag, way): (u64, &[u8]) = match &place {
            Place::Below(prefix_bytes) => (*prefix_bytes as u64, &[]),
            Place::Above(way) => (u64::MAX, way),
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.id().0);
        hasher.update(&place_tag.to_le_bytes());
        hasher.update(&(way.len() as u64).to_le_bytes());
        hasher.update(way);
        let travels = matches!((&place, by), (Place::Below(_), IgnoredBy::WorkingCopy));
        let unusable = u8::from(matches!(rules, Rules::Everything));
        hasher.update(&[unusable | u8::from(travels) << 1]);
        hasher.update(text);
        let hash = hasher.finalize();
        let id = RulesId(hash.as_bytes()[..16].try_into().expect("16 of 32 bytes"));
        let level = Level { id, rules, place, by, weaker: self.nearest.clone() };
        Self { nearest: Some(Arc::new(level)), seed: self.seed }
    }

    /// Returns the id of these rules.
    pub fn id(&self) -> RulesId {
        self.nearest.as_ref().map_or(self.seed, |level| level.id)
    }

    /// Returns where the rule is that ignores the entry at `path`, relative to the root; `None`
    /// where none does. The caller knows that the parent is not ignored.
    pub fn ignored_by(&self, path: &[u8], is_directory: bool) -> Option<IgnoredBy> {
        let mut level = self.nearest.as_deref();
        while let Some(Level { rules, place, by, weaker, .. }) = level {
            let matched = match (rules, place) {
                (Rules::Everything, _) => return Some(*by),
                (Rules::File(file), Place::Below(bytes)) => {
                    file.matched(&path[*bytes..], is_directory)
                }
                (Rules::File(file), Place::Above(way)) if way.is_empty() => {
                    file.matched(path, is_directory)
                }
                (Rules::File(file), Place::Above(way)) => {
                    file.matched(&[way.as_slice(), path].concat(), is_directory)
                }
            };
            if let Some(line) = matched {
                return (!line.takes_in).then_some(*by);
            }
            level = weaker.as_deref();
        }
        None
    }

    /// Returns whether the line of these rules that ignores the entry at `path` is not in `old`,
    /// and so was added since. True if the rules there are unknown. These rules are all of the
    /// working copy.
    pub(crate) fn newly_ignores(&self, old: &Self, path: &[u8], is_directory: bool) -> bool {
        let mut level = self.nearest.as_deref();
        while let Some(Level { rules, place, weaker, .. }) = level {
            let (Rules::File(file), Place::Below(bytes)) = (rules, place) else { return true };
            if let Some(line) = file.matched(&path[*bytes..], is_directory) {
                return !line.takes_in && !old.has(*bytes, line);
            }
            level = weaker.as_deref();
        }
        false
    }

    fn has(&self, prefix_bytes: usize, line: &Line) -> bool {
        let levels =
            std::iter::successors(self.nearest.as_deref(), |level| level.weaker.as_deref());
        levels.into_iter().any(|level| match (&level.rules, &level.place) {
            (Rules::File(file), Place::Below(bytes)) => *bytes == prefix_bytes && file.has(line),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(files: &[(&str, &str)]) -> IgnoreRules {
        files.iter().fold(IgnoreRules::default(), |rules, (directory, text)| {
            rules.with_file(directory.len(), text.as_bytes()).unwrap()
        })
    }

    fn check(files: &[(&str, &str)], path: &str, expect: bool) {
        let is_directory = path.ends_with('/');
        let path_bytes = path.trim_end_matches('/').as_bytes();
        let ignored = rules(files).ignored_by(path_bytes, is_directory);
        assert_eq!(ignored.is_some(), expect, "{path} under {files:?}");
    }

    #[test]
    fn syntax_and_precedence_are_those_of_git() {
        check(&[], "src/a.rs", false);
        check(&[("", "*.o\n")], "src/a.o", true);
        check(&[("", "/a\n")], "a", true);
        check(&[("", "/a\n")], "src/a", false);
        check(&[("", "build/\n")], "src/build/", true);
        check(&[("", "build/\n")], "src/build", false);
        check(&[("", "*.o\n!keep.o\n")], "keep.o", false);
        check(&[("", "!keep.o\n*.o\n")], "keep.o", true);
        check(&[("", "*.o\n"), ("src/", "!*.o\n")], "src/a.o", false);
        check(&[("", "\u{feff}*.o\r\n")], "a.o", true);
        check(&[("", "# a\n\n\\#b\n\\!c\n")], "#b", true);
        check(&[("", "\\!c\n")], "!c", true);
    }

    #[test]
    fn what_other_matchers_read_otherwise() {
        check(&[("", "*.{log,tmp}\n")], "a.log", false);
        check(&[("", "{one\n")], "{one", true);
        check(&[("", "{{x}}/build/\n")], "{{x}}/build/", true);
        check(&[("", "[[:alpha:]].txt\n")], "b.txt", true);
        check(&[("", "[[:alpha:]].txt\n")], "1.txt", false);
        check(&[("", "foo**/bar\n")], "foo/x/y/bar", true);
        check(&[("", "a  \n")], "a", true);
        check(&[("", "a\\ \n")], "a ", true);
        check(&[("", "a\\ \n")], "a", false);
        check(&[("", "a\r")], "a", true);
        check(&[("", "[z-a]\n*.tmp\n")], "a.tmp", true);
        check(&[("", "/\n*.tmp\n")], "a.tmp", true);
        check(&[("", "*.tar.gz\n")], "a.gz", false);
        check(&[("", "*.\n")], "a.", true);
        check(&[("", "\u{444}.txt\n")], "\u{444}.txt", true);
    }

    #[test]
    fn the_later_of_two_files_in_a_directory_wins() {
        check(&[("", "*.o\n"), ("", "!a.o\n")], "a.o", false);
        check(&[("", "!a.o\n"), ("", "*.o\n")], "a.o", true);
    }

    #[test]
    fn rules_from_elsewhere_are_weaker_and_say_so() {
        let outer = IgnoreRules::default().with_outer_file(b"app/", b"/app/x\n*.log\ny\n").unwrap();
        let both = outer.with_file(0, b"!y\nz\n").unwrap();
        let by = |path: &str| both.ignored_by(path.as_bytes(), false);
        assert_eq!(by("x"), Some(IgnoredBy::Elsewhere));
        assert_eq!(by("app/x"), None);
        assert_eq!(by("a.log"), Some(IgnoredBy::Elsewhere));
        assert_eq!(by("y"), None);
        assert_eq!(by("z"), Some(IgnoredBy::WorkingCopy));
    }

    #[test]
    fn past_a_limit_a_file_is_refused_and_never_used_in_part() {
        let parse = |text: &str| IgnoreRules::default().with_file(0, text.as_bytes()).err();
        assert_eq!(parse(&"{".repeat(100_000)), None);
        assert_eq!(parse(&"a?[bc]*d\n".repeat(8_000)), None);
        let many = parse(&"a?[bc]*d\n".repeat(WILDCARD_LINES_MAX + 1));
        assert_eq!(many, Some(IgnoreFileError::TooManyWildcardLines));
        let stars = parse(&format!("x\n{}\n", "*a".repeat(STARS_MAX + 1)));
        assert_eq!(stars, Some(IgnoreFileError::TooManyStars { line: 2 }));
        let double = parse(&"**/a/".repeat(DOUBLE_STARS_MAX + 1));
        assert_eq!(double, Some(IgnoreFileError::TooManyStars { line: 1 }));
        assert_eq!(parse(&"\\*".repeat(STARS_MAX + 1)), None);
        let large = parse(&"x\n".repeat(IGNORE_FILE_BYTES_MAX));
        assert_eq!(large, Some(IgnoreFileError::TooLarge));
        let unknown = rules(&[("", "!a\n")]).unknown(0);
        assert_eq!(unknown.ignored_by(b"a", false), Some(IgnoredBy::Elsewhere));
        assert_ne!(unknown.id(), rules(&[("", "!a\n")]).id());
    }

    #[test]
    fn a_hostile_line_takes_no_time() {
        let text = format!("{}b\n", "*a".repeat(STARS_MAX - 1)).repeat(1_000);
        let rules = IgnoreRules::default().with_file(0, text.as_bytes()).unwrap();
        let name = "a".repeat(255);
        assert_eq!(rules.ignored_by(name.as_bytes(), false), None);
    }
}
