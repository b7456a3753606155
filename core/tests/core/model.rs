//! A naive tree, which is a sorted map from paths to entries, and random edits of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use fastest_core::object::chunk::{read_content, write_content};
use fastest_core::object::id::TreeId;
use fastest_core::object::item::{Item, Kind, Root};
use fastest_core::object::kind::ObjectKind;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::{ObjectSink, ObjectSource};
use fastest_core::object::tree::read::read_directory;
use fastest_core::object::tree::write::write_directory;
use proptest::prelude::*;

/// Components of a path.
pub type Path = Vec<Vec<u8>>;

/// The entry at a path. Contents are numbers in [`CONTENTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    File(usize),
    Executable(usize),
    Link(usize),
    Directory,
}

impl Thing {
    pub fn is_directory(self) -> bool {
        self == Thing::Directory
    }

    pub fn content(self) -> Option<usize> {
        match self {
            Thing::File(content) | Thing::Executable(content) | Thing::Link(content) => {
                Some(content)
            }
            Thing::Directory => None,
        }
    }

    pub fn bytes(self) -> u64 {
        self.content().map_or(0, |content| CONTENTS[content].bytes.len() as u64)
    }
}

/// The bytes of a file, the item that represents them, and their objects.
pub struct Content {
    pub bytes: Vec<u8>,
    item: Item,
    objects: Vec<(ObjectKind, Vec<u8>)>,
}

/// Small contents, so that files often share one; the last two are large enough for chunks. None but the
/// empty one is text, so no merge is one of lines.
pub static CONTENTS: LazyLock<Vec<Content>> = LazyLock::new(|| {
    let end = |n: u8| if n == 0 { vec![] } else { vec![0] };
    let small = (0..10u8).map(|n| [vec![n; usize::from(n) * 7], end(n)].concat());
    let large = [1_048_577, 1_300_000].map(|count| noise(count, count as u64));
    let distinct = DISTINCT.map(|number| [noise(40, number as u64), vec![0]].concat());
    small.chain(large).chain(distinct).map(Content::new).collect()
});
const LARGE: [usize; 2] = [10, 11];
/// Contents that random trees do not use.
pub const DISTINCT: std::ops::Range<usize> = 12..212;

/// A sink that records what it receives.
#[derive(Default)]
struct Recorder(std::sync::Mutex<Vec<(ObjectKind, Vec<u8>)>>);

impl ObjectSink for Recorder {
    fn has(
        &self,
        _: &fastest_core::object::id::ObjectId,
    ) -> Result<bool, fastest_core::object::error::StoreError> {
        Ok(false)
    }

    fn put(
        &self,
        kind: ObjectKind,
        _: fastest_core::object::id::ObjectId,
        bytes: &[u8],
    ) -> Result<(), fastest_core::object::error::StoreError> {
        self.0.lock().unwrap().push((kind, bytes.to_vec()));
        Ok(())
    }
}

impl Content {
    fn new(bytes: Vec<u8>) -> Self {
        let recorder = Recorder::default();
        let content = write_content(&mut &bytes[..], &recorder).unwrap();
        let item = Item {
            kind: Kind::File,
            id: content.id.0,
            bytes: content.bytes,
            files: 1,
            list: content.list,
        };
        Self { bytes, item, objects: recorder.0.into_inner().unwrap() }
    }
}

/// Returns bytes without a pattern, as `docs/formats.md` defines them: the high bytes of an LCG's
/// states.
pub fn noise(count: usize, mut state: u64) -> Vec<u8> {
    let step = |_| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 56) as u8
    };
    (0..count).map(step).collect()
}

/// A tree as a map. Every directory but the root has its own entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model(pub BTreeMap<Path, Thing>);

impl Model {
    pub fn get(&self, path: &[Vec<u8>]) -> Option<Thing> {
        self.0.get(path).copied()
    }

    /// Puts a thing at a path, and removes whatever is in its way.
    pub fn put(&mut self, path: &[Vec<u8>], thing: Thing) {
        for depth in 1..path.len() {
            if self.get(&path[..depth]).is_none_or(|above| !above.is_directory()) {
                self.0.insert(path[..depth].to_vec(), Thing::Directory);
            }
        }
        match (self.get(path), thing) {
            (Some(Thing::Directory), Thing::Directory) => {}
            _ => {
                self.remove(path);
                self.0.insert(path.to_vec(), thing);
            }
        }
    }

