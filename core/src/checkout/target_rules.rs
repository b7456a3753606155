//! What the tree that a working copy is to become ignores.

use std::collections::HashMap;

use crate::chunk::{ReadContentError, read_content};
use crate::id::TreeId;
use crate::ignore_rules::{IGNORE_FILE_BYTES_MAX, IGNORE_FILES, IgnoreRules};
use crate::object::ObjectSource;
use crate::path::split;
use crate::store::StoreError;
use crate::tree::{Kind, find};

/// The ignore rules of a tree, read where they are asked for.
pub(super) struct TargetRules<'s> {
    tree: TreeId,
    source: &'s dyn ObjectSource,
    /// The rules for the entries of directories, by their paths; `None` where the directory is ignored.
    known: HashMap<Vec<u8>, Option<IgnoreRules>>,
}

impl<'s> TargetRules<'s> {
    pub(super) fn new(tree: TreeId, source: &'s dyn ObjectSource) -> Self {
        Self { tree, source, known: HashMap::new() }
    }

    /// Whether the file at `path` is ignored, or a directory above it.
    pub(super) fn ignore(&mut self, path: &[u8]) -> Result<bool, StoreError> {
        let rules = self.below(split(path).0)?;
        Ok(rules.is_none_or(|rules| rules.ignored_by(path, false).is_some()))
    }

    /// The rules for the entries of a directory. It goes down from the root in a loop: a tree may be
    /// deep.
    fn below(&mut self, directory: &[u8]) -> Result<Option<IgnoreRules>, StoreError> {
        let slashes = directory.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let ends = slashes.map(|(slash, _)| slash).chain([directory.len()]);
        let mut rules = self.with_files_of(&[], IgnoreRules::default())?;
        for end in ends.filter(|end| *end > 0) {
            let Some(above) = rules else { return Ok(None) };
            let path = &directory[..end];
            rules = match above.ignored_by(path, true) {
                Some(_) => None,
                None => self.with_files_of(path, above)?,
            };
        }
        Ok(rules)
    }

    fn with_files_of(
        &mut self,
        directory: &[u8],
        above: IgnoreRules,
    ) -> Result<Option<IgnoreRules>, StoreError> {
        if let Some(known) = self.known.get(directory) {
            return Ok(known.clone());
        }
        let mut rules = above;
        let prefix_bytes = if directory.is_empty() { 0 } else { directory.len() + 1 };
        for name in IGNORE_FILES {
            if let Some(text) = self.text(directory, name)? {
                // Rules past a limit are unknown: nothing is deleted that they may ignore.
                let with = rules.with_file(prefix_bytes, &text);
                rules = with.unwrap_or_else(|_| rules.unknown(prefix_bytes));
            }
        }
        self.known.insert(directory.to_vec(), Some(rules.clone()));
        Ok(Some(rules))
    }

    fn text(&self, directory: &[u8], name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let parts = directory.split(|&byte| byte == b'/').filter(|part| !part.is_empty());
        let parts: Vec<&[u8]> = parts.chain([name.as_bytes()]).collect();
        let is_file = |kind| matches!(kind, Kind::File | Kind::Executable);
        let item = find(&self.tree, &parts, self.source)?.filter(|item| is_file(item.kind));
        let Some(item) = item else { return Ok(None) };
        if item.bytes > IGNORE_FILE_BYTES_MAX as u64 {
            // Past the limit, whatever it says.
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
