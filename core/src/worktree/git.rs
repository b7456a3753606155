//! The git repository that a folder is in: what it tracks, and what it ignores besides the folder's
//! own ignore files.
//!
//! The repository is only read. Commands of git may run at the same time: git replaces each of its
//! files in one step, so each is read in a consistent state.

mod file;
pub(crate) mod fuzzing;
mod repository;
pub mod settings;
mod tracked;

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::worktree::ignore_rules::{IgnoreFileError, IgnoreRules, RulesId};
use crate::worktree::state_dir::StateDir;

use file::{is_no_file, read_file};
use repository::Repository;
pub use settings::UserSettings;
pub(crate) use tracked::Tracked;

/// What a git repository says about a folder in it.
#[derive(Debug, Default)]
pub struct Git {
    /// Ignore rules from outside of the folder.
    rules: IgnoreRules,
    tracked: Option<Tracked>,
    /// The path from the top of the repository to the folder, with a slash at the end.
    way: Vec<u8>,
    unknown: Vec<UnknownRules>,
    /// Why it is not known what git tracks, if it is not.
    pub(crate) warning: Option<String>,
}

/// An ignore file that cannot be used, or git settings that cannot be read and may name one.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {}, which says what is ignored: {why}", path.display())]
pub struct UnknownRules {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub why: UnknownRulesWhy,
}

/// Why an ignore file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UnknownRulesWhy {
    /// The system's error.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It exceeds a limit.
    #[error(transparent)]
    File(#[from] IgnoreFileError),
}

impl Git {
    /// Finds the repository that the folder `root` is in, and reads what it says. Without a
    /// repository everything is empty.
    pub fn of(root: &Path, user: &UserSettings) -> Self {
        let Some(repository) = Repository::find(root) else { return Self::default() };
        let way = repository.way(root);
        let settings = settings::read(&repository, user);
        let (tracked, warning) = Tracked::of(&repository, &settings, &StateDir::of(root));
        let mut files = OuterFiles::default();
        if let Some(why) = &settings.broken {
            let path = repository.common_dir.join("config");
            files.unknown.push(UnknownRules { path, why: io::Error::other(why.clone()).into() });
        }
        files.add(&[], settings.excludes_file.as_deref());
        files.add(&[], Some(&repository.common_dir.join("info/exclude")));
        for (slash, _) in way.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let start = way[..slash].iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
            let directory = repository.top.join(OsStr::from_bytes(&way[..start]));
            files.add(&way[..start], Some(&directory.join(".gitignore")));
        }
        let is_tracked = tracked.as_ref().is_some_and(|tracked| tracked.has_directory(&way));
        if !is_tracked && files.ignores_folder(&way) {
            // The repository ignores this folder, as a home folder may that ignores all but a few
            // files. So the folder is treated as if it were in no repository, except that what this
            // machine alone ignores is still ignored.
            let mut files = OuterFiles::default();
            let of_the_machine = repository.common_dir.join("info/exclude");
            for path in [settings.excludes_file.as_deref(), Some(of_the_machine.as_path())] {
                let mut file = OuterFiles::default();
                file.add(&[], path);
                if !file.ignores_folder(&way) {
                    files.add(&[], path);
                }
            }
            let rules = files.rules(RulesId::default(), &way);
            return Self { rules, unknown: files.unknown, ..Self::default() };
        }
        let seed = tracked.as_ref().map(Tracked::digest).unwrap_or_default();
        let rules = files.rules(seed, &way);
        Self { rules, tracked, way, unknown: files.unknown, warning }
    }

    /// Returns the ignore files outside of the folder that cannot be used.
    pub fn unknown_rules(&self) -> &[UnknownRules] {
        &self.unknown
    }

    /// Returns the rules from outside of the folder, which are weaker than all of its own.
    pub(crate) fn rules(&self) -> &IgnoreRules {
        &self.rules
    }

    /// Returns whether git tracks the file at `path`, relative to the folder.
    pub fn tracks(&self, path: &[u8]) -> bool {
        let tracked = self.tracked.as_ref();
        tracked.is_some_and(|tracked| tracked.has_file(&[&self.way, path].concat()))
    }

    /// Returns whether git tracks anything below the directory `path`, relative to the folder.
    pub fn tracks_below(&self, path: &[u8]) -> bool {
        let tracked = self.tracked.as_ref();
        tracked.is_some_and(|tracked| tracked.has_directory(&[&self.way, path, b"/"].concat()))
    }

    /// Returns whether rules from outside of the folder, such as this machine's own, ignore the
    /// file at `path` or a folder above it, and git does not track the file.
    pub fn ignores(&self, path: &[u8]) -> bool {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let mut ends = slashes.map(|(slash, _)| slash).chain([path.len()]);
        let is_ignored =
            |end: usize| self.rules.ignored_by(&path[..end], end < path.len()).is_some();
        !self.tracks(path) && ends.any(is_ignored)
    }

    /// Returns whether git omits files from this working tree on purpose (sparse checkout).
    pub(crate) fn is_sparse(&self) -> bool {
        self.tracked.as_ref().is_some_and(Tracked::is_sparse)
    }

    /// Returns whether git omits the file at `path`, relative to the folder, on purpose.
    pub(crate) fn leaves_out(&self, path: &[u8]) -> bool {
        let tracked = self.tracked.as_ref();
        tracked.is_some_and(|tracked| tracked.leaves_out(&[&self.way, path].concat()))
    }
}

/// Ignore files from the weakest to the strongest, each with the path of its directory relative to
/// the top of the repository, with a slash at the end.
#[derive(Default)]
struct OuterFiles {
    files: Vec<(Vec<u8>, PathBuf, Vec<u8>)>,
    unknown: Vec<UnknownRules>,
}

impl OuterFiles {
    fn add(&mut self, directory: &[u8], path: Option<&Path>) {
        let Some(path) = path else { return };
        // As in git, a link is followed for this machine's files, but not for `.gitignore`.
        let follow = path.file_name().is_none_or(|name| name != ".gitignore");
        match read_file(path, follow) {
            Ok(text) => self.files.push((directory.to_vec(), path.to_owned(), text)),
            Err(error) if is_no_file(&error) => {}
            Err(error) => {
                self.unknown.push(UnknownRules { path: path.to_owned(), why: error.into() });
            }
        }
    }

    /// Returns whether the folder at `way`, or one above it, is ignored.
    fn ignores_folder(&self, way: &[u8]) -> bool {
        let slashes = way.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        slashes.into_iter().any(|(slash, _)| {
            let path = &way[..slash];
            let above = |directory: &[u8]| path.starts_with(directory);
            let rules = self.files.iter().filter(|file| above(&file.0));
            let rules = rules.fold(IgnoreRules::default(), |rules, (directory, _, text)| {
                rules.with_file(directory.len(), text).unwrap_or(rules)
            });
            rules.ignored_by(path, true).is_some()
        })
    }

    /// Returns the rules for the folder at `way`.
    fn rules(&mut self, seed: RulesId, way: &[u8]) -> IgnoreRules {
        let mut rules = IgnoreRules::seeded(seed);
        for (directory, path, text) in &self.files {
            match rules.with_outer_file(&way[directory.len()..], text) {
                Ok(stronger) => rules = stronger,
                Err(error) => {
                    self.unknown.push(UnknownRules { path: path.clone(), why: error.into() });
                }
            }
        }
        if self.unknown.is_empty() { rules } else { rules.unknown(0) }
    }
}