    /// Removes the entry at a path, with all below it.
    pub fn remove(&mut self, path: &[Vec<u8>]) {
        for gone in self.below(path) {
            self.0.remove(&gone);
        }
    }

    /// Returns the path, if it has an entry, and every path below it.
    pub fn below(&self, path: &[Vec<u8>]) -> Vec<Path> {
        let from = self.0.range(path.to_vec()..).map(|(path, _)| path);
        from.take_while(|other| other.starts_with(path)).cloned().collect()
    }

    /// Moves `from`, with all below it, to `to`. Does nothing if one of the paths is below the
    /// other.
    pub fn rename(&mut self, from: &[Vec<u8>], to: &[Vec<u8>]) {
        if self.get(from).is_none() || to.starts_with(from) || from.starts_with(to) {
            return;
        }
        let moved: Vec<_> =
            self.below(from).into_iter().map(|path| (path.clone(), self.0[&path])).collect();
        self.remove(from);
        for (path, thing) in moved {
            self.put(&[to, &path[from.len()..]].concat(), thing);
        }
    }

    /// Returns files, links and empty directories, which are the entries that drift names.
    pub fn leaves(&self) -> BTreeMap<Path, Thing> {
        let is_empty = |path: &Path| {
            let next = self.0.range(path.clone()..).nth(1);
            next.is_none_or(|(next, _)| !next.starts_with(path))
        };
        let leaves = self.0.iter().filter(|(path, thing)| !thing.is_directory() || is_empty(path));
        leaves.map(|(path, thing)| (path.clone(), *thing)).collect()
    }

    /// Returns files and links.
    pub fn files(&self) -> impl Iterator<Item = (&Path, Thing)> {
        self.0.iter().filter(|(_, thing)| !thing.is_directory()).map(|(path, thing)| (path, *thing))
    }

    /// Writes the whole tree, content included, to a sink.
    pub fn write(&self, sink: &dyn ObjectSink) -> Root {
        let all: Vec<_> = self.0.iter().map(|(path, thing)| (path.as_slice(), *thing)).collect();
        write_below(&all, 0, sink)
    }

    /// Reads a tree back, content included.
    pub fn read(id: &TreeId, source: &dyn ObjectSource) -> Model {
        let mut model = Model::default();
        read_below(id, &mut Vec::new(), source, &mut model);
        model
    }
}

fn write_below(all: &[(&[Vec<u8>], Thing)], depth: usize, sink: &dyn ObjectSink) -> Root {
    let by_name = all.chunk_by(|a, b| a.0[depth] == b.0[depth]);
    let entries: Vec<(&[u8], Item)> = by_name
        .map(|run| {
            let (path, thing) = run[0];
            let item = match thing {
                Thing::Directory => Item::directory(&write_below(&run[1..], depth + 1, sink)),
                _ => item_of(thing, sink),
            };
            (path[depth].as_slice(), item)
        })
        .collect();
    write_directory(&entries, sink).unwrap()
}

/// Returns the item of a file or link. Writes its content to the sink.
pub fn item_of(thing: Thing, sink: &dyn ObjectSink) -> Item {
    let content = &CONTENTS[thing.content().expect("a file or link")];
    for (kind, bytes) in &content.objects {
        let id = kind.id_of(bytes);
        if !sink.has(&id).unwrap() {
            sink.put(*kind, id, bytes).unwrap();
        }
    }
    let kind = match thing {
        Thing::File(_) => Kind::File,
        Thing::Executable(_) => Kind::Executable,
        _ => Kind::Symlink,
    };
    Item { kind, ..content.item }
}

fn read_below(id: &TreeId, path: &mut Path, source: &dyn ObjectSource, model: &mut Model) {
    for (name, item) in read_directory(id, source).unwrap() {
        path.push(name);
        model.0.insert(path.clone(), thing_of(&item, source));
        if let Some(id) = item.tree_id() {
            read_below(&id, path, source, model);
        }
        path.pop();
    }
}

/// Returns the thing that an item represents. Reads and compares its content.
pub fn thing_of(item: &Item, source: &dyn ObjectSource) -> Thing {
    static NUMBERS: LazyLock<HashMap<[u8; 32], usize>> = LazyLock::new(|| {
        CONTENTS.iter().enumerate().map(|(number, content)| (content.item.id, number)).collect()
    });
    if item.is_directory() {
        return Thing::Directory;
    }
    let number = NUMBERS[&item.id];
    let mut bytes = Vec::new();
    read_content(item, source, &mut bytes).unwrap();
    assert!(bytes == CONTENTS[number].bytes);
    match item.kind {
        Kind::File => Thing::File(number),
        Kind::Executable => Thing::Executable(number),
        _ => Thing::Link(number),
    }
}

