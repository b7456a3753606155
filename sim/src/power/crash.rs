//! Which disks a crash may leave: of the changes that no sync has made durable, any part.
//!
//! Two kinds of file systems are built. In one ([`Kind::Ordered`]), changes of names reach the disk
//! in their order, as through the log of ext4 and xfs and the checkpoints of apfs. A sync of a file
//! brings with it what was logged before the file's own last change. In the other
//! ([`Kind::Free`]), each change of a name reaches the disk or not, as POSIX allows: only a sync of
//! the folder promises it. Renames are whole in both. In both, the bytes of a file reach the disk
//! or not, block by block, until the file is synced.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use fastest_core::files::disk::watch::Synced;
use fastest_fixtures::random::Random;

use crate::power::op::{Image, Op};
use crate::power::record::Record;
use crate::power::tree::Reached;

/// A kind of file systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Names change on the disk in their order.
    Ordered,
    /// Each change of a name is on its own.
    Free,
}

/// What becomes of bytes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bytes {
    /// They are lost.
    Lost,
    /// They are kept.
    Kept,
    /// Each write is kept, lost or torn, by this seed.
    Torn(u64),
}

/// What becomes of changes of names that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Names {
    /// The first so many reach the disk.
    First(usize),
    /// All but this one do.
    Without(usize),
    /// Only this one does.
    Only(usize),
    /// Each does or does not, by this seed.
    Some(u64),
}

/// A way in which a crash leaves the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Variant {
    /// The kind of the file system.
    pub kind: Kind,
    /// What becomes of names.
    pub names: Names,
    /// What becomes of bytes.
    pub bytes: Bytes,
    /// Which commit the databases are at: this part of those that may be lost is, in quarters.
    pub commits_lost: u8,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, names, bytes, commits_lost } = self;
        write!(f, "{kind:?} {names:?} {bytes:?} commits-{commits_lost}")
    }
}

/// Returns whether a change is one of names, which a file system logs.
fn is_of_names(op: &Op) -> bool {
    matches!(
        op,
        Op::Create { .. }
            | Op::Link { .. }
            | Op::Move { .. }
            | Op::Swap { .. }
            | Op::Remove { .. }
            | Op::Mode { .. }
    )
}

fn is_of_bytes(op: &Op) -> bool {
    matches!(op, Op::Write { .. } | Op::Length { .. })
}

/// Returns the points to crash at: before each sync ends, before each durable commit, and at the
/// end. What a crash may leave at another point it may leave at the next of these.
pub fn points(ops: &[Op]) -> Vec<usize> {
    let is_point = |op: &Op| matches!(op, Op::SyncEnded { .. } | Op::Commit { durable: true, .. });
    let before = ops.iter().enumerate().filter(|(_, op)| is_point(op)).map(|(at, _)| at);
    before.chain([ops.len()]).collect()
}

/// Returns which of the first `at` changes are durable.
pub fn durable(record: &Record, at: usize, kind: Kind) -> Vec<bool> {
    let ops = &record.ops[..at];
    let mut durable = vec![false; at];
    let mut begun = BTreeMap::new();
    for (now, op) in ops.iter().enumerate() {
        match op {
            Op::SyncBegun { number, what } => {
                begun.insert(*number, (now, *what));
            }
            Op::SyncEnded { number } => {
                if let Some((begun, what)) = begun.get(number) {
                    sync(&ops[..*begun], *what, kind, &mut durable);
                }
            }
            // SQLite has synced the database's folder when it created the log.
            Op::Commit { database, durable: true, .. } => {
                let name = database.file_name().unwrap_or_default().as_bytes();
                let is_its = |op: &Op| matches!(op, Op::Create { at, .. } if at.name == name);
                if let Some(created) = ops[..now].iter().position(is_its) {
                    durable[created] = true;
                    sync_before(&ops[..created], kind, &mut durable);
                }
            }
            _ => {}
        }
    }
    durable
}

/// Marks what a sync makes durable of the changes before it.
fn sync(ops: &[Op], what: Synced, kind: Kind, durable: &mut [bool]) {
    let Synced::Inode(inode) = what else {
        return durable[..ops.len()].fill(true);
    };
    let mut last = None;
    for (at, op) in ops.iter().enumerate() {
        if is_of_bytes(op) && about(op, inode) {
            durable[at] = true;
        }
        if is_of_names(op) && (is_in(op, inode) || kind == Kind::Ordered && about(op, inode)) {
            durable[at] = true;
            last = Some(at);
        }
        if matches!(op, Op::Mode { inode: of, .. } if *of == inode) {
            durable[at] = true;
            last = Some(at);
        }
    }
    if let Some(last) = last {
        sync_before(&ops[..last], kind, durable);
    }
}

/// Marks what comes with a change of names, where these are in order.
fn sync_before(ops: &[Op], kind: Kind, durable: &mut [bool]) {
    for (at, op) in ops.iter().enumerate() {
        durable[at] |= kind == Kind::Ordered && is_of_names(op);
    }
}

/// Returns whether a change is about the file or folder with this inode itself.
fn about(op: &Op, inode: u64) -> bool {
    match op {
        Op::Create { inode: of, .. }
        | Op::Link { inode: of, .. }
        | Op::Move { inode: of, .. }
        | Op::Remove { inode: of, .. }
        | Op::Write { inode: of, .. }
        | Op::Length { inode: of, .. }
        | Op::Mode { inode: of, .. } => *of == inode,
        Op::Swap { inodes, .. } => inodes.0 == inode || inodes.1 == inode,
        Op::SyncBegun { .. } | Op::SyncEnded { .. } | Op::Commit { .. } => false,
    }
}

