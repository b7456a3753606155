//! The conflicts of a tree: paths whose sides somebody has to settle.
//!
//! They are part of the tree, so that they go wherever a snapshot of it goes. The root node of such a tree has
//! version 2, and lists them before its entries; all other nodes are those of a tree without conflicts. What
//! stands at the path in the meantime is an ordinary entry.

use std::fmt;

use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::{Item, Root};
use crate::object::name::{NAME_BYTES_MAX, name_is_allowed};
use crate::object::source::{ObjectSink, ObjectSource};
use crate::object::tree::format::{
    CONFLICTS_VERSION, DEPTH_MAX, NODE_VERSION, TreeError, damaged, empty_directory,
};
use crate::object::tree::node::{split_conflicts, take_bytes, take_item};
use crate::object::tree::read::read_root;
use crate::object::tree::write::{put_item, write_node};
use crate::object::varint;

/// The BLAKE3 `derive_key` context of the ids of conflicts.
const CONTEXT: &str = "fastest 2026-11-27 file conflict v1";

/// The longest name of a side, in bytes.
pub const SIDE_NAME_BYTES_MAX: usize = 255;

/// The longest path, in bytes: that of any file in a tree that nests as deep as may be.
const PATH_BYTES_MAX: usize = (DEPTH_MAX + 2) * (NAME_BYTES_MAX + 1);

/// Identifies a conflict of a path: shown as twelve hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConflictId([u8; 6]);

impl fmt::Display for ConflictId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ConflictId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConflictId({self})")
    }
}

/// How a conflict stands in the tree until it is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// The file at the path has both versions, between markers that name the conflict.
    Markers,
    /// Ours has the path, and theirs stands beside it.
    Beside {
        /// The path of theirs.
        theirs_path: Vec<u8>,
    },
    /// One side deleted the path, and it has the version of the other.
    Kept,
}

/// A path that two sides changed, each in its own way, and that nobody has settled yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The path, its components joined by `/`.
    pub path: Vec<u8>,
    /// How it stands in the tree.
    pub form: Form,
    /// What our side is called.
    pub ours_name: String,
    /// What their side is called.
    pub theirs_name: String,
    /// What both sides started from; `None` if there was nothing, or if nobody knows.
    pub base: Option<Item>,
    /// Our version; `None` if we deleted it.
    pub ours: Option<Item>,
    /// Their version; `None` if they deleted it.
    pub theirs: Option<Item>,
}

impl Conflict {
    /// Returns the id. It depends on what the two sides have, and not on whose side is ours, so two devices
    /// that merge the same two versions find the same conflict.
    pub fn id(&self) -> ConflictId {
        let mut sides = [encoded(&self.ours), encoded(&self.theirs)];
        sides.sort_unstable();
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        for side in sides {
            hasher.update(&(side.len() as u64).to_le_bytes()).update(&side);
        }
        let [a, b, c, d, e, f, ..] = *hasher.finalize().as_bytes();
        ConflictId([a, b, c, d, e, f])
    }

    /// Whether this is the conflict of this id at this path.
    pub fn is(&self, path: &[u8], id: ConflictId) -> bool {
        self.path == path && self.id() == id
    }

    /// Returns the conflict as it is where what stands at `from` is moved to `to`; `None` if it is elsewhere.
    pub fn moved(&self, from: &[u8], to: &[u8]) -> Option<Self> {
        let moved = |path: &[u8]| {
            let rest = path.strip_prefix(from)?;
            (rest.is_empty() || rest.starts_with(b"/")).then(|| [to, rest].concat())
        };
        let form = match &self.form {
            Form::Beside { theirs_path } => {
                Form::Beside { theirs_path: moved(theirs_path).unwrap_or(theirs_path.clone()) }
            }
            form => form.clone(),
        };
        Some(Self { path: moved(&self.path)?, form, ..self.clone() })
    }

    /// Whether our side comes first between markers. As the id, the order does not depend on who merges.
    pub fn ours_is_first(&self) -> bool {
        encoded(&self.ours) <= encoded(&self.theirs)
    }

