//! Merges trees three ways, file by file.
//!
//! A file that one side changed is taken from that side. Text that both sides changed is merged line by line.
//! Where that is not possible, neither version is lost: both stand in the file, between markers, or theirs is
//! put beside ours under a name of its own. The tree lists such a path as a conflict until somebody settles it.
//! Ignore files never conflict: where their lines do, the result has the rules of both sides. A file that one
//! side renamed is merged under its new name.
//!
//! [`crate::compare::merge_base`] finds the base, and merges several bases into one by
//! `merge_bases`. Only this module decides the result of two changes.

mod blocks;
mod differing;
mod ignoring;
mod lines;
mod markers;
mod open;
mod renames;
mod text;
mod three;
mod unsettled;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::compare::aside::name_aside;
use crate::compare::diff::same_item;
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::{Item, Root};
use crate::object::memory::{KeptNodes, NoSink, ScratchObjects};
use crate::object::source::{ObjectSink, ObjectSource};
use crate::object::tree::conflicts::side_name;
use crate::object::tree::{
    Conflict, Form, check_depth, empty_directory, read_directory, read_root, with_conflicts,
    write_directory,
};

pub(crate) use differing::agree_where_others_differ;
use differing::{Differing, Known, differing};
use markers::marked;
pub use markers::{Side, pick};
pub(crate) use open::stands;
use open::{Open, SpecialPaths};
use renames::{Followed, Objects, follow};
use text::Texts;
pub(crate) use three::Three;
pub use unsettled::is_unsettled;

/// The result of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The tree with both sides' changes, and with the conflicts that are open.
    pub root: Root,
    /// The conflicts that this merge has found, sorted by path.
    pub conflicts: Vec<Conflict>,
}

/// The three trees of a merge.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The tree that both sides started from; `None` if they have no common history.
    pub base: Option<&'a TreeId>,
    /// The tree whose files keep their names in conflicts.
    pub ours: &'a TreeId,
    /// The tree that is merged into it.
    pub theirs: &'a TreeId,
    /// What the two sides are called where they conflict.
    pub names: Names<'a>,
}

/// What the sides of a merge are called.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Our side.
    pub ours: &'a str,
    /// Their side.
    pub theirs: &'a str,
    /// Part of the names that files of theirs get beside ours. Letters, digits and `-` only.
    pub label: &'a str,
}

/// Merges two trees. Puts the new nodes and the content of merged files into `sink`.
pub fn merge(
    sides: &Sides<'_>,
    source: &dyn ObjectSource,
    sink: &dyn ObjectSink,
) -> Result<Merged, StoreError> {
    let Sides { base, ours, theirs, .. } = *sides;
    if ours == theirs || base == Some(theirs) {
        return Ok(Merged { root: read_root(ours, source)?, conflicts: Vec::new() });
    }
    if base == Some(ours) {
        return Ok(Merged { root: read_root(theirs, source)?, conflicts: Vec::new() });
    }
    let open = Open::of(base, [ours, theirs], source)?;
    let sink = &KeptNodes::of(source, sink);
    let Files { root, conflicts, texts } = files(sides, &open, source, sink)?;
    for base in conflicts.iter().filter_map(|conflict| conflict.base.as_ref()) {
        text::store(base, source, sink)?;
    }
    let mut all = open.still_open(&root.id, &texts, &conflicts, sink)?;
    all.extend(conflicts.iter().cloned());
    let root = with_conflicts(&root.id, all, sink, sink)?;
    Ok(Merged { root, conflicts })
}

/// Returns the conflicts that [`merge`] would find, sorted by path, and stores nothing.
pub(crate) fn conflicts(
    sides: &Sides<'_>,
    source: &dyn ObjectSource,
) -> Result<Vec<Conflict>, StoreError> {
    let Sides { base, ours, theirs, .. } = *sides;
    if ours == theirs || base == Some(theirs) || base == Some(ours) {
        return Ok(Vec::new());
    }
    let open = Open::of(base, [ours, theirs], source)?;
    Ok(files(sides, &open, source, &NoSink)?.conflicts)
}

/// The merged files, and the conflicts that were found in them.
struct Files {
    root: Root,
    /// Sorted by path.
    conflicts: Vec<Conflict>,
    /// The merged texts of [`SpecialPaths::with_markers`].
    texts: HashMap<Vec<u8>, Vec<u8>>,
}

