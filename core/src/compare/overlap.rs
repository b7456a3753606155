//! What two trees changed since they parted: where their changes meet, and where they conflict.
//!
//! The question is that of a merge: a path counts only if the two trees differ there. A change that both made
//! in the same way counts for neither, so it does not matter which of several merge bases the two are compared
//! with. Only files and links have paths here; an empty folder counts for [`Overlap::is_same`] alone.
//!
//! What conflicts is decided by [`merge`](crate::compare::merge), so that a comparison and a pull never
//! disagree. It is asked only about the files that both changed, and about whole trees where it may decide by
//! more than a file's three versions: if a tree lists conflicts, one side has a file where the other has a
//! folder, or a file may have been renamed.

mod edits;
mod meeting;

use std::collections::HashMap;
use std::sync::Mutex;

use crate::compare::merge::{Names, Sides, Three, conflicts, file_conflicts};
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::Item;
use crate::object::name::IGNORE_FILES;
use crate::object::source::ObjectSource;

pub use edits::{Edit, EditCounts, Edits};
use meeting::{Contested, Meeting, meet};

/// What two trees changed since they parted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overlap {
    /// What ours changed, except for what theirs changed in the same way.
    pub ours: EditCounts,
    /// What theirs changed, except for what ours changed in the same way.
    pub theirs: EditCounts,
    /// Paths that both changed, differently; sorted.
    pub paths: Vec<Vec<u8>>,
    /// Those at which a merge would find a conflict, sorted.
    pub conflicting: Vec<Vec<u8>>,
    /// Those in `conflicting` whose contents could not be read, so that nobody knows.
    pub unread: Vec<Vec<u8>>,
    /// Whether the two trees have the same files and folders.
    pub is_same: bool,
}

/// Compares two trees with the tree that they started from; `None` if they have no common history.
///
/// # Errors
/// If a node cannot be read, or folders are nested too deep.
pub fn overlap(
    base: Option<&TreeId>,
    ours: &TreeId,
    theirs: &TreeId,
    source: &dyn ObjectSource,
) -> Result<Overlap, StoreError> {
    let [ours, theirs] = match base {
        Some(base) => [Edits::since(base, ours, source)?, Edits::since(base, theirs, source)?],
        None => Edits::of_unrelated(ours, theirs, source)?,
    };
    Judge::new(source).overlap(&ours, &theirs)
}

/// Compares many pairs of trees, and remembers each decision about a file. May be used by many threads.
pub struct Judge<'a> {
    source: &'a dyn ObjectSource,
    known: Mutex<HashMap<Case, bool>>,
}

/// What the decision about a file depends on.
#[derive(PartialEq, Eq, Hash)]
struct Case {
    is_ignore_file: bool,
    three: Three<Item>,
}

impl<'a> Judge<'a> {
    /// Returns a judge that reads trees and contents from `source`.
    pub fn new(source: &'a dyn ObjectSource) -> Self {
        Self { source, known: Mutex::default() }
    }

    /// Compares what two sides changed since the same base. A content that cannot be read counts as a
    /// conflict.
    ///
    /// # Errors
    /// If a node of a tree cannot be read.
    pub fn overlap(&self, ours: &Edits, theirs: &Edits) -> Result<Overlap, StoreError> {
        let Meeting { ours: of_ours, theirs: of_theirs, files, is_same, may_be_renamed } =
            meet(ours, theirs);
        let mut overlap = Overlap {
            ours: of_ours,
            theirs: of_theirs,
            paths: files.iter().map(|file| file.path.to_owned()).collect(),
            is_same,
            ..Overlap::default()
        };
        let is_about_trees = ours.lists_conflicts()
            || theirs.lists_conflicts()
            || ours.puts_a_file_on_a_folder_of(theirs)
            || theirs.puts_a_file_on_a_folder_of(ours)
            || may_be_renamed;
        if is_about_trees {
            self.judge_trees(ours, theirs, &mut overlap)?;
        } else {
            self.judge_files(&files, &mut overlap);
        }
        Ok(overlap)
    }