    /// Returns what the three sides have, without those that have nothing.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        [&self.base, &self.ours, &self.theirs].into_iter().flatten()
    }

    fn key(&self) -> (&[u8], ConflictId) {
        (&self.path, self.id())
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.path);
        match &self.form {
            Form::Markers => out.push(0),
            Form::Beside { theirs_path } => {
                out.push(1);
                put_bytes(out, theirs_path);
            }
            Form::Kept => out.push(2),
        }
        put_bytes(out, self.ours_name.as_bytes());
        put_bytes(out, self.theirs_name.as_bytes());
        for side in [&self.base, &self.ours, &self.theirs] {
            out.push(u8::from(side.is_some()));
            side.iter().for_each(|item| put_item(out, item));
        }
    }

    fn take(rest: &mut &[u8]) -> Result<Self, TreeError> {
        let path = take_path(rest)?;
        let form = match take_bytes(rest, 1) {
            Some([0]) => Form::Markers,
            Some([1]) => Form::Beside { theirs_path: take_path(rest)? },
            Some([2]) => Form::Kept,
            _ => return Err(damaged("the form of a conflict is unknown")),
        };
        let (ours_name, theirs_name) = (take_side_name(rest)?, take_side_name(rest)?);
        let mut side = || match take_bytes(rest, 1) {
            Some([0]) => Ok(None),
            Some([1]) => take_item(rest).map(Some),
            _ => Err(damaged("a side of a conflict is cut short")),
        };
        let (base, ours, theirs) = (side()?, side()?, side()?);
        Ok(Self { path, form, ours_name, theirs_name, base, ours, theirs })
    }
}

fn encoded(item: &Option<Item>) -> Vec<u8> {
    let mut out = Vec::new();
    item.iter().for_each(|item| put_item(&mut out, item));
    out
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    varint::put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = varint::take(rest)?;
    take_bytes(rest, usize::try_from(length).ok()?)
}

fn take_path(rest: &mut &[u8]) -> Result<Vec<u8>, TreeError> {
    let path = take_text(rest).ok_or(damaged("the path of a conflict is cut short"))?;
    let is_allowed =
        path.len() <= PATH_BYTES_MAX && path.split(|&byte| byte == b'/').all(name_is_allowed);
    if is_allowed { Ok(path.to_vec()) } else { Err(damaged("the path of a conflict is no path")) }
}

fn take_side_name(rest: &mut &[u8]) -> Result<String, TreeError> {
    let name = take_text(rest).and_then(|name| str::from_utf8(name).ok());
    let name = name.filter(|name| is_side_name(name));
    Ok(name.ok_or(damaged("the name of a side is no line of text"))?.to_owned())
}

fn is_side_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= SIDE_NAME_BYTES_MAX && !name.contains(char::is_control)
}

/// Returns a name for a side of a conflict: `name` without what it may not contain.
pub fn side_name(name: &str) -> String {
    let mut short: String = name.chars().filter(|letter| !letter.is_control()).collect();
    while short.len() > SIDE_NAME_BYTES_MAX {
        short.pop();
    }
    if short.is_empty() { "?".to_owned() } else { short }
}

/// Decodes the conflicts of an encoded root node.
pub fn conflicts_of(encoded: &[u8]) -> Result<Vec<Conflict>, TreeError> {
    let (mut rest, _) = split_conflicts(encoded)?;
    let mut conflicts: Vec<Conflict> = Vec::new();
    while !rest.is_empty() {
        conflicts.push(Conflict::take(&mut rest)?);
    }
    if conflicts.is_sorted_by(|a, b| a.key() < b.key()) {
        Ok(conflicts)
    } else {
        Err(damaged("conflicts are not in order"))
    }
}

/// Returns the conflicts of a tree, sorted by path.
pub fn read_conflicts(id: &TreeId, source: &dyn ObjectSource) -> Result<Vec<Conflict>, StoreError> {
    if *id == empty_directory() {
        return Ok(Vec::new());
    }
    let object = source.object(&(*id).into())?;
    conflicts_of(&object).map_err(|source| StoreError::Tree { id: *id, source })
}