/// Merges the files of trees that all differ.
fn files(
    sides: &Sides<'_>,
    open: &Open,
    source: &dyn ObjectSource,
    sink: &dyn ObjectSink,
) -> Result<Files, StoreError> {
    let Sides { base, ours, theirs, names } = *sides;
    let scratch = ScratchObjects::over(source);
    let mut known = Known::new();
    let objects = Objects { source, scratch: &scratch, sink };
    let followed = match base {
        Some(base) => follow(base, [ours, theirs], &open.paths(), &mut known, &objects)?,
        None => None,
    };
    let (base, ours, theirs, contested) = match &followed {
        Some(Followed { base, ours, theirs, contested }) => {
            (Some(base), ours, theirs, &contested[..])
        }
        None => (base, ours, theirs, &[][..]),
    };
    let past = base.map_or(Past::Nothing, Past::Tree);
    let source: &dyn ObjectSource = if followed.is_some() { &scratch } else { source };
    let mut merge = Merge::new(past, OnConflict::KeepBoth(names), source, sink);
    merge.known = known;
    merge.special = open.special_paths();
    let root = merge.roots(past, ours, theirs)?;
    merge.contest(contested, names);
    let mut conflicts = merge.conflicts;
    conflicts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Files { root, conflicts, texts: merge.texts })
}

/// Returns whether [`merge`] would find a conflict in a file of this name that both sides changed, in trees
/// that list no conflicts. No side has a directory there.
pub(crate) fn file_conflicts(
    name: &[u8],
    file: &Three<Item>,
    source: &dyn ObjectSource,
) -> Result<bool, StoreError> {
    let names = Names { ours: "ours", theirs: "theirs", label: "theirs" };
    let mut merge = Merge::new(Past::Nothing, OnConflict::KeepBoth(names), source, &NoSink);
    let mut merged = Directory::default();
    merge.entry(name, file, &mut name.to_vec(), 0, &mut merged)?;
    Ok(!merge.conflicts.is_empty() || !merged.aside.is_empty())
}

/// Merges two merge bases into a virtual one. The result is the same whichever of the two is
/// `ours`. A path at which they conflict is left unsettled: it has the version of neither
/// (`merge/unsettled.rs` says how, and why). The tree may only be used as the base of another
/// merge.
pub(crate) fn merge_bases(
    past: Past<'_>,
    ours: &TreeId,
    theirs: &TreeId,
    source: &dyn ObjectSource,
    sink: &dyn ObjectSink,
) -> Result<TreeId, StoreError> {
    let mut merge = Merge::new(past, OnConflict::Unsettle, source, sink);
    Ok(merge.roots(past, ours, theirs)?.id)
}

/// The common history of two merge bases.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Past<'a> {
    /// The tree that both started from.
    Tree(&'a TreeId),
    /// They have none: what only one of them has was added there.
    Nothing,
    /// It is unknown: whatever differs is unsettled.
    Unknown,
}

/// What happens to a path that both sides changed.
#[derive(Debug, Clone, Copy)]
enum OnConflict<'a> {
    /// Both versions are kept: in one file between markers, or theirs beside ours.
    KeepBoth(Names<'a>),
    /// Neither version is used.
    Unsettle,
}

struct Merge<'a> {
    source: &'a dyn ObjectSource,
    sink: &'a dyn ObjectSink,
    on_conflict: OnConflict<'a>,
    past_is_known: bool,
    conflicts: Vec<Conflict>,
    special: SpecialPaths,
    /// The merged texts of [`SpecialPaths::with_markers`].
    texts: HashMap<Vec<u8>, Vec<u8>>,
    /// Directories that were merged without a conflict. Where no side has a conflict, the result does not
    /// depend on the path, so a directory that is used under many names is merged once.
    merged: HashMap<Three<TreeId>, Root>,
    /// What the search for renames has read.
    known: Known,
    unsettled: unsettled::Known,
}

impl<'a> Merge<'a> {
    fn new(
        past: Past<'_>,
        on_conflict: OnConflict<'a>,
        source: &'a dyn ObjectSource,
        sink: &'a dyn ObjectSink,
    ) -> Self {
        Self {
            source,
            sink,
            on_conflict,
            past_is_known: !matches!(past, Past::Unknown),
            conflicts: Vec::new(),
            special: SpecialPaths::default(),
            texts: HashMap::new(),
            merged: HashMap::new(),
            known: Known::new(),
            unsettled: HashMap::new(),
        }
    }

