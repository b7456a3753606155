//! Which files two trees have differently: the list that a patch is made from.
//!
//! Files and links are compared by path. Content is not read: equal ids mean equal content. What was
//! renamed is found by [`renames`](crate::compare::renames). A directory has no content of its own.
//! Only an empty one is listed, apart from the files, since a patch cannot say it.

use rayon::prelude::*;

use crate::compare::diff::{Difference, diff_directory};
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::{Item, Kind};
use crate::object::path::join;
use crate::object::source::ObjectSource;
use crate::object::state_name::is_state_name;
use crate::object::tree::{Entry, check_depth, empty_directory};

/// A file or link of one tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its path.
    pub path: Vec<u8>,
    /// Its kind, id and size.
    pub item: Item,
}

impl Version {
    /// Returns the mode that git gives such a file.
    pub fn mode(&self) -> &'static str {
        match self.item.kind {
            Kind::File => "100644",
            Kind::Executable => "100755",
            Kind::Symlink => "120000",
            Kind::Directory => "040000",
        }
    }

    /// Returns whether it is a file, and not a link.
    pub fn is_file(&self) -> bool {
        matches!(self.item.kind, Kind::File | Kind::Executable)
    }
}

/// How a file differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Only the new tree has it.
    Added(Version),
    /// Only the old tree has it.
    Deleted(Version),
    /// Both trees have it at the same path, with another content or mode.
    Modified {
        /// As it was.
        old: Version,
        /// As it is.
        new: Version,
    },
    /// A file became a link, or a link a file.
    Retyped {
        /// As it was.
        old: Version,
        /// As it is.
        new: Version,
    },
    /// It has another path, and may have changed on the way.
    Renamed {
        /// As it was.
        old: Version,
        /// As it is.
        new: Version,
        /// How much of its content is the same, in percent.
        similarity: u8,
    },
}

impl Change {
    /// Returns the file in the old tree.
    pub fn old_version(&self) -> Option<&Version> {
        match self {
            Self::Added(_) => None,
            Self::Deleted(old)
            | Self::Modified { old, .. }
            | Self::Retyped { old, .. }
            | Self::Renamed { old, .. } => Some(old),
        }
    }

    /// Returns the file in the new tree.
    pub fn new_version(&self) -> Option<&Version> {
        match self {
            Self::Deleted(_) => None,
            Self::Added(new)
            | Self::Modified { new, .. }
            | Self::Retyped { new, .. }
            | Self::Renamed { new, .. } => Some(new),
        }
    }

    /// Returns the path by which the change is known: the new one, or that of a deleted file.
    pub fn path(&self) -> &[u8] {
        match self {
            Self::Deleted(version) | Self::Added(version) => &version.path,
            Self::Modified { new, .. } | Self::Retyped { new, .. } | Self::Renamed { new, .. } => {
                &new.path
            }
        }
    }

    /// Returns whether both sides have the same bytes, so that there are no lines to compare.
    pub fn keeps_content(&self) -> bool {
        match (self.old_version(), self.new_version()) {
            (Some(old), Some(new)) => old.item.id == new.item.id && old.is_file() == new.is_file(),
            _ => false,
        }
    }
}

/// An empty folder that only one tree has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EmptyFolder {
    /// Its path.
    pub path: Vec<u8>,
    /// Whether the new tree has it, and not the old one.
    pub is_added: bool,
}

/// How two trees differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files and links, sorted by [`Change::path`].
    pub files: Vec<Change>,
    /// Empty folders, sorted. A folder that was empty and is not any more is told by its files.
    pub folders: Vec<EmptyFolder>,
}

/// The paths to compare, each with everything below. Without any, the whole trees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope(Vec<Vec<u8>>);

impl Scope {
    /// Returns the scope of these paths. The empty path is the root.
    pub fn of(paths: Vec<Vec<u8>>) -> Self {
        if paths.iter().any(Vec::is_empty) { Self::default() } else { Self(paths) }
    }

    /// Returns whether `path` is one of the paths, or below one.
    pub fn has(&self, path: &[u8]) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| is_within(path, wanted))
    }

    /// Returns whether anything at or below `path` may be in the scope.
    fn may_have(&self, path: &[u8]) -> bool {
        self.has(path) || self.0.iter().any(|wanted| is_within(wanted, path))
    }
}