    /// Asks the merge about each file.
    fn judge_files(&self, files: &[Contested<'_>], overlap: &mut Overlap) {
        for Contested { path, three } in files {
            let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
            let conflicts = self.file(name, three);
            if !matches!(conflicts, Ok(false)) {
                overlap.conflicting.push(path.to_vec());
            }
            if conflicts.is_err() {
                overlap.unread.push(path.to_vec());
            }
        }
    }

    fn file(&self, name: &[u8], three: &Three<Item>) -> Result<bool, StoreError> {
        let is_ignore_file = IGNORE_FILES.iter().any(|file| file.as_bytes() == name);
        let case = Case { is_ignore_file, three: *three };
        if let Some(known) = self.known.lock().expect("no holder panics").get(&case) {
            return Ok(*known);
        }
        // Not under the lock: two threads may find the same, and each reads files meanwhile.
        let conflicts = file_conflicts(name, three, self.source)?;
        self.known.lock().expect("no holder panics").insert(case, conflicts);
        Ok(conflicts)
    }

    /// Asks the merge about the whole trees.
    fn judge_trees(
        &self,
        ours: &Edits,
        theirs: &Edits,
        overlap: &mut Overlap,
    ) -> Result<(), StoreError> {
        let names = Names { ours: "ours", theirs: "theirs", label: "theirs" };
        let (base, ours, theirs) = (ours.base(), ours.tree(), theirs.tree());
        match conflicts(&Sides { base, ours, theirs, names }, self.source) {
            Ok(found) => {
                overlap.conflicting.extend(found.into_iter().map(|conflict| conflict.path));
            }
            // The nodes are there, since the edits were found. Which file is missing is not known.
            Err(StoreError::Missing { .. }) => {
                overlap.conflicting.clone_from(&overlap.paths);
                overlap.unread.clone_from(&overlap.paths);
            }
            Err(error) => return Err(error),
        }
        // A file on a folder is a conflict of paths that only one side changed.
        overlap.paths.extend(overlap.conflicting.iter().cloned());
        for paths in [&mut overlap.paths, &mut overlap.conflicting] {
            paths.sort_unstable();
            paths.dedup();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::id::BlobId;
    use crate::object::item::Kind;
    use crate::object::kind::ObjectKind;
    use crate::object::memory::MemoryObjects;
    use crate::object::source::ObjectSink;
    use crate::object::tree::write_directory;

    /// A tree from `name=line,line` words.
    fn tree(words: &str, objects: &MemoryObjects) -> TreeId {
        let mut entries: Vec<(&str, Item)> = words
            .split_whitespace()
            .map(|word| {
                let (name, text) = word.split_once('=').unwrap();
                let text = text.replace(',', "\n") + "\n";
                let id = BlobId::of(text.as_bytes());
                objects.put(ObjectKind::Blob, id.into(), text.as_bytes()).unwrap();
                let bytes = text.len() as u64;
                (name, Item { kind: Kind::File, id: id.0, bytes, files: 1, list: None })
            })
            .collect();
        entries.sort_by(|a, b| a.0.cmp(b.0));
        write_directory(&entries, objects).unwrap().id
    }

    /// Compares in both directions. The result is told as `ours+theirs`, then the overlap, with `!` before
    /// what conflicts.
    #[track_caller]
    fn check(base: Option<&str>, ours: &str, theirs: &str, expect: &str) {
        let objects = MemoryObjects::default();
        let base = base.map(|words| tree(words, &objects));
        let [ours, theirs] = [ours, theirs].map(|words| tree(words, &objects));
        let found = overlap(base.as_ref(), &ours, &theirs, &objects).unwrap();
        let mut told = format!("{}+{}", found.ours.total(), found.theirs.total());
        for path in &found.paths {
            let mark = if found.conflicting.contains(path) { "!" } else { "" };
            told.push_str(&format!(" {mark}{}", String::from_utf8_lossy(path)));
        }
        assert_eq!(told, expect);
        assert_eq!(found.is_same, ours == theirs);
        let mirrored = overlap(base.as_ref(), &theirs, &ours, &objects).unwrap();
        assert_eq!((mirrored.ours, mirrored.theirs), (found.theirs, found.ours));
        assert_eq!((mirrored.paths, mirrored.conflicting), (found.paths, found.conflicting));
    }

    #[test]
    fn changes_meet_where_the_trees_differ() {
        check(Some("a=1 b=1"), "a=1 b=1", "a=1 b=1", "0+0");
        check(Some("a=1 b=1"), "a=2 b=1", "a=1 b=2 c=1", "1+2");
        check(Some("a=1"), "a=2 b=1", "a=2", "1+0");
        check(Some("a=1"), "", "", "0+0");
        check(Some("a=1"), "", "a=2", "1+1 !a");
        check(Some("a=1"), "a=2", "a=3", "1+1 !a");
        check(Some("a=1,2,3,4,5 b=1"), "a=0,2,3,4,5 b=2", "a=1,2,3,4,6 b=3", "2+2 a !b");
        check(Some(".gitignore=x"), ".gitignore=y", ".gitignore=z", "1+1 .gitignore");
        check(None, "a=1 b=1", "a=1 c=1", "1+1");
        check(None, "a=1 b=1", "a=2", "2+1 !a");
        check(None, "", "", "0+0");
    }
}