/// Stores a tree in memory, and returns its id.
pub fn stored(model: &Model, objects: &MemoryObjects) -> TreeId {
    model.write(objects).id
}

/// Formats a path as drift does.
pub fn joined(path: &[Vec<u8>]) -> Vec<u8> {
    path.join(&b'/')
}

/// An edit. Paths consist of a few names, so that edits often concern the same path.
#[derive(Debug, Clone)]
pub enum Edit {
    Write(Path, Thing),
    Remove(Path),
    Rename(Path, Path),
    /// Fills a directory with this many names, of this many bytes each.
    Fill(Path, usize, usize),
    /// Changes, and removes, a few names of a filled directory.
    Touch(Path, usize, Thing),
}

impl Edit {
    pub fn apply(&self, model: &mut Model) {
        match self {
            Edit::Write(path, thing) => model.put(path, *thing),
            Edit::Remove(path) => model.remove(path),
            Edit::Rename(from, to) => model.rename(from, to),
            Edit::Fill(path, count, width) => {
                model.put(path, Thing::Directory);
                for number in 0..*count {
                    let name = format!("{number:0width$}").into_bytes();
                    let path = [&path[..], &[name]].concat();
                    model.0.entry(path).or_insert(Thing::File(number % 10));
                }
            }
            Edit::Touch(path, number, thing) => {
                let names = model.below(path);
                if let Some(touched) = names.get(number % names.len().max(1)) {
                    model.put(touched, *thing);
                }
                if let Some(removed) = names.get((number * 7) % names.len().max(1)) {
                    model.remove(removed);
                }
            }
        }
    }
}

/// Edits that begin with an empty tree, and so create any tree.
pub fn edits(count: usize) -> impl Strategy<Value = Vec<Edit>> {
    let few = prop::collection::vec(edit(), 0..count);
    let fill = prop_oneof![Just(1_000), 100..1_200usize]
        .prop_flat_map(|count| (short_path(), Just(count), prop_oneof![Just(8usize), 9..200usize]))
        .prop_map(|(path, count, width)| Edit::Fill(path, count, width));
    // One case in twenty has a directory wide enough to be split.
    (few, prop::option::weighted(0.05, fill)).prop_map(|(mut edits, fill)| {
        edits.extend(fill);
        edits
    })
}

/// Edits of an existing tree, some of them in wide directories.
pub fn changes() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(edit(), 0..12)
}

pub fn model_of(edits: &[Edit]) -> Model {
    edited(&Model::default(), edits)
}

pub fn edited(model: &Model, edits: &[Edit]) -> Model {
    let mut model = model.clone();
    edits.iter().for_each(|edit| edit.apply(&mut model));
    model
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        8 => (path(), thing()).prop_map(|(path, thing)| Edit::Write(path, thing)),
        2 => path().prop_map(Edit::Remove),
        1 => (path(), path()).prop_map(|(from, to)| Edit::Rename(from, to)),
        3 => (short_path(), 0..1_000usize, thing())
            .prop_map(|(path, number, thing)| Edit::Touch(path, number, thing)),
    ]
}

fn thing() -> impl Strategy<Value = Thing> {
    let content = || prop_oneof![100 => 0..10usize, 1 => prop::sample::select(&LARGE[..])];
    prop_oneof![
        6 => content().prop_map(Thing::File),
        2 => content().prop_map(Thing::Executable),
        1 => (0..10usize).prop_map(Thing::Link),
        2 => Just(Thing::Directory),
    ]
}

/// Names that sort around the `/` of others.
const PLAIN: &[&[u8]] = &[b"a", b"b", b"c", b"a.b", b"a-"];
/// Names that are no UTF-8, or look like something else.
const ODD: &[&[u8]] = &[b"\xff\xfe", b"caf\xc3\xa9", b"\x01", b".hidden", &[b'x'; 255]];

fn name() -> impl Strategy<Value = Vec<u8>> {
    let names = prop_oneof![4 => prop::sample::select(PLAIN), 1 => prop::sample::select(ODD)];
    names.prop_map(<[u8]>::to_vec)
}

fn path() -> impl Strategy<Value = Path> {
    prop::collection::vec(name(), 1..4)
}

fn short_path() -> impl Strategy<Value = Path> {
    prop::collection::vec(name(), 1..3)
}