fn is_within(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

/// Returns what differs between two trees, without renames: a renamed file is deleted and added.
///
/// The list can be as long as the trees have paths. See [`crate::compare::extent`] for trees that
/// have more paths than fit into memory.
///
/// # Errors
/// If a node cannot be read, or folders are nested too deep.
pub fn changes(
    old: &TreeId,
    new: &TreeId,
    scope: &Scope,
    source: &dyn ObjectSource,
) -> Result<Changes, StoreError> {
    let mut all = Changes::default();
    let mut level = vec![Pair { path: Vec::new(), old: Some(*old), new: Some(*new) }];
    let mut depth = 0;
    // Level by level, so that many threads have work and none has a deep stack.
    while !level.is_empty() {
        let found = level.par_iter().map(|pair| {
            check_depth(pair.old.or(pair.new).as_ref(), depth)?;
            pair.compare(scope, source)
        });
        let found = found.collect::<Result<Vec<_>, StoreError>>()?;
        level.clear();
        for (changes, below) in found {
            all.files.extend(changes.files);
            all.folders.extend(changes.folders);
            level.extend(below);
        }
        depth += 1;
    }
    all.files.sort_unstable_by(|a, b| a.path().cmp(b.path()));
    all.folders.sort_unstable();
    Ok(all)
}

/// The directories at one path. One of them may be missing.
struct Pair {
    path: Vec<u8>,
    old: Option<TreeId>,
    new: Option<TreeId>,
}

impl Pair {
    /// Returns what differs by name, and the directories below that are still to be compared.
    fn compare(
        &self,
        scope: &Scope,
        source: &dyn ObjectSource,
    ) -> Result<(Changes, Vec<Pair>), StoreError> {
        let (mut found, mut below) = (Changes::default(), Vec::new());
        let nodes = diff_directory(self.old.as_ref(), self.new.as_ref(), source)?;
        // Trees of earlier builds may have state folders, which are not content.
        for difference in nodes.differences()?.filter(|found| !is_state_name(found.name)) {
            let path = join(&self.path, difference.name);
            let Difference { old, new, .. } = difference;
            if !scope.may_have(&path) {
                continue;
            }
            let [old_folder, new_folder] =
                [old, new].map(|entry| entry.and_then(|entry| entry.tree_id()));
            if scope.has(&path) {
                found.folders.extend(empty_folder(&path, old_folder, new_folder));
                found.files.extend(change(&path, old, new));
            }
            if old_folder.is_some() || new_folder.is_some() {
                below.push(Pair { path, old: old_folder, new: new_folder });
            }
        }
        Ok((found, below))
    }
}

fn empty_folder(path: &[u8], old: Option<TreeId>, new: Option<TreeId>) -> Option<EmptyFolder> {
    let empty = Some(empty_directory());
    let is_added = new == empty;
    let is_removed = old == empty && new.is_none();
    (is_added || is_removed).then(|| EmptyFolder { path: path.to_owned(), is_added })
}

fn change(path: &[u8], old: Option<Entry<'_>>, new: Option<Entry<'_>>) -> Option<Change> {
    let version = |entry: Option<Entry<'_>>| {
        let item = entry.map(|entry| entry.item()).filter(|item| !item.is_directory())?;
        Some(Version { path: path.to_owned(), item })
    };
    Some(match (version(old), version(new)) {
        (None, None) => return None,
        (None, Some(new)) => Change::Added(new),
        (Some(old), None) => Change::Deleted(old),
        (Some(old), Some(new)) if old.is_file() == new.is_file() => Change::Modified { old, new },
        (Some(old), Some(new)) => Change::Retyped { old, new },
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::object::id::BlobId;
    use crate::object::memory::MemoryObjects;
    use crate::object::tree::write_directory;

    /// Returns a file or link with this content.
    pub(crate) fn version(path: &str, kind: Kind, text: &str) -> Version {
        Version { path: path.into(), item: item(kind, text) }
    }

    fn item(kind: Kind, text: &str) -> Item {
        let id = BlobId::of(text.as_bytes()).0;
        Item { kind, id, bytes: text.len() as u64, files: 1, list: None }
    }

    /// Describes changes by a letter and the path.
    fn told(changes: &Changes) -> String {
        let file = |change: &Change| {
            let letter = match change {
                Change::Added(_) => 'A',
                Change::Deleted(_) => 'D',
                Change::Modified { .. } => 'M',
                Change::Retyped { .. } => 'T',
                Change::Renamed { .. } => 'R',
            };
            format!("{letter} {}", String::from_utf8_lossy(change.path()))
        };
        let folder = |folder: &EmptyFolder| {
            let sign = if folder.is_added { '+' } else { '-' };
            format!("{sign} {}/", String::from_utf8_lossy(&folder.path))
        };
        let all = changes.files.iter().map(file).chain(changes.folders.iter().map(folder));
        all.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn files_links_and_folders_take_each_others_place() {
        let objects = MemoryObjects::default();
        let tree = |entries: &[(&str, Item)]| write_directory(entries, &objects).unwrap();
        let file = item(Kind::File, "x");
        let empty = Item::directory(&tree(&[]));
        let below = Item::directory(&tree(&[("f", file)]));
        let old = tree(&[
            ("a", below),
            ("a.txt", file),
            ("b", file),
            ("c", empty),
            ("d", empty),
            ("e", below),
            ("f", item(Kind::Symlink, "x")),
            ("g", file),
        ]);
        let new = tree(&[
            ("a", file),
            ("a.txt", item(Kind::Executable, "x")),
            ("b", below),
            ("d", below),
            ("e", empty),
            ("f", file),
            ("g", item(Kind::File, "y")),
        ]);
        let found = |scope: &[&str]| {
            let scope = scope.iter().map(|path| path.as_bytes().to_vec()).collect();
            told(&changes(&old.id, &new.id, &Scope::of(scope), &objects).unwrap())
        };
        assert_eq!(
            found(&[]),
            "A a, M a.txt, D a/f, D b, A b/f, A d/f, D e/f, T f, M g, - c/, + e/"
        );
        assert_eq!(found(&["a", "c"]), "A a, D a/f, - c/");
        assert_eq!(found(&["b/f", "g"]), "A b/f, M g");
        assert_eq!(found(&["", "g"]), found(&[]));
        let none = changes(&old.id, &old.id, &Scope::default(), &objects).unwrap();
        assert_eq!(none, Changes::default());
    }
}
