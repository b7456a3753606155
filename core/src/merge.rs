//! Merging trees three ways, file by file.
//!
//! A file that one side changed is taken from that side. Where both sides changed it, neither is
//! lost: ours stays under its name, theirs is put beside it under a name of its own, and the
//! conflict is reported. The text of files is not looked at.

use std::collections::BTreeSet;

use crate::cut::cut_between_letters;
use crate::diff::same_item;
use crate::drift::check_depth;
use crate::id::TreeId;
use crate::object::{ObjectSink, ObjectSource};
use crate::store::StoreError;
use crate::tree::{Item, Kind, NAME_BYTES_MAX, Root, read_directory, write_directory};

/// A path that both sides changed, each in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The path, its components joined by `/`.
    pub path: Vec<u8>,
    /// What happened.
    pub kind: ConflictKind,
}

/// How two changes of one path do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictKind {
    /// Both changed or added it: ours stands under the path, theirs under this path beside it.
    BothChanged {
        /// Where theirs was put.
        theirs_path: Vec<u8>,
    },
    /// We changed what they deleted: ours stands.
    DeletedByThem,
    /// They changed what we deleted: theirs stands.
    DeletedByUs,
}

/// A merged tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The tree with both sides' changes.
    pub root: Root,
    /// What the user should look at, sorted by path.
    pub conflicts: Vec<Conflict>,
}

/// The three trees of a merge.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The tree that both sides began with; `None` where they have no common past.
    pub base: Option<&'a TreeId>,
    /// The tree that keeps its names.
    pub ours: &'a TreeId,
    /// The tree that is brought in.
    pub theirs: &'a TreeId,
    /// Marks the names of their side's files in conflicts; letters, digits and `-` only.
    pub label: &'a str,
}

/// Merges, giving the new tree's nodes to `sink`; it adds no content.
pub fn merge(
    sides: &Sides<'_>,
    source: &dyn ObjectSource,
    sink: &dyn ObjectSink,
) -> Result<Merged, StoreError> {
    let mut merge = Merge { source, sink, label: sides.label, conflicts: Vec::new() };
    let three =
        Three { base: sides.base.copied(), ours: Some(*sides.ours), theirs: Some(*sides.theirs) };
    let root = merge.directory(three, &mut Vec::new(), 0)?;
    let mut conflicts = merge.conflicts;
    conflicts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Merged { root, conflicts })
}

/// The same thing on each of the three sides.
#[derive(Debug, Clone, Copy)]
struct Three<T> {
    base: Option<T>,
    ours: Option<T>,
    theirs: Option<T>,
}

struct Merge<'a> {
    source: &'a dyn ObjectSource,
    sink: &'a dyn ObjectSink,
    label: &'a str,
    conflicts: Vec<Conflict>,
}

type Entries = Vec<(Vec<u8>, Item)>;

