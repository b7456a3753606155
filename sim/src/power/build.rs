//! Builds a disk from a record.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};

use crate::power::crash::{Variant, databases, reached};
use crate::power::op::Image;
use crate::power::record::{Mask, Record};
use crate::power::tree::{Content, Node, Reached, Tree, times_of};

/// A disk after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Disk {
    /// Files and folders.
    pub tree: Tree,
    /// The databases, by path relative to the top.
    pub databases: BTreeMap<PathBuf, Image>,
}

impl Disk {
    /// Returns the disk that a crash after the first `at` changes leaves.
    pub fn after(record: &Record, at: usize, variant: &Variant) -> Self {
        let mut tree = record.before.clone();
        record.ops[..at].iter().for_each(|op| tree.create_unnamed(op));
        let reached = reached(record, at, variant);
        for ((op, touched), reached) in record.ops.iter().zip(&record.touched).zip(reached) {
            tree.apply(op, reached);
            if reached != Reached::Nothing {
                tree.touch(touched);
            }
        }
        tree.drop_unnamed();
        Self { tree, databases: databases(record, at, variant) }
    }

    /// Returns a number that is the same for the same content.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// Writes it to `top`, in the place of what is there. Returns as which files those that were
    /// written are to be shown.
    pub fn write(&self, top: &Path) -> io::Result<BTreeMap<u64, Mask>> {
        for entry in fs::read_dir(top)? {
            let path = entry?.path();
            if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
        let mut writer =
            Writer { disk: self, top, written: BTreeMap::new(), masks: BTreeMap::new() };
        writer.write(self.tree.top, Path::new(""))?;
        Ok(writer.masks)
    }
}

struct Writer<'a> {
    disk: &'a Disk,
    top: &'a Path,
    /// Paths of files by inode, for those with several names.
    written: BTreeMap<u64, PathBuf>,
    masks: BTreeMap<u64, Mask>,
}

impl Writer<'_> {
    fn write(&mut self, inode: u64, path: &Path) -> io::Result<()> {
        let (Some(node), full) = (self.disk.tree.nodes.get(&inode), self.top.join(path)) else {
            return Ok(());
        };
        if let Some(written) = self.written.get(&inode) {
            return fs::hard_link(self.top.join(written), full);
        }
        match &node.content {
            Content::Folder(names) => {
                if !path.as_os_str().is_empty() {
                    fs::create_dir(&full)?;
                }
                for (name, inode) in names {
                    self.write(*inode, &path.join(OsStr::from_bytes(name)))?;
                }
            }
            Content::Link(target) => symlink(OsStr::from_bytes(target), &full)?,
            Content::File(bytes) => match self.disk.databases.get(path) {
                Some(image) => write_database(&full, image)?,
                None => fs::write(&full, &**bytes)?,
            },
        }
        if !matches!(node.content, Content::Folder(_)) {
            self.written.insert(inode, path.to_owned());
        }
        self.settle(inode, node, &full)
    }

    fn settle(&mut self, inode: u64, node: &Node, full: &Path) -> io::Result<()> {
        if !matches!(node.content, Content::Link(_)) {
            fs::set_permissions(full, Permissions::from_mode(node.mode))?;
        }
        let mtime_ns = node.times.mtime_ns;
        let mtime =
            Timespec { tv_sec: mtime_ns / 1_000_000_000, tv_nsec: mtime_ns % 1_000_000_000 };
        let times = Timestamps { last_access: mtime, last_modification: mtime };
        rustix::fs::utimensat(CWD, full, &times, AtFlags::SYMLINK_NOFOLLOW)?;
        let found = fs::symlink_metadata(full)?;
        let (built_ctime_ns, ctime_ns) = (times_of(&found).ctime_ns, node.times.ctime_ns);
        self.masks.insert(found.ino(), Mask { inode, ctime_ns, built_ctime_ns });
        Ok(())
    }
}

fn write_database(path: &Path, image: &Image) -> io::Result<()> {
    fs::write(path, &*image.main)?;
    if let Some(log) = &image.log {
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        fs::write(name, &**log)?;
    }
    Ok(())
}
