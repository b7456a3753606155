//! Walks two trees side by side.
//!
//! Unfinished directories are kept in a list instead of on the stack: a thread's stack is small,
//! and a tree may be deep.

use rayon::prelude::*;

use crate::compare::diff::{Difference, diff_directory};
use crate::compare::drift::counts::Counts;
use crate::compare::drift::found::Drift;
use crate::compare::drift::known::{Key, Known};
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::source::ObjectSource;
use crate::object::state_name::is_state_name;
use crate::object::tree::{Entry, check_depth, empty_directory};

/// With fewer differing names than this in a directory, another thread is not worth its cost.
const SPLIT_NAMES_MIN: usize = 16;
/// A directory is split into this many parts: enough for every thread, and few to combine.
const SPLIT_PARTS: usize = 32;
/// Deeper directories are not split: a thread that waits for parts takes up other work, on top of
/// its own stack.
const SPLIT_DEPTH_MAX: usize = 16;
/// The counts of two directories without subdirectories are not remembered, unless their nodes have
/// more bytes than this. Most are used once, and remembering costs more than comparing again.
const FORGOTTEN_BYTES_MAX: usize = 4 << 10;

#[derive(Clone, Copy)]
enum Side {
    Source,
    Workspace,
}

/// What drift needs of one side's entry.
#[derive(Clone, Copy)]
struct What {
    directory: Option<TreeId>,
    files: u64,
    bytes: u64,
}

impl From<Entry<'_>> for What {
    fn from(entry: Entry<'_>) -> Self {
        Self { directory: entry.tree_id(), files: entry.files, bytes: entry.bytes }
    }
}

/// The directories at one path. One of them may be missing.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) source: Option<TreeId>,
    pub(super) workspace: Option<TreeId>,
}

/// A name under which two directories differ, kept until everything before it is walked.
struct Step {
    name: Vec<u8>,
    source: Option<What>,
    workspace: Option<What>,
}

impl From<Difference<'_>> for Step {
    fn from(Difference { name, old, new }: Difference<'_>) -> Self {
        let [source, workspace] = [old, new].map(|entry| entry.map(What::from));
        Self { name: name.to_vec(), source, workspace }
    }
}

/// A directory that is being walked, and what is left of it.
struct Level {
    steps: std::vec::IntoIter<Step>,
    path_bytes: usize,
    /// Whether one side lacks the directory. Then everything below was counted with it.
    counted: bool,
    /// What the part had counted before this directory. Added again once the directory is done.
    before: Counts,
    /// The key under which to remember the directory's own counts.
    key: Option<Key>,
}

/// A walk, or the part of one that a thread has taken over.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    pub(super) source: &'a dyn ObjectSource,
    /// Whether paths are listed, rather than only counted.
    pub(super) lists: bool,
    pub(super) known: &'a Known,
}

/// Where a part of a walk is, and what it found. If paths are not listed, `path` stays empty.
#[derive(Default)]
pub(super) struct Part {
    path: Vec<u8>,
    depth: usize,
    pub(super) found: Drift,
}