/// Returns whether a change is of a name in the folder with this inode.
fn is_in(op: &Op, folder: u64) -> bool {
    match op {
        Op::Create { at, .. } | Op::Link { at, .. } | Op::Remove { at, .. } => at.folder == folder,
        Op::Move { from, to, .. } | Op::Swap { one: from, other: to, .. } => {
            from.folder == folder || to.folder == folder
        }
        _ => false,
    }
}

/// Returns the ways in which a crash at `at` may leave the disk: each of the systematic ones, and
/// `more` that are drawn.
pub fn variants(record: &Record, at: usize, random: &mut Random, more: usize) -> Vec<Variant> {
    let mut found = Vec::new();
    for kind in [Kind::Ordered, Kind::Free] {
        let durable = durable(record, at, kind);
        let open = |is_one: fn(&Op) -> bool| {
            let ops = record.ops[..at].iter().zip(&durable);
            ops.filter(|(op, durable)| is_one(op) && !**durable).count()
        };
        let (names, bytes) = (open(is_of_names), open(is_of_bytes));
        let mut push = |names, bytes, commits_lost| {
            found.push(Variant { kind, names, bytes, commits_lost });
        };
        let torn = |random: &mut Random| Bytes::Torn(random.number());
        for count in [0, names] {
            push(Names::First(count), Bytes::Lost, 4);
            push(Names::First(count), Bytes::Kept, 0);
            push(Names::First(count), torn(random), random.below(5) as u8);
        }
        let each = chosen(names, 12, random);
        for one in each {
            match kind {
                Kind::Ordered => {
                    push(Names::First(one), Bytes::Lost, random.below(5) as u8);
                    push(Names::First(one), Bytes::Kept, random.below(5) as u8);
                }
                Kind::Free => {
                    push(Names::Without(one), Bytes::Kept, random.below(5) as u8);
                    push(Names::Only(one), Bytes::Lost, random.below(5) as u8);
                    push(Names::Only(one), Bytes::Kept, random.below(5) as u8);
                }
            }
        }
        for _ in 0..more {
            let chosen = match kind {
                Kind::Ordered => Names::First(random.below(names + 1)),
                Kind::Free => Names::Some(random.number()),
            };
            let kept = match random.below(if bytes == 0 { 2 } else { 5 }) {
                0 => Bytes::Lost,
                1 => Bytes::Kept,
                _ => torn(random),
            };
            push(chosen, kept, random.below(5) as u8);
        }
    }
    found
}

/// Returns all numbers below `count`, or some of them if there are more than `most`.
fn chosen(count: usize, most: usize, random: &mut Random) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|_| random.below(count)).collect()
}

/// Returns how much of each of the first `at` changes reaches the disk.
pub fn reached(record: &Record, at: usize, variant: &Variant) -> Vec<Reached> {
    let durable = durable(record, at, variant.kind);
    let (mut named, mut seeds) = (0, seeds(variant));
    let each = record.ops[..at].iter().zip(durable).map(|(op, durable)| {
        if durable {
            return Reached::All;
        }
        if is_of_names(op) {
            let number = named;
            named += 1;
            let is_kept = match variant.names {
                Names::First(count) => number < count,
                Names::Without(one) => number != one,
                Names::Only(one) => number == one,
                Names::Some(_) => seeds.0.below(2) == 0,
            };
            return if is_kept { Reached::All } else { Reached::Nothing };
        }
        match variant.bytes {
            Bytes::Lost => Reached::Nothing,
            Bytes::Kept => Reached::All,
            Bytes::Torn(_) => match seeds.1.below(4) {
                0 => Reached::Nothing,
                1 => Reached::All,
                _ => Reached::Torn(seeds.1.number()),
            },
        }
    });
    each.collect()
}

/// Returns the databases after a crash at `at`: each is at its last durable commit, or at a later
/// one.
pub fn databases(record: &Record, at: usize, variant: &Variant) -> BTreeMap<PathBuf, Image> {
    let mut found: BTreeMap<PathBuf, Vec<Image>> =
        record.databases.iter().map(|(path, image)| (path.clone(), vec![image.clone()])).collect();
    let mut begun = BTreeMap::new();
    for op in &record.ops[..at] {
        match op {
            Op::Commit { database, durable, image } => {
                let images = found.entry(database.clone()).or_default();
                if *durable {
                    images.clear();
                }
                images.push(image.clone());
            }
            Op::SyncBegun { number, what: Synced::FileSystem } => {
                let counts = found.iter().map(|(path, images)| (path.clone(), images.len()));
                begun.insert(*number, counts.collect::<BTreeMap<_, _>>());
            }
            Op::SyncEnded { number } => {
                for (path, count) in begun.remove(number).unwrap_or_default() {
                    let images = found.get_mut(&path).expect("it was there");
                    // Since the sync began, a durable commit may have dropped some.
                    images.drain(..(count - 1).min(images.len() - 1));
                }
            }
            _ => {}
        }
    }
    let at_commit = |images: Vec<Image>| {
        let lost = (images.len() - 1) * usize::from(variant.commits_lost) / 4;
        images[images.len() - 1 - lost].clone()
    };
    found.into_iter().map(|(path, images)| (path, at_commit(images))).collect()
}

fn seeds(variant: &Variant) -> (Random, Random) {
    let names = if let Names::Some(seed) = variant.names { seed } else { 0 };
    let bytes = if let Bytes::Torn(seed) = variant.bytes { seed } else { 0 };
    (Random::new(names), Random::new(bytes))
}