    fn roots(
        &mut self,
        past: Past<'_>,
        ours: &TreeId,
        theirs: &TreeId,
    ) -> Result<Root, StoreError> {
        let base = match past {
            Past::Tree(id) => Some(*id),
            Past::Nothing | Past::Unknown => None,
        };
        if ours == theirs || base.as_ref() == Some(theirs) {
            return read_root(ours, self.source);
        }
        if base.as_ref() == Some(ours) {
            return read_root(theirs, self.source);
        }
        let three = Three { base, ours: Some(*ours), theirs: Some(*theirs) };
        self.directory(three, &mut Vec::new(), 0)
    }

    fn directory(
        &mut self,
        ids: Three<TreeId>,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<Root, StoreError> {
        check_depth(ids.ours.or(ids.theirs).as_ref(), depth)?;
        if let Some(root) = self.merged.get(&ids) {
            return Ok(*root);
        }
        let conflicts_before = self.conflicts.len();
        let found = match self.known.remove(&ids) {
            Some(found) => found,
            None => differing(&ids, self.source)?,
        };
        let mut merged = Directory::default();
        for (name, three) in &found.names {
            let length = path.len();
            path.extend_from_slice(name);
            self.entry(name, three, path, depth, &mut merged)?;
            path.truncate(length);
        }
        let root = self.assemble(&ids, &found, merged, path)?;
        let depends_on_path = self.special != SpecialPaths::default();
        if self.conflicts.len() == conflicts_before && !depends_on_path {
            self.merged.insert(ids, root);
        }
        Ok(root)
    }

    /// Merges one name at which the sides differ, and adds the result to `merged`.
    fn entry(
        &mut self,
        name: &[u8],
        three: &Three<Item>,
        path: &mut Vec<u8>,
        depth: usize,
        merged: &mut Directory,
    ) -> Result<(), StoreError> {
        let Three { base, ours, theirs } = three;
        let same = |a: &Option<Item>, b: &Option<Item>| same_item(a.as_ref(), b.as_ref());
        let is_again = ours.is_none()
            && theirs.is_some_and(|theirs| {
                self.special.theirs_again.get(path.as_slice()) == Some(&theirs)
            });
        let is_contested =
            !same(ours, theirs) && self.special.settled_by_both.contains(path.as_slice());
        let has_past = self.past_is_known && !is_contested;
        let kept = if is_again || has_past && same(base, theirs) {
            *ours
        } else if has_past && same(base, ours) {
            *theirs
        } else if let Some(directories) = three.as_directories(self.past_is_known) {
            self.merged_directory(directories, path, depth)?
        } else if let Some(one) = three.replaced() {
            Some(one)
        } else if let Some(both) = three.content_and_mode().filter(|_| !is_contested) {
            Some(both)
        } else if let Some(both) = self.merged_file(name, three, path)? {
            Some(both)
        } else {
            match self.on_conflict {
                OnConflict::Unsettle => Some(self.unsettle(three, depth)?),
                OnConflict::KeepBoth(names) => self.keep_both(name, three, path, names, merged),
            }
        };
        if !same(&kept, ours) {
            merged.changes.insert(name.to_vec(), kept);
        }
        merged.is_not_theirs |= !same(&kept, theirs);
        Ok(())
    }

    /// Returns the directory that results: ours with some changes.
    fn assemble(
        &mut self,
        ids: &Three<TreeId>,
        found: &Differing,
        merged: Directory,
        path: &[u8],
    ) -> Result<Root, StoreError> {
        let Directory { mut changes, aside, is_not_theirs } = merged;
        match (ids.ours, ids.theirs) {
            (Some(ours), _) if changes.is_empty() && aside.is_empty() => {
                return read_root(&ours, self.source);
            }
            (_, Some(theirs)) if !is_not_theirs && aside.is_empty() => {
                return read_root(&theirs, self.source);
            }
            _ => {}
        }
        let mut entries = match ids.ours.filter(|ours| *ours != empty_directory()) {
            Some(ours) => read_directory(&ours, self.source)?,
            None => Vec::new(),
        };
        self.put_aside(aside, &entries, found, &mut changes, path);
        entries.retain(|(name, _)| !changes.contains_key(name));
        entries.extend(changes.into_iter().filter_map(|(name, item)| Some((name, item?))));
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        write_directory(&entries, self.sink)
    }

    /// Puts the second versions of conflicts under free names.
    fn put_aside(
        &mut self,
        aside: Vec<(Vec<u8>, Three<Item>)>,
        ours: &[(Vec<u8>, Item)],
        found: &Differing,
        changes: &mut BTreeMap<Vec<u8>, Option<Item>>,
        parent: &[u8],
    ) {
        let OnConflict::KeepBoth(sides) = self.on_conflict else { return };
        if aside.is_empty() {
            return;
        }
        let of_ours = ours.iter().map(|(name, _)| name);
        let mut taken: BTreeSet<Vec<u8>> =
            of_ours.chain(found.names.iter().map(|(name, _)| name)).cloned().collect();
        for (name, three) in aside {
            let free = name_aside(&name, sides.label, &taken);
            let form = Form::Beside { theirs_path: [parent, &free].concat() };
            let path = [parent, &name].concat();
            self.conflicts.push(self.conflict(&path, form, &three, sides));
            taken.insert(free.clone());
            changes.insert(free, three.theirs);
        }
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
        let gone = one_side_deleted && root.id == empty_directory();
        Ok((!gone).then(|| Item::directory(&root)))
    }

    /// Returns the file that results from two changes of its content, with markers where they conflict.
    /// `None` if they conflict and markers cannot stand there.
    fn merged_file(
        &mut self,
        name: &[u8],
        three: &Three<Item>,
        path: &[u8],
    ) -> Result<Option<Item>, StoreError> {
        let texts = Texts::read(three, self.source)?;
        let pieces = texts.as_ref().and_then(Texts::merged);
        let has_past = self.past_is_known && texts.as_ref().is_some_and(Texts::have_base);
        let clean = pieces.as_deref().and_then(text::clean);
        if let Some(merged) = clean.as_ref().filter(|_| has_past) {
            return self.merged_text(merged, three, path);
        }
        let OnConflict::KeepBoth(names) = self.on_conflict else { return Ok(None) };
        if let Some(both) = ignoring::both(name, three, self.source, self.sink)? {
            return Ok(Some(both));
        }
        match (&texts, &pieces) {
            // If the texts are equal, it is the modes that conflict.
            (Some(texts), Some(pieces)) if clean.is_none() && texts.can_be_marked() => {
                let conflict = self.conflict(path, Form::Markers, three, names);
                let merged = marked(pieces, &conflict);
                self.conflicts.push(conflict);
                self.merged_text(&merged, three, path)
            }
            _ => Ok(None),
        }
    }

    /// Stores a merged text, and keeps it if it may have markers of an older conflict.
    fn merged_text(
        &mut self,
        text: &[u8],
        three: &Three<Item>,
        path: &[u8],
    ) -> Result<Option<Item>, StoreError> {
        if self.special.with_markers.contains(path) {
            self.texts.insert(path.to_vec(), text.to_vec());
        }
        text::write(text, three, self.sink)
    }

    /// Returns the conflict of a path.
    fn conflict(&self, path: &[u8], form: Form, three: &Three<Item>, names: Names<'_>) -> Conflict {
        let (ours_name, theirs_name) = (side_name(names.ours), side_name(names.theirs));
        let base = three.base.filter(|base| !base.is_directory() && !is_unsettled(base));
        let (ours, theirs) = (three.ours, three.theirs);
        Conflict { path: path.to_vec(), form, ours_name, theirs_name, base, ours, theirs }
    }

    /// Reports names that only one side gave a file. The file has its name in the result.
    fn contest(&mut self, contested: &[(Vec<u8>, Three<Item>)], names: Names<'_>) {
        let found: HashSet<Vec<u8>> = self.conflicts.iter().map(|it| it.path.clone()).collect();
        // A conflict in the file asks about the name as well.
        for (path, three) in contested.iter().filter(|(path, _)| !found.contains(path)) {
            self.conflicts.push(self.conflict(path, Form::Kept, three, names));
        }
    }

    fn unsettle(&mut self, three: &Three<Item>, depth: usize) -> Result<Item, StoreError> {
        unsettled::unsettled(three, self.source, self.sink, &mut self.unsettled, depth)
    }

    /// Resolves a name that both sides changed, and that is not a directory on both: reports the
    /// conflict, and returns the item that gets the name.
    fn keep_both(
        &mut self,
        name: &[u8],
        three: &Three<Item>,
        path: &[u8],
        names: Names<'_>,
        merged: &mut Directory,
    ) -> Option<Item> {
        let conflict = self.conflict(path, Form::Kept, three, names);
        if three.ours.is_some() && three.theirs.is_some() {
            // Theirs may stand beside ours already.
            if !self.special.ours_beside.contains(&(path.to_vec(), conflict.id())) {
                merged.aside.push((name.to_vec(), *three));
            }
            return three.ours;
        }
        self.conflicts.push(conflict);
        three.ours.or(three.theirs)
    }
}

/// A directory while it is being merged.
#[derive(Default)]
struct Directory {
    /// How it differs from ours.
    changes: BTreeMap<Vec<u8>, Option<Item>>,
    /// Names that keep our version. Their versions are put beside it.
    aside: Vec<(Vec<u8>, Three<Item>)>,
    /// Whether it differs from theirs.
    is_not_theirs: bool,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::object::id::{BlobId, ObjectId};
    use crate::object::item::Kind;
    use crate::object::kind::ObjectKind;
    use crate::object::memory::MemoryObjects;
    use crate::object::source::Object;
    use crate::object::tree::read_conflicts;