/// Returns the tree with these conflicts, instead of those that it has. `source` must have its root node.
///
/// # Panics
/// If a path or the name of a side is not allowed. This is a bug of the caller, and must not become a stored
/// one.
pub fn with_conflicts(
    id: &TreeId,
    mut conflicts: Vec<Conflict>,
    source: &dyn ObjectSource,
    sink: &dyn ObjectSink,
) -> Result<Root, StoreError> {
    let root = read_root(id, source)?;
    if *id == empty_directory() {
        return Ok(root);
    }
    let object = source.object(&(*id).into())?;
    let (section, body) =
        split_conflicts(&object).map_err(|source| StoreError::Tree { id: *id, source })?;
    if section.is_empty() && conflicts.is_empty() {
        return Ok(root);
    }
    conflicts.sort_by(|a, b| a.key().cmp(&b.key()));
    conflicts.dedup_by(|a, b| a.key() == b.key());
    let mut encoded = Vec::with_capacity(object.len());
    if conflicts.is_empty() {
        encoded.push(NODE_VERSION);
    } else {
        let mut section = Vec::new();
        conflicts.iter().for_each(|conflict| conflict.put(&mut section));
        encoded.push(CONFLICTS_VERSION);
        put_bytes(&mut encoded, &section);
    }
    encoded.extend_from_slice(body);
    assert!(conflicts_of(&encoded).is_ok(), "a tree has allowed conflicts only");
    Ok(Root { id: write_node(&encoded, sink)?, ..root })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::id::BlobId;
    use crate::object::item::Kind;
    use crate::object::memory::MemoryObjects;
    use crate::object::tree::{find, read_directory, write_directory};

    fn file(text: &str) -> Item {
        let id = BlobId::of(text.as_bytes()).0;
        Item { kind: Kind::File, id, bytes: text.len() as u64, files: 1, list: None }
    }

    fn conflict(path: &str, form: Form) -> Conflict {
        Conflict {
            path: path.into(),
            form,
            ours_name: "agent".into(),
            theirs_name: "main".into(),
            base: Some(file("1")),
            ours: Some(file("2")),
            theirs: None,
        }
    }

    #[test]
    fn conflicts_read_back_and_the_entries_stay() {
        let objects = MemoryObjects::default();
        for width in [1, 3_000] {
            let names = (0..width).map(|at| format!("f{at:05}").into_bytes());
            let entries: Vec<_> = names.map(|name| (name, file("2"))).collect();
            let plain = write_directory(&entries, &objects).unwrap();
            let beside = Form::Beside { theirs_path: b"d/x.conflict-main".to_vec() };
            let mut all = vec![conflict("f00000", Form::Markers), conflict("d/x", beside)];
            all.push(conflict("a", Form::Kept));
            let root = with_conflicts(&plain.id, all.clone(), &objects, &objects).unwrap();
            all.sort_by(|a, b| a.path.cmp(&b.path));
            assert_eq!(read_conflicts(&root.id, &objects).unwrap(), all);
            assert_eq!(read_conflicts(&plain.id, &objects).unwrap(), []);
            assert_eq!((root.files, root.bytes), (plain.files, plain.bytes));
            assert_eq!(read_directory(&root.id, &objects).unwrap(), entries);
            assert_eq!(find(&root.id, &[b"f00000"], &objects).unwrap(), Some(file("2")));
            // Without its conflicts, the tree has its id again.
            let settled = with_conflicts(&root.id, vec![], &objects, &objects).unwrap();
            assert_eq!(settled, plain);
        }
    }

    #[test]
    fn an_id_does_not_depend_on_who_is_who() {
        let one = conflict("a", Form::Kept);
        let mirrored = Conflict {
            ours: one.theirs,
            theirs: one.ours,
            ours_name: "x".into(),
            form: Form::Markers,
            ..one.clone()
        };
        assert_eq!(one.id(), mirrored.id());
        assert_ne!(one.ours_is_first(), mirrored.ours_is_first());
        assert_eq!(one.id(), Conflict { path: b"b".to_vec(), base: None, ..one.clone() }.id());
        assert_ne!(one.id(), Conflict { theirs: Some(file("3")), ..one.clone() }.id());
        assert_eq!(one.id().to_string().len(), 12);
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let objects = MemoryObjects::default();
        let plain = write_directory(&[(b"a".to_vec(), file("2"))], &objects).unwrap();
        let all = vec![conflict("a", Form::Kept), conflict("b", Form::Markers)];
        let root = with_conflicts(&plain.id, all, &objects, &objects).unwrap();
        let good = objects.object(&root.id.into()).unwrap().to_vec();
        for at in 0..good.len() {
            // Cut short, it is an error or has the conflicts as they are.
            let _ = conflicts_of(&good[..at]);
            let mut bad = good.clone();
            bad[at] ^= 0x41;
            if let Ok(conflicts) = conflicts_of(&bad) {
                assert!(conflicts.iter().all(|it| is_side_name(&it.ours_name)));
            }
        }
        let section = |paths: &[&str]| {
            let mut section = Vec::new();
            paths.iter().for_each(|path| conflict(path, Form::Kept).put(&mut section));
            let mut encoded = vec![2];
            put_bytes(&mut encoded, &section);
            encoded.extend_from_slice(&[0, 0]);
            encoded
        };
        assert!(conflicts_of(&section(&["a", "b"])).is_ok());
        for paths in [&["b", "a"][..], &["a", "a"], &["../a"], &["a//b"], &["/a"], &[""], &[]] {
            assert!(conflicts_of(&section(paths)).is_err(), "{paths:?}");
        }
    }
}
