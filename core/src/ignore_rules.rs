//! Which names of a working copy stay out of its tree.
//!
//! Gitignore syntax, from `.gitignore` and `.fastestignore` in every directory. A deeper file wins
//! over a shallower one, and `.fastestignore` over the `.gitignore` beside it. Weakest of all are
//! the built-in rules: the folders of version control systems, which a `!.git` takes in again.
//! [`STATE_DIR`](crate::tree::STATE_DIR) is not a matter of rules: no tree may hold it. Rules of
//! the user's machine (`core.excludesFile`) do not apply: a tree does not depend on who scans it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The names of ignore files, the weaker first.
pub const IGNORE_FILES: [&str; 2] = [".gitignore", ".fastestignore"];
/// What is ignored where no rule says otherwise. Whoever changes this, or how rules are read, gives the
/// stat index a new version: what it says of a directory's names holds for these rules.
pub const BUILT_IN: [&str; 4] = [".git", ".jj", ".hg", ".svn"];

/// Stands for the rules that hold in a directory: the same while all ignore files are that count
/// there. All zero for the built-in rules alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RulesId(pub [u8; 16]);

/// The rules for the entries of one directory.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    nearest: Option<Arc<Level>>,
}

/// The rules that one ignore file adds.
#[derive(Debug)]
struct Level {
    id: RulesId,
    rules: Gitignore,
    /// Length of the path of the file's directory, with its slash, relative to the root.
    prefix_bytes: usize,
    weaker: Option<Arc<Level>>,
}

impl IgnoreRules {
    /// The rules below a directory that has an ignore file of this text, and what could not be
    /// understood of it. `prefix_bytes` is the length of the directory's path relative to the
    /// root, with its slash.
    pub fn with_file(&self, prefix_bytes: usize, text: &[u8]) -> (Self, Vec<String>) {
        let mut builder = GitignoreBuilder::new("");
        let mut problems = Vec::new();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let problem = match str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)) {
                Ok(line) => builder.add_line(None, line).err().map(|error| error.to_string()),
                Err(_) => Some("not UTF-8".to_owned()),
            };
            problems.extend(problem.map(|problem| format!("line {}: {problem}", index + 1)));
        }
        match builder.build() {
            Ok(rules) if rules.is_empty() => (self.clone(), problems),
            Ok(rules) => {
                let id = self.id_with(prefix_bytes, text);
                let level = Level { id, rules, prefix_bytes, weaker: self.nearest.clone() };
                (Self { nearest: Some(Arc::new(level)) }, problems)
            }
            Err(error) => {
                problems.push(error.to_string());
                (self.clone(), problems)
            }
        }
    }

    /// Stands for these rules.
    pub fn id(&self) -> RulesId {
        self.nearest.as_ref().map_or(RulesId::default(), |level| level.id)
    }

    fn id_with(&self, prefix_bytes: usize, text: &[u8]) -> RulesId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.id().0);
        hasher.update(&(prefix_bytes as u64).to_le_bytes());
        hasher.update(text);
        let hash = hasher.finalize();
        RulesId(hash.as_bytes()[..16].try_into().expect("16 of 32 bytes"))
    }

    /// Whether the entry at `path`, relative to the root, is ignored. That its parent is not must
    /// be known already.
    pub fn ignore(&self, path: &[u8], is_directory: bool) -> bool {
        let mut level = self.nearest.as_deref();
        while let Some(Level { rules, prefix_bytes, weaker, .. }) = level {
            let below = Path::new(OsStr::from_bytes(&path[*prefix_bytes..]));
            let matched = rules.matched(below, is_directory);
            if !matched.is_none() {
                return matched.is_ignore();
            }
            level = weaker.as_deref();
        }
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        BUILT_IN.iter().any(|built_in| built_in.as_bytes() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(files: &[(&str, &str)]) -> IgnoreRules {
        files.iter().fold(IgnoreRules::default(), |rules, (directory, text)| {
            let (rules, problems) = rules.with_file(directory.len(), text.as_bytes());
            assert_eq!(problems, [""; 0]);
            rules
        })
    }

    fn check(files: &[(&str, &str)], path: &str, expect: bool) {
        let is_directory = path.ends_with('/');
        let ignored = rules(files).ignore(path.trim_end_matches('/').as_bytes(), is_directory);
        assert_eq!(ignored, expect, "{path} under {files:?}");
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
        check(&[("", "*.o\n"), ("src/", "!*.o\n")], "src/a.o", false);
        check(&[("", "\u{feff}*.o\r\n")], "a.o", true);
        check(&[("", "# a\n\n\\#b\n")], "#b", true);
    }

    #[test]
    fn the_later_of_two_files_in_a_directory_wins() {
        check(&[("", "*.o\n"), ("", "!a.o\n")], "a.o", false);
        check(&[("", "!a.o\n"), ("", "*.o\n")], "a.o", true);
    }

    #[test]
    fn version_control_folders_are_ignored_unless_taken_in() {
        for name in [".git/", "sub/.jj/", ".hg/", ".svn/", ".git"] {
            check(&[], name, true);
        }
        check(&[], ".github/", false);
        check(&[("", "!.git\n")], ".git/", false);
        check(&[("", "!.git\n")], "sub/.git/", false);
    }

    #[test]
    fn lines_that_cannot_be_read_are_named_and_the_rest_holds() {
        let (rules, problems) =
            IgnoreRules::default().with_file(0, b"*.o\n\xff\xfe\n[z-a]\n*.tmp\n");
        assert!(rules.ignore(b"a.o", false) && rules.ignore(b"a.tmp", false));
        assert!(problems[0].starts_with("line 2:"), "{problems:?}");
        assert!(problems.iter().any(|problem| problem.starts_with("line 3:")), "{problems:?}");
    }
}