    const NAMES: Names<'_> = Names { ours: "ours", theirs: "theirs", label: "main" };

    /// A tree from `path=content` words; an executable has `*` before its path. The contents are no text, so
    /// no file gets markers.
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
            let content = format!("{content}\0");
            let id = BlobId::of(content.as_bytes()).0;
            objects.put(ObjectKind::Blob, BlobId(id).into(), content.as_bytes()).unwrap();
            let item = Item { kind, id, bytes: content.len() as u64, files: 1, list: None };
            parent.0.insert(name.into(), item);
        }
        write(root, objects).id
    }

    fn check(base: &str, ours: &str, theirs: &str, expect: &str, conflicts: &[&str]) {
        let objects = MemoryObjects::default();
        let [base, ours, theirs] = [base, ours, theirs].map(|words| tree(words, &objects));
        let sides = Sides { base: Some(&base), ours: &ours, theirs: &theirs, names: NAMES };
        let merged = merge(&sides, &objects, &objects).unwrap();
        let files = with_conflicts(&merged.root.id, vec![], &objects, &objects).unwrap();
        assert_eq!(files.id, tree(expect, &objects), "expected {expect}");
        assert_eq!(read_conflicts(&merged.root.id, &objects).unwrap(), merged.conflicts);
        let named: Vec<String> = merged
            .conflicts
            .iter()
            .map(|conflict| {
                let path = String::from_utf8_lossy(&conflict.path);
                match &conflict.form {
                    Form::Beside { theirs_path } => {
                        format!("{path}|{}", String::from_utf8_lossy(theirs_path))
                    }
                    _ if conflict.ours.is_none() => format!("{path} DeletedByUs"),
                    _ if conflict.theirs.is_none() => format!("{path} DeletedByThem"),
                    Form::Kept | Form::Markers => path.into_owned(),
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
        // What was there is gone on both sides.
        check("x=1", "", "x/y=2", "x/y=2", &[]);
        check("x=1", "x/y=2", "", "x/y=2", &[]);
        check("x/y=1", "", "x=2", "x=2", &[]);
    }

    #[test]
    fn a_virtual_base_is_the_same_whichever_side_is_ours() {
        for (base, ours, theirs) in [
            ("a=1 b=1", "a=2 b=1", "a=3"),
            ("a=1", "a/x=1", "a=2"),
            ("d/a=1 d/b=1", "", "d/a=2 d/b=1"),
            ("d/a=1", "d=1", "d/a=2"),
            ("", "*a=1", "a=2"),
        ] {
            let objects = MemoryObjects::default();
            let [base, ours, theirs] = [base, ours, theirs].map(|words| tree(words, &objects));
            let virtual_base = |past| {
                let here = merge_bases(past, &ours, &theirs, &objects, &objects).unwrap();
                let there = merge_bases(past, &theirs, &ours, &objects, &objects).unwrap();
                assert_eq!(here, there);
                here
            };
            virtual_base(Past::Nothing);
            for here in [Past::Tree(&base), Past::Unknown].map(virtual_base) {
                // A side that kept its version counts as changed.
                for (a, b) in [(&ours, &theirs), (&theirs, &ours)] {
                    let sides = Sides { base: Some(&here), ours: a, theirs: b, names: NAMES };
                    let merged = merge(&sides, &objects, &objects).unwrap();
                    assert_ne!(merged.conflicts, [], "nothing is decided");
                    let agreed = Sides { theirs: a, ..sides };
                    let merged = merge(&agreed, &objects, &objects).unwrap();
                    assert_eq!((merged.root.id, &merged.conflicts[..]), (*a, &[][..]));
                }
            }
        }
    }

    #[test]
    fn directories_that_stand_under_many_names_are_merged_once() {
        let objects = MemoryObjects::default();
        let deep = |words: &str| {
            let below = tree(words, &objects);
            let below = read_root(&below, &objects).unwrap();
            let twice = |root: Root, _| {
                let item = Item::directory(&root);
                write_directory(&[("a", item), ("b", item)], &objects).unwrap()
            };
            (0..60).fold(below, twice).id
        };
        let [base, ours, theirs, both] = ["f=1 g=1", "f=2 g=1", "f=1 g=2", "f=2 g=2"].map(deep);
        let sides = Sides { base: Some(&base), ours: &ours, theirs: &theirs, names: NAMES };
        let merged = merge(&sides, &objects, &objects).unwrap();
        assert_eq!((merged.root.id, merged.conflicts), (both, vec![]));
        let agree = |one, two, others| agree_where_others_differ(one, two, others, &objects);
        assert!(agree(&base, &ours, [&base, &theirs]).unwrap());
        assert!(!agree(&base, &ours, [&theirs, &both]).unwrap());
        let [one, two, three] = ["f=1", "f=2", "f=3"].map(deep);
        for past in [Past::Tree(&one), Past::Nothing, Past::Unknown] {
            let merged = merge_bases(past, &two, &three, &objects, &objects).unwrap();
            assert!(merged != two && merged != three);
            merge_bases(past, &tree("a=1", &objects), &three, &objects, &objects).unwrap();
        }
    }

    #[test]
    fn renamed_files_that_are_no_text_are_followed() {
        check("a=1", "b=1", "a=2", "b=2", &[]);
        check("a=1", "b=1", "*a=1", "*b=1", &[]);
        check("a=1", "*b=1", "a=2", "*b=2", &[]);
        check("a=1", "b=1", "", "b=1", &["b DeletedByThem"]);
        check("a=1", "b=1", "*c=1", "*b=1 *c=1", &["b DeletedByThem", "c DeletedByUs"]);
        check("d/a=1", "e/a=1", "d/a=2 d/b=3", "e/a=2 e/b=3", &[]);
    }

    /// Reads nodes alone.
    struct NodesOnly<'a>(&'a MemoryObjects);

    impl ObjectSource for NodesOnly<'_> {
        fn object(&self, id: &ObjectId) -> Result<Object, StoreError> {
            let object = self.0.object(id)?;
            assert_eq!(ObjectKind::Tree.id_of(&object), *id, "a content is read");
            Ok(object)
        }

        fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
            ObjectSource::has(self.0, id)
        }
    }

    #[test]
    fn without_a_rename_that_matters_no_content_is_read() {
        for (base, ours, theirs) in [
            ("a=1 b=1", "c=2 b=1", "a=1 b=2"),
            ("a=1", "b=1 c=3", "a=1 d=4"),
            ("d/a=1 d/b=1", "e/a=1 e/b=3", "d/a=1 d/b=1 f=1"),
            // Without added files, nothing was renamed.
            ("a=1 b=1", "b=1", "a=2 b=1"),
            ("a=1 b=1 c=1", "b=1", "c=1"),
        ] {
            let objects = MemoryObjects::default();
            let [base, ours, theirs] = [base, ours, theirs].map(|words| tree(words, &objects));
            let sides = Sides { base: Some(&base), ours: &ours, theirs: &theirs, names: NAMES };
            conflicts(&sides, &NodesOnly(&objects)).unwrap();
        }
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
        check("a=1", "a/x=9", "a=2", "a/x=9 a.conflict-main=2", &["a|a.conflict-main"]);
        check("a=1", "a=2", "a/x=9", "a=2 a.conflict-main/x=9", &["a|a.conflict-main"]);
        check(
            "a=1",
            "a=2 a.conflict-main=9",
            "a=3",
            "a=2 a.conflict-main=9 a.conflict-main-2=3",
            &["a|a.conflict-main-2"],
        );
    }
}
