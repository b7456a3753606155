//! Records what a command changes on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastest_core::files::disk::watch::{Change, Synced, Watcher};

use crate::power::op::{Image, Op};
use crate::power::story::Paths;
use crate::power::tree::{Reached, Times, Tree, times_of};

/// What a command did.
#[derive(Debug, Clone)]
pub struct Record {
    /// What was there before.
    pub before: Tree,
    /// The databases that were there before, by path relative to the top.
    pub databases: BTreeMap<PathBuf, Image>,
    /// What was changed.
    pub ops: Vec<Op>,
    /// The times of what each change has touched.
    pub touched: Vec<Vec<(u64, Times)>>,
}

impl Record {
    /// Returns the record without the syncs that `label` names: those files are not synced.
    pub fn without(&self, label: &str) -> Self {
        let (mut names, mut gone) = (Paths::of(&self.before), BTreeSet::new());
        let mut record = self.clone();
        for op in &mut record.ops {
            names.follow(op);
            let is_meant = names.label(op).is_some_and(|found| found == label);
            match op {
                Op::SyncBegun { number, .. } if is_meant => {
                    gone.insert(*number);
                }
                Op::Commit { durable, .. } if is_meant => *durable = false,
                // No sync has this number.
                Op::SyncEnded { number } if gone.contains(number) => *number = u64::MAX,
                _ => {}
            }
        }
        record
    }
}

/// A file that was built from a record, which is to look like the one that was recorded.
#[derive(Debug, Clone, Copy)]
pub struct Mask {
    /// The inode that was recorded.
    pub inode: u64,
    /// The ctime that was recorded.
    pub ctime_ns: i64,
    /// The ctime of the file that was built. Once it has another one, that one counts.
    pub built_ctime_ns: i64,
}

/// Watches the disk: records what a command does, and shows built files as those that were
/// recorded.
#[derive(Debug)]
pub struct Recorder {
    top: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    record: Option<Record>,
    /// The disk as it is now.
    now: Option<Tree>,
    masks: BTreeMap<u64, Mask>,
}

impl Recorder {
    /// Creates a recorder for the folder `top`.
    pub fn new(top: &Path) -> Arc<Self> {
        Arc::new(Self { top: top.to_owned(), state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a record. Nothing may be changed meanwhile, and no database may be open.
    pub fn begin(&self, databases: &[&str]) {
        let before = Tree::read(&self.top).expect("the folder can be read");
        let read = |path: &&str| Some((path.into(), Image::read(&self.top.join(path))?));
        let databases = databases.iter().filter_map(read).collect();
        let mut state = self.state();
        state.now = Some(before.clone());
        state.record = Some(Record { before, databases, ops: Vec::new(), touched: Vec::new() });
    }

    /// Ends the record.
    pub fn end(&self) -> Record {
        self.state().record.take().expect("a record was begun")
    }

    /// Shows the files with these inodes as others.
    pub fn show(&self, masks: BTreeMap<u64, Mask>) {
        self.state().masks = masks;
    }
}

impl Watcher for Recorder {
    fn changed(&self, change: Change) {
        let mut state = self.state();
        let State { record: Some(record), now: Some(now), .. } = &mut *state else { return };
        let Some(op) = resolve(change, now, &self.top) else { return };
        now.apply(&op, Reached::All);
        record.touched.push(touched_by(&op, now, &self.top));
        record.ops.push(op);
    }

    fn seen(&self, inode: u64, ctime_ns: i64) -> (u64, i64) {
        match self.state().masks.get(&inode) {
            Some(mask) if mask.built_ctime_ns == ctime_ns => (mask.inode, mask.ctime_ns),
            Some(mask) => (mask.inode, ctime_ns),
            None => (inode, ctime_ns),
        }
    }
}

/// Finds the inodes that a change is about. `None` if it is outside of what is watched.
fn resolve(change: Change, now: &Tree, top: &Path) -> Option<Op> {
    let known = |inode: &u64| now.nodes.contains_key(inode);
    match change {
        Change::Created { at, inode, mode, what } => {
            known(&at.folder).then_some(Op::Create { at, inode, mode, what })
        }
        Change::Linked { at, inode } => {
            (known(&at.folder) && known(&inode)).then_some(Op::Link { at, inode })
        }
        Change::Renamed { from, to } => {
            let inode = now.at(&from)?;
            Some(Op::Move { from, to, inode })
        }
        Change::Exchanged(one, other) => {
            let inodes = (now.at(&one)?, now.at(&other)?);
            Some(Op::Swap { one, other, inodes })
        }
        Change::Removed(at) => {
            let inode = now.at(&at)?;
            Some(Op::Remove { at, inode })
        }
        Change::Written { inode, at, bytes } => {
            known(&inode).then(|| Op::Write { inode, at, bytes: Arc::new(bytes) })
        }
        Change::LengthSet { inode, bytes } => known(&inode).then_some(Op::Length { inode, bytes }),
        Change::ModeSet { inode, mode } => known(&inode).then_some(Op::Mode { inode, mode }),
        Change::SyncBegun { number, what: Synced::Inode(inode) } => {
            known(&inode).then_some(Op::SyncBegun { number, what: Synced::Inode(inode) })
        }
        Change::SyncBegun { number, what } => Some(Op::SyncBegun { number, what }),
        Change::SyncEnded { number } => Some(Op::SyncEnded { number }),
        Change::Committed { path, durable } => {
            let database = path.strip_prefix(top).ok()?.to_owned();
            Some(Op::Commit { database, durable, image: Image::read(&path)? })
        }
    }
}

/// Returns the times of what a change has touched.
fn touched_by(op: &Op, now: &Tree, top: &Path) -> Vec<(u64, Times)> {
    let touched = match op {
        Op::Create { at, inode, .. } | Op::Link { at, inode } | Op::Remove { at, inode } => {
            vec![*inode, at.folder]
        }
        Op::Move { from, to, inode } => vec![*inode, from.folder, to.folder],
        Op::Swap { one, other, inodes } => vec![inodes.0, inodes.1, one.folder, other.folder],
        Op::Write { inode, .. } | Op::Length { inode, .. } | Op::Mode { inode, .. } => {
            vec![*inode]
        }
        Op::SyncBegun { .. } | Op::SyncEnded { .. } | Op::Commit { .. } => Vec::new(),
    };
    let paths = now.paths(top);
    let times = |inode: u64| {
        let found = fs::symlink_metadata(paths.get(&inode)?).ok()?;
        Some((inode, times_of(&found)))
    };
    touched.into_iter().filter_map(times).collect()
}
