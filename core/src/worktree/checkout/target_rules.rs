//! Whether a file that a new tree lacks was deleted there, or is only ignored now.

use std::collections::HashMap;

use crate::object::chunk::{ReadContentError, read_content};
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::Kind;
use crate::object::name::IGNORE_FILES;
use crate::object::source::ObjectSource;
use crate::object::tree::find;
use crate::worktree::ignore_rules::{IGNORE_FILE_BYTES_MAX, IgnoreRules};

/// The ignore rules of two trees, one of which replaces the other.
pub(super) struct TargetRules<'s> {
    old: TreeRules<'s>,
    new: TreeRules<'s>,
}

impl<'s> TargetRules<'s> {
    pub(super) fn new(old: Option<TreeId>, new: TreeId, source: &'s dyn ObjectSource) -> Self {
        let of = |tree| TreeRules { tree, source, known: HashMap::new() };
        Self { old: of(old), new: of(Some(new)) }
    }

    /// Returns whether somebody only stopped syncing the file at `path`, which the new tree lacks:
    /// the new tree's rules ignore it, and the old tree's rules do not, or do so by another line.
    /// If this very line ignored the file before, and it was content nevertheless, then it was
    /// deleted.
    pub(super) fn stopped_syncing(&mut self, path: &[u8]) -> Result<bool, StoreError> {
        let Some(end) = self.new.ignored_at(path)? else { return Ok(false) };
        if self.old.ignored_at(path)?.is_none() {
            return Ok(true);
        }
        let (ignored, is_directory) = (&path[..end], end < path.len());
        let (old, new) = (self.old.above(ignored)?, self.new.above(ignored)?);
        Ok(new.newly_ignores(&old, ignored, is_directory))
    }
}

impl TargetRules<'_> {
    /// Returns whether the new tree's rules ignore the file at `path`.
    pub(super) fn ignores(&mut self, path: &[u8]) -> Result<bool, StoreError> {
        Ok(self.new.ignored_at(path)?.is_some())
    }
}

/// The ignore rules of a tree, read when they are needed.
struct TreeRules<'s> {
    /// `None` for no tree, which has no rules.
    tree: Option<TreeId>,
    source: &'s dyn ObjectSource,
    /// The rules for the entries of directories, by their paths with a slash at the end.
    known: HashMap<Vec<u8>, IgnoreRules>,
}

impl TreeRules<'_> {
    /// Returns the length of the shortest part of `path` that is ignored: a directory above the
    /// file, or the file itself.
    fn ignored_at(&mut self, path: &[u8]) -> Result<Option<usize>, StoreError> {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for end in slashes.map(|(slash, _)| slash).chain([path.len()]) {
            let is_directory = end < path.len();
            if self.above(&path[..end])?.ignored_by(&path[..end], is_directory).is_some() {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// Returns the rules for the entry at `path`: those of all directories above it. Not recursive,
    /// because a tree may be deep.
    fn above(&mut self, path: &[u8]) -> Result<IgnoreRules, StoreError> {
        let mut rules = IgnoreRules::default();
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for end in std::iter::once(0).chain(slashes.map(|(slash, _)| slash + 1)) {
            let directory = &path[..end];
            rules = match self.known.get(directory) {
                Some(known) => known.clone(),
                None => self.with_files_of(directory, rules)?,
            };
        }
        Ok(rules)
    }

    fn with_files_of(
        &mut self,
        directory: &[u8],
        above: IgnoreRules,
    ) -> Result<IgnoreRules, StoreError> {
        let mut rules = above;
        for name in IGNORE_FILES {
            if let Some(text) = self.text(directory, name)? {
                // Rules that exceed a limit are unknown: nothing is deleted that they may ignore.
                let with = rules.with_file(directory.len(), &text);
                rules = with.unwrap_or_else(|_| rules.unknown(directory.len()));
            }
        }
        self.known.insert(directory.to_vec(), rules.clone());
        Ok(rules)
    }

    fn text(&self, directory: &[u8], name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(tree) = &self.tree else { return Ok(None) };
        let parts = directory.split(|&byte| byte == b'/').filter(|part| !part.is_empty());
        let parts: Vec<&[u8]> = parts.chain([name.as_bytes()]).collect();
        let is_file = |kind| matches!(kind, Kind::File | Kind::Executable);
        let item = find(tree, &parts, self.source)?.filter(|item| is_file(item.kind));
        let Some(item) = item else { return Ok(None) };
        if item.bytes > IGNORE_FILE_BYTES_MAX as u64 {
            // Stands for any text that exceeds the limit.
            return Ok(Some(vec![b'#'; IGNORE_FILE_BYTES_MAX + 1]));
        }
        let mut text = Vec::new();
        match read_content(&item, self.source, &mut text) {
            Ok(()) => Ok(Some(text)),
            Err(ReadContentError::Store(error)) => Err(error),
            Err(ReadContentError::Write(_)) => unreachable!("memory takes what is written"),
        }
    }
}
