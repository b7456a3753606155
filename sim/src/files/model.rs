//! What must hold for files, by a model that knows nothing of the engine: it sees what people did to
//! the files, what was acknowledged, and what is in the folders afterwards.
//!
//! Each working copy edits only paths of its own. So nothing is in conflict, and what a copy has of
//! another one is always what that one was at some time, as a whole, and never anything older than what
//! it had before.

use std::collections::BTreeMap;

use crate::files::tree::{Item, Tree, is_own};

/// A file's content that may not get lost.
#[derive(Debug, Clone)]
struct Content {
    hash: String,
    /// The device that has saved it.
    device: usize,
    /// Whether that device still has it, as far as its backups are concerned.
    is_here: bool,
    /// Whether the primary has it, as far as its backups are concerned.
    is_there: bool,
}

/// What people did, and what was seen of it.
pub struct Model {
    /// What each working copy's own files were, one state after another.
    states: Vec<Vec<Tree>>,
    /// Which state of each copy (second index) each copy (first index) has seen last.
    seen: Vec<Vec<usize>>,
    /// What was saved.
    contents: BTreeMap<(String, usize), Content>,
}

impl Model {
    /// Makes the model of so many empty working copies.
    pub fn new(copies: usize) -> Self {
        Self {
            states: vec![vec![Tree::new()]; copies],
            seen: vec![vec![0; copies]; copies],
            contents: BTreeMap::new(),
        }
    }

    /// Notes what a working copy's own files are, after somebody has changed them.
    pub fn edited(&mut self, copy: usize, tree: &Tree) {
        let own = part(tree, copy);
        if self.states[copy].last() != Some(&own) {
            self.states[copy].push(own);
        }
    }

    /// Notes what a working copy has after a command. Returns what is wrong about it.
    pub fn look(&mut self, copy: usize, tree: &Tree) -> Vec<String> {
        let mut wrong = Vec::new();
        for owner in 0..self.states.len() {
            let (has, states) = (part(tree, owner), &self.states[owner]);
            let seen = &mut self.seen[copy][owner];
            if owner == copy {
                let last = states.last().expect("there is a first one");
                if has != *last {
                    wrong.push(format!("c{copy} has {has:?}, and left {last:?} there"));
                }
                continue;
            }
            match (*seen..states.len()).find(|&at| states[at] == has) {
                Some(at) => *seen = at,
                None => {
                    let what = match states.iter().position(|state| *state == has) {
                        Some(at) => format!("state {at} again, after state {seen}"),
                        None => format!("{has:?}, after state {seen}: {:?}", states[*seen]),
                    };
                    wrong.push(format!("c{copy} has of c{owner} {what}"));
                }
            }
        }
        wrong
    }

    /// Forgets which states the copies have seen: from here on they may go back.
    pub fn forget_seen(&mut self) {
        self.seen.iter_mut().flatten().for_each(|seen| *seen = 0);
    }

    /// Notes that a device has saved the files of a tree, and whether the primary has them.
    pub fn saved(&mut self, device: usize, tree: &Tree, is_pushed: bool) {
        for item in tree.values() {
            self.saved_item(device, item, is_pushed);
        }
    }

    /// Notes that a command has replaced files: what they held must be saved.
    pub fn replaced(&mut self, device: usize, before: &Tree, after: &Tree) {
        for (path, item) in before {
            if after.get(path) != Some(item) {
                self.saved_item(device, item, false);
            }
        }
    }

    fn saved_item(&mut self, device: usize, item: &Item, is_pushed: bool) {
        let Item::File { hash, .. } = item else { return };
        let new = || Content { hash: hash.clone(), device, is_here: true, is_there: false };
        let content = self.contents.entry((hash.clone(), device)).or_insert_with(new);
        content.is_here = true;
        content.is_there |= is_pushed;
    }

    /// Notes that a device took something back: what only it has saved may be in no snapshot then.
    pub fn taken_back(&mut self, device: usize) {
        self.contents.retain(|_, content| content.device != device || content.is_there);
    }

    /// Notes that the store of a device was put back.
    pub fn device_put_back(&mut self, device: usize) {
        for content in self.contents.values_mut().filter(|content| content.device == device) {
            content.is_here = false;
        }
        self.contents.retain(|_, content| content.is_here || content.is_there);
    }

    /// Notes that the primary was put back.
    pub fn primary_put_back(&mut self) {
        self.contents.values_mut().for_each(|content| content.is_there = false);
        self.contents.retain(|_, content| content.is_here || content.is_there);
    }

    /// Returns the contents that are not among those of all snapshots.
    pub fn lost(&self, has: impl Fn(&str) -> bool) -> Vec<String> {
        let lost = self.contents.values().filter(|content| !has(&content.hash));
        lost.map(|content| format!("{content:?} is in no snapshot")).collect()
    }
}

/// Returns the files of a tree that belong to one working copy.
fn part(tree: &Tree, owner: usize) -> Tree {
    let own = tree.iter().filter(|(path, _)| is_own(owner, path));
    own.map(|(path, item)| (path.clone(), item.clone())).collect()
}