impl Walk<'_> {
    /// Compares two trees by their roots.
    pub(super) fn roots(&self, pair: Pair) -> Result<Drift, StoreError> {
        let mut part = Part::default();
        let level = self.enter(pair, &mut part)?;
        self.run(level, &mut part)?;
        Ok(part.found)
    }

    /// Walks the rest of a directory, and everything below.
    fn run(&self, level: Level, part: &mut Part) -> Result<(), StoreError> {
        let depth = part.depth;
        let mut levels = vec![level];
        while let Some(level) = levels.last_mut() {
            part.path.truncate(level.path_bytes);
            let Some(Step { name, source, workspace }) = level.steps.next() else {
                self.leave(level, part);
                levels.pop();
                continue;
            };
            if let Some(pair) = self.count_name(&name, source, workspace, level.counted, part) {
                part.depth = depth + levels.len();
                match self.key(pair, part.depth).and_then(|key| self.known.get(&key)) {
                    Some(counts) => part.found.counts += counts,
                    None => levels.push(self.enter(pair, part)?),
                }
            }
        }
        part.depth = depth;
        Ok(())
    }

    /// Returns the key under which the counts of two directories are remembered. There is none when
    /// paths are listed, since a directory has other paths under each of its names.
    fn key(&self, pair: Pair, depth: usize) -> Option<Key> {
        let Pair { source: Some(source), workspace: Some(workspace) } = pair else { return None };
        (!self.lists).then_some((depth, source, workspace))
    }

    /// Compares two directories up to their first subdirectory, and returns the rest. If many names
    /// differ, all of them are shared out among threads, and nothing is left to return.
    fn enter(&self, pair: Pair, part: &mut Part) -> Result<Level, StoreError> {
        let Pair { source, workspace } = pair;
        check_depth(source.or(workspace).as_ref(), part.depth)?;
        let mut level = Level {
            steps: Vec::new().into_iter(),
            path_bytes: part.path.len(),
            counted: source.is_none() || workspace.is_none(),
            before: std::mem::take(&mut part.found.counts),
            key: self.key(pair, part.depth),
        };
        let (steps, bytes) = self.steps(pair, level.counted, part)?;
        if steps.is_empty() && bytes <= FORGOTTEN_BYTES_MAX {
            level.key = None;
        }
        if steps.len() < SPLIT_NAMES_MIN || part.depth > SPLIT_DEPTH_MAX {
            level.steps = steps.into_iter();
        } else {
            self.split(steps, level.counted, part)?;
        }
        Ok(level)
    }

    /// Counts and lists what differs up to the first subdirectory. Returns the rest, and how many
    /// bytes of nodes were read. The nodes themselves are dropped, because deep trees have many.
    fn steps(
        &self,
        pair: Pair,
        counted: bool,
        part: &mut Part,
    ) -> Result<(Vec<Step>, usize), StoreError> {
        let path_bytes = part.path.len();
        let nodes = diff_directory(pair.source.as_ref(), pair.workspace.as_ref(), self.source)?;
        let mut steps = Vec::new();
        // Trees of earlier builds may have state folders, which are not content.
        for difference in nodes.differences()?.filter(|found| !is_state_name(found.name)) {
            if !steps.is_empty() || difference.is_of_directories() {
                steps.push(Step::from(difference));
                continue;
            }
            let Difference { name, old, new } = difference;
            self.count_name(name, old.map(What::from), new.map(What::from), counted, part);
            part.path.truncate(path_bytes);
        }
        Ok((steps, nodes.bytes()))
    }

    /// Walks a directory's names on many threads. The first error that any of them returns ends the
    /// walk.
    fn split(&self, steps: Vec<Step>, counted: bool, part: &mut Part) -> Result<(), StoreError> {
        let size = steps.len().div_ceil(SPLIT_PARTS);
        let parts = steps.into_par_iter().chunks(size).map(|steps| {
            let mut part = Part { path: part.path.clone(), depth: part.depth, ..Part::default() };
            let (path_bytes, before) = (part.path.len(), Counts::default());
            let steps = steps.into_iter();
            self.run(Level { steps, path_bytes, counted, before, key: None }, &mut part)?;
            Ok(part.found)
        });
        for found in parts.collect::<Result<Vec<_>, StoreError>>()? {
            part.found.append(found);
        }
        Ok(())
    }

    /// Remembers the counts of a directory that is done, if that is worth it, and adds them to the
    /// rest.
    fn leave(&self, level: &Level, part: &mut Part) {
        if let Some(key) = level.key {
            self.known.insert(key, part.found.counts);
        }
        part.found.counts += level.before;
    }

    /// Counts what differs under a name, and lists it if lists were asked for. Returns the
    /// directories that are to be compared next; `part.path` is then their path.
    fn count_name(
        &self,
        name: &[u8],
        source: Option<What>,
        workspace: Option<What>,
        counted: bool,
        part: &mut Part,
    ) -> Option<Pair> {
        if self.lists {
            part.path.extend_from_slice(name);
        }
        match (source, workspace) {
            (Some(old), Some(new)) if old.directory.is_some() == new.directory.is_some() => {
                if old.directory.is_none() {
                    part.different(new.bytes, self.lists);
                }
            }
            _ => {
                for (what, side) in [(source, Side::Source), (workspace, Side::Workspace)] {
                    if let Some(what) = what {
                        part.one_sided(&what, side, counted, self.lists);
                    }
                }
            }
        }
        let [source, workspace] = [source, workspace].map(|what| what?.directory);
        let pair = Pair { source, workspace };
        let is_one_sided = source.is_none() || workspace.is_none();
        if (source.or(workspace).is_none()) || (is_one_sided && !self.lists) {
            return None;
        }
        if self.lists {
            part.enter_path(pair);
        }
        Some(pair)
    }
}

impl Part {
    /// Counts a file that differs between the two sides at this path. `bytes` is the workspace's
    /// size.
    fn different(&mut self, bytes: u64, lists: bool) {
        let counts = &mut self.found.counts;
        counts.both_different = counts.both_different.saturating_add(1);
        counts.bytes_changed = counts.bytes_changed.saturating_add(bytes);
        if lists {
            self.found.both_different.push(self.path.clone());
        }
    }

    /// Counts what only one side has at this path: the other side has nothing, or a file against a
    /// directory.
    fn one_sided(&mut self, what: &What, side: Side, counted: bool, lists: bool) {
        if !counted {
            let counts = match side {
                Side::Source => Counts { source_only: what.files, ..Counts::default() },
                Side::Workspace => Counts { workspace_only: what.files, ..Counts::default() },
            };
            self.found.counts += Counts { bytes_changed: what.bytes, ..counts };
        }
        if lists && what.directory.is_none() {
            self.list(side);
        }
    }

    /// Turns the path into that of a directory, and lists it for each side whose directory is
    /// empty.
    fn enter_path(&mut self, pair: Pair) {
        self.path.push(b'/');
        for (id, side) in [(pair.source, Side::Source), (pair.workspace, Side::Workspace)] {
            if id == Some(empty_directory()) {
                self.list(side);
            }
        }
    }

    fn list(&mut self, side: Side) {
        match side {
            Side::Source => self.found.source_only.push(self.path.clone()),
            Side::Workspace => self.found.workspace_only.push(self.path.clone()),
        }
    }
}
