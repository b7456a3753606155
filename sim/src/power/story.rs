//! Names and describes recorded changes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use fastest_core::files::disk::watch::{Place, Synced};

use crate::power::op::Op;
use crate::power::tree::Tree;

/// The paths of inodes as changes go on, relative to the top.
#[derive(Debug)]
pub struct Paths(BTreeMap<u64, PathBuf>);

impl Paths {
    /// Returns the paths in a tree, from which changes go on.
    pub fn of(tree: &Tree) -> Self {
        Self(tree.paths(Path::new("")))
    }

    /// Follows a change.
    pub fn follow(&mut self, op: &Op) {
        if let Op::Create { at, inode, .. } | Op::Move { to: at, inode, .. } = op {
            let path = self.place(at);
            self.0.insert(*inode, path);
        }
        if let Op::Swap { one, other, inodes } = op {
            let places = (self.place(one), self.place(other));
            self.0.insert(inodes.1, places.0);
            self.0.insert(inodes.0, places.1);
        }
    }

    fn place(&self, at: &Place) -> PathBuf {
        self.path(at.folder).join(OsStr::from_bytes(&at.name))
    }

    fn path(&self, inode: u64) -> PathBuf {
        self.0.get(&inode).cloned().unwrap_or_else(|| "?".into())
    }

    /// Describes a change.
    pub fn tell(&self, op: &Op) -> String {
        let at = |at: &Place| self.place(at).display().to_string();
        let of = |inode: &u64| self.path(*inode).display().to_string();
        match op {
            Op::Create { at: place, what, .. } => format!("create {} {what:?}", at(place)),
            Op::Link { at: place, .. } => format!("link {}", at(place)),
            Op::Move { from, to, .. } => format!("rename {} to {}", at(from), at(to)),
            Op::Swap { one, other, .. } => format!("exchange {} and {}", at(one), at(other)),
            Op::Remove { at: place, .. } => format!("remove {}", at(place)),
            Op::Write { inode, at, bytes } => {
                format!("write {} bytes at {at} to {}", bytes.len(), of(inode))
            }
            Op::Length { inode, bytes } => format!("set length {bytes} of {}", of(inode)),
            Op::Mode { inode, mode } => format!("set mode {mode:o} of {}", of(inode)),
            Op::SyncBegun { number, what: Synced::Inode(inode) } => {
                format!("sync {number} begins: {}", of(inode))
            }
            Op::SyncBegun { number, .. } => format!("sync {number} begins: everything"),
            Op::SyncEnded { number } => format!("sync {number} ends"),
            Op::Commit { database, durable, .. } => {
                let how = if *durable { "durable" } else { "not durable" };
                format!("commit in {}, {how}", database.display())
            }
        }
    }

    /// Names what makes something durable, in the same words for each of its kind; `None` if a
    /// change does not.
    pub fn label(&self, op: &Op) -> Option<String> {
        match op {
            Op::SyncBegun { what: Synced::Inode(inode), .. } => {
                Some(format!("sync of {}", kind_of(&self.path(*inode))))
            }
            Op::SyncBegun { .. } => Some("sync of everything".to_owned()),
            Op::Commit { database, durable: true, .. } => {
                Some(format!("commit in {}", database.display()))
            }
            _ => None,
        }
    }
}

/// Returns a path without what differs between files of a kind.
fn kind_of(path: &Path) -> String {
    let kind = |part: &OsStr| {
        let text = part.to_string_lossy();
        let is_id = text.len() >= 26
            || text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            || text.strip_prefix('c').is_some_and(|rest| rest.parse::<u64>().is_ok());
        match text.strip_prefix("new-") {
            Some(_) => "new-*".to_owned(),
            None if is_id => "*".to_owned(),
            None => text.into_owned(),
        }
    };
    path.iter().map(kind).collect::<Vec<_>>().join("/")
}