impl Merge<'_> {
    fn directory(
        &mut self,
        ids: Three<TreeId>,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<Root, StoreError> {
        check_depth(ids.ours.or(ids.theirs).as_ref(), depth)?;
        let read =
            |id: Option<TreeId>| id.map_or(Ok(Vec::new()), |id| read_directory(&id, self.source));
        let (base, ours, theirs) = (read(ids.base)?, read(ids.ours)?, read(ids.theirs)?);
        let names: BTreeSet<Vec<u8>> =
            [&base, &ours, &theirs].into_iter().flatten().map(|(name, _)| name.clone()).collect();
        let mut taken = names.clone();
        let mut merged = Vec::with_capacity(names.len());
        for name in names {
            let three = Three {
                base: item_of(&base, &name),
                ours: item_of(&ours, &name),
                theirs: item_of(&theirs, &name),
            };
            let length = path.len();
            path.extend_from_slice(&name);
            self.entry(name, three, path, depth, &mut taken, &mut merged)?;
            path.truncate(length);
        }
        merged.sort_by(|a, b| a.0.cmp(&b.0));
        write_directory(&merged, self.sink)
    }

    /// Adds to `merged` what stands under `name` after the merge.
    fn entry(
        &mut self,
        name: Vec<u8>,
        three: Three<Item>,
        path: &mut Vec<u8>,
        depth: usize,
        taken: &mut BTreeSet<Vec<u8>>,
        merged: &mut Entries,
    ) -> Result<(), StoreError> {
        let Three { base, ours, theirs } = three;
        let same = |a: &Option<Item>, b: &Option<Item>| same_item(a.as_ref(), b.as_ref());
        let kept = if same(&ours, &theirs) || same(&base, &theirs) {
            ours
        } else if same(&base, &ours) {
            theirs
        } else if let Some(directories) = as_directories(&three) {
            self.merged_directory(directories, path, depth)?
        } else {
            self.both_changed(&name, three, path, taken, merged)
        };
        merged.extend(kept.map(|item| (name, item)));
        Ok(())
    }

    fn merged_directory(
        &mut self,
        ids: Three<TreeId>,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<Option<Item>, StoreError> {
        path.push(b'/');
        let root = self.directory(ids, path, depth + 1)?;
        path.pop();
        let one_side_deleted = ids.ours.is_none() || ids.theirs.is_none();
        let gone = one_side_deleted && root.id == crate::drift::empty_directory();
        Ok((!gone).then(|| Item::directory(&root)))
    }

    /// What stands under a name that both sides changed, not both to directories.
    fn both_changed(
        &mut self,
        name: &[u8],
        three: Three<Item>,
        path: &[u8],
        taken: &mut BTreeSet<Vec<u8>>,
        merged: &mut Entries,
    ) -> Option<Item> {
        let (ours, theirs) = match (three.ours, three.theirs) {
            (Some(ours), Some(theirs)) => (ours, theirs),
            (ours, theirs) => {
                let deleted_by_them = ours.is_some();
                let kind = match deleted_by_them {
                    true => ConflictKind::DeletedByThem,
                    false => ConflictKind::DeletedByUs,
                };
                self.conflicts.push(Conflict { path: path.to_vec(), kind });
                return ours.or(theirs);
            }
        };
        if let Some(both) = content_and_mode(three.base.as_ref(), &ours, &theirs) {
            return Some(both);
        }
        let aside = name_aside(name, self.label, taken);
        let parent = &path[..path.len() - name.len()];
        let theirs_path = [parent, &aside].concat();
        let kind = ConflictKind::BothChanged { theirs_path };
        self.conflicts.push(Conflict { path: path.to_vec(), kind });
        taken.insert(aside.clone());
        merged.push((aside, theirs));
        Some(ours)
    }
}

fn item_of(entries: &Entries, name: &[u8]) -> Option<Item> {
    let found = entries.binary_search_by(|(entry, _)| entry.as_slice().cmp(name));
    found.ok().map(|index| entries[index].1)
}

/// The sides as directories, where a merge of directories is what both changes ask for: each side
/// is one, or deleted one.
fn as_directories(three: &Three<Item>) -> Option<Three<TreeId>> {
    let base = three.base.as_ref().and_then(Item::tree_id);
    let side = |item: &Option<Item>| match item {
        Some(item) => item.tree_id().map(Some),
        None => base.is_some().then_some(None),
    };
    Some(Three { base, ours: side(&three.ours)?, theirs: side(&three.theirs)? })
}

/// One side changed a file's content and the other its executable bit: both are wanted.
fn content_and_mode(base: Option<&Item>, ours: &Item, theirs: &Item) -> Option<Item> {
    let is_file = |item: &Item| matches!(item.kind, Kind::File | Kind::Executable);
    let base = base.filter(|base| is_file(base) && is_file(ours) && is_file(theirs))?;
    let content = match (base.id == ours.id, base.id == theirs.id) {
        (true, _) => theirs,
        (_, true) => ours,
        _ if ours.id == theirs.id => ours,
        _ => return None,
    };
    let kind = if base.kind == ours.kind { theirs.kind } else { ours.kind };
    Some(Item { kind, ..*content })
}

/// A free name for the other side of a conflict: `name.conflict-label.ending`.
fn name_aside(name: &[u8], label: &str, taken: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    let dot = name.iter().rposition(|&byte| byte == b'.').filter(|&at| at > 0);
    let (stem, ending) = name.split_at(dot.unwrap_or(name.len()));
    (1..)
        .map(|number| {
            let mark = match number {
                1 => format!(".conflict-{label}"),
                number => format!(".conflict-{label}-{number}"),
            };
            let ending = if ending.len() + mark.len() < NAME_BYTES_MAX / 2 { ending } else { b"" };
            let room = NAME_BYTES_MAX - mark.len() - ending.len();
            [cut_between_letters(stem, room), mark.as_bytes(), ending].concat()
        })
        .find(|aside| !taken.contains(aside))
        .expect("numbers do not end before free names are found")
}

/// The name beside which a name was put, if it may be one of those: see [`name_aside`]. A long one was
/// cut, and is not known any more.
pub(crate) fn original_of(name: &[u8]) -> Option<Vec<u8>> {
    const MARK: &[u8] = b".conflict-";
    let at = name.windows(MARK.len()).rposition(|part| part == MARK)?;
    let rest = &name[at + MARK.len()..];
    let ending = rest.iter().position(|&byte| byte == b'.').map_or(&[][..], |dot| &rest[dot..]);
    Some([&name[..at], ending].concat())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::id::BlobId;
    use crate::object::MemoryObjects;

    /// A tree from `path=content` words; an executable has `*` before its path.
    fn tree(words: &str, objects: &MemoryObjects) -> TreeId {
        #[derive(Default)]
        struct Directory(BTreeMap<Vec<u8>, Item>, BTreeMap<Vec<u8>, Directory>);
        fn write(directory: Directory, objects: &MemoryObjects) -> Root {
            let mut entries = directory.0;
            for (name, below) in directory.1 {
                entries.insert(name, Item::directory(&write(below, objects)));
            }
            write_directory(&entries.into_iter().collect::<Vec<_>>(), objects).unwrap()
        }
        let mut root = Directory::default();
        for word in words.split_whitespace() {
            let (path, content) = word.split_once('=').unwrap();
            let executable = path.starts_with('*');
            let mut parts: Vec<&str> = path.trim_start_matches('*').split('/').collect();
            let name = parts.pop().unwrap();
            let parent = parts
                .into_iter()
                .fold(&mut root, |directory, part| directory.1.entry(part.into()).or_default());
            let kind = if executable { Kind::Executable } else { Kind::File };
            let id = BlobId::of(content.as_bytes()).0;
            let item = Item { kind, id, bytes: content.len() as u64, files: 1, list: None };
            parent.0.insert(name.into(), item);
        }
        write(root, objects).id
    }

    fn check(base: &str, ours: &str, theirs: &str, expect: &str, conflicts: &[&str]) {
        let objects = MemoryObjects::default();
        let [base, ours, theirs] = [base, ours, theirs].map(|words| tree(words, &objects));
        let sides = Sides { base: Some(&base), ours: &ours, theirs: &theirs, label: "main" };
        let merged = merge(&sides, &objects, &objects).unwrap();
        assert_eq!(merged.root.id, tree(expect, &objects), "expected {expect}");
        let named: Vec<String> = merged
            .conflicts
            .iter()
            .map(|conflict| {
                let path = String::from_utf8_lossy(&conflict.path);
                match &conflict.kind {
                    ConflictKind::BothChanged { theirs_path } => {
                        format!("{path}|{}", String::from_utf8_lossy(theirs_path))
                    }
                    other => format!("{path} {other:?}"),
                }
            })
            .collect();
        assert_eq!(named, conflicts);
    }

    #[test]
    fn changes_of_one_side_are_taken() {
        check("a=1 b=1", "a=2 b=1", "a=1 b=3", "a=2 b=3", &[]);
        check("a=1", "a=1 x=1", "a=1 y=1", "a=1 x=1 y=1", &[]);
        check("a=1 b=1", "b=1", "a=1", "", &[]);
        check("d/a=1 d/b=1", "d/a=2 d/b=1", "d/a=1 d/b=2", "d/a=2 d/b=2", &[]);
        check("a=1", "a=2", "a=2", "a=2", &[]);
        check("a=1", "*a=1", "a=2", "*a=2", &[]);
        check("d/a=1 d/b=1", "", "d/a=1 d/b=1 e=1", "e=1", &[]);
        check("d/a=1", "d/a=1 d/n=1", "", "d/n=1", &[]);
    }

    #[test]
    fn both_sides_of_a_conflict_stay() {
        check(
            "a.rs=1",
            "a.rs=2",
            "a.rs=3",
            "a.rs=2 a.conflict-main.rs=3",
            &["a.rs|a.conflict-main.rs"],
        );
        check("", "d/a=2", "d/a=3", "d/a=2 d/a.conflict-main=3", &["d/a|d/a.conflict-main"]);
        check("a=1", "a=2", "", "a=2", &["a DeletedByThem"]);
        check("a=1", "", "a=2", "a=2", &["a DeletedByUs"]);
        check("d/a=1 d/b=1", "", "d/a=2 d/b=1", "d/a=2", &["d/a DeletedByUs"]);
        check("a=1", "a/x=1", "a=2", "a/x=1 a.conflict-main=2", &["a|a.conflict-main"]);
        check("a=1", "a=2", "a/x=1", "a=2 a.conflict-main/x=1", &["a|a.conflict-main"]);
        check(
            "a=1",
            "a=2 a.conflict-main=9",
            "a=3",
            "a=2 a.conflict-main=9 a.conflict-main-2=3",
            &["a|a.conflict-main-2"],
        );
    }

    #[test]
    fn a_name_aside_tells_beside_which_it_was_put() {
        for name in ["f", "f.txt", "a.b.txt", ".env", "f.conflict-x.txt"] {
            let aside = name_aside(name.as_bytes(), "main-01JABC", &BTreeSet::new());
            assert_eq!(original_of(&aside).unwrap(), name.as_bytes());
            let second = name_aside(name.as_bytes(), "main-01JABC", &BTreeSet::from([aside]));
            assert_eq!(original_of(&second).unwrap(), name.as_bytes());
        }
        assert_eq!(original_of(b"f.txt"), None);
    }

    #[test]
    fn a_name_aside_is_allowed_however_long_the_name() {
        for name in ["x".repeat(255), format!("a.{}", "y".repeat(253)), ".hidden".into()] {
            let aside = name_aside(name.as_bytes(), "main-01JABC", &BTreeSet::new());
            assert!(crate::tree::name_is_allowed(&aside), "{name}");
        }
    }
}
