//! Folders on disk: their contents, comparisons, copies and sizes.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result, check};
use crate::measure::run;

mod copy;

pub use copy::{copy, size_to_copy};

/// Folders of the peers' own state, at the top of a tree.
const STATE: [&str; 2] = [".fastest", ".git"];
/// The largest file that a step changes, in bytes. The change is to be measured, not the size of
/// the file.
pub const CHANGED_BYTES_MAX: u64 = 64 << 10;

/// The kind of a directory entry, with its properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File {
        /// Its permission bits, as for `chmod`.
        mode: u32,
        /// Its length.
        bytes: u64,
    },
    /// A symbolic link.
    Link(PathBuf),
    /// A folder.
    Folder,
    /// A FIFO, a socket or a device.
    Other,
}

/// The contents of a folder, by relative path, without the peers' state at its top.
pub type Listing = BTreeMap<PathBuf, Entry>;

/// Which properties of a tree a peer promises to restore.
#[derive(Debug, Clone, Copy)]
pub struct Keeps {
    /// All permissions of files, not only whether the owner may execute them.
    pub modes: bool,
    /// Folders without files.
    pub empty_folders: bool,
}

/// Lists a folder, without following links.
///
/// # Errors
///
/// If something in it cannot be read.
pub fn list(folder: &Path) -> Result<Listing> {
    let mut listing = Listing::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(parent) = waiting.pop() {
        let place = folder.join(&parent);
        for child in fs::read_dir(&place).map_err(Error::at(&place))? {
            let child = child.map_err(Error::at(&place))?;
            let is_state = STATE.iter().any(|name| child.file_name() == *name);
            if is_state && parent.as_os_str().is_empty() {
                continue;
            }
            let path = parent.join(child.file_name());
            let metadata = child.metadata().map_err(Error::at(&child.path()))?;
            let entry = entry(&child.path(), &metadata)?;
            if entry == Entry::Folder {
                waiting.push(path.clone());
            }
            listing.insert(path, entry);
        }
    }
    Ok(listing)
}

fn entry(path: &Path, metadata: &Metadata) -> Result<Entry> {
    let kind = metadata.file_type();
    Ok(if kind.is_dir() {
        Entry::Folder
    } else if kind.is_symlink() {
        Entry::Link(fs::read_link(path).map_err(Error::at(path))?)
    } else if kind.is_file() {
        Entry::File { mode: metadata.permissions().mode() & 0o7777, bytes: metadata.len() }
    } else {
        Entry::Other
    })
}

/// Counts the files and links, the folders, and the bytes in files.
pub fn count(listing: &Listing) -> (u64, u64, u64) {
    listing.values().fold((0, 0, 0), |(files, folders, all), entry| match entry {
        Entry::File { bytes, .. } => (files + 1, folders, all + bytes),
        Entry::Link(_) => (files + 1, folders, all),
        Entry::Folder => (files, folders + 1, all),
        Entry::Other => (files, folders, all),
    })
}

/// Fails unless two folders have the same contents, byte for byte, as far as `keeps` demands.
///
/// # Errors
///
/// [`Error::Wrong`] names the first difference.
pub fn same(ours: &Path, theirs: &Path, keeps: Keeps) -> Result<()> {
    let differ = |path: &Path| format!("{} differs in {}", path.display(), theirs.display());
    let (left, right) = (kept(list(ours)?, keeps), kept(list(theirs)?, keeps));
    let unlike = left.iter().find(|(path, entry)| right.get(*path) != Some(*entry));
    check(unlike.is_none(), || differ(unlike.expect("is some").0))?;
    let more = right.keys().find(|path| !left.contains_key(*path));
    check(more.is_none(), || differ(more.expect("is some")))?;
    for (path, entry) in &left {
        if let Entry::File { .. } = entry {
            check(same_bytes(&ours.join(path), &theirs.join(path))?, || differ(path))?;
        }
    }
    Ok(())
}

/// Returns the listing without entries and properties that the peer does not promise to restore.
fn kept(listing: Listing, keeps: Keeps) -> Listing {
    let holds_files = |folder: &Path| {
        let below =
            listing.range(folder.to_owned()..).take_while(|(path, _)| path.starts_with(folder));
        below.into_iter().any(|(_, entry)| *entry != Entry::Folder)
    };
    let keep = |(path, entry): (&PathBuf, &Entry)| {
        let entry = match entry {
            Entry::Folder if !keeps.empty_folders && !holds_files(path) => return None,
            Entry::Other => return None,
            Entry::File { mode, bytes } if !keeps.modes => {
                Entry::File { mode: mode & 0o100, bytes: *bytes }
            }
            other => other.clone(),
        };
        Some((path.clone(), entry))
    };
    listing.iter().filter_map(keep).collect()
}

fn same_bytes(left: &Path, right: &Path) -> Result<bool> {
    let open = |path: &Path| File::open(path).map_err(Error::at(path));
    let (mut ours, mut theirs) = (open(left)?, open(right)?);
    let (mut a, mut b) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let length = ours.read(&mut a).map_err(Error::at(left))?;
        if length == 0 {
            return Ok(theirs.read(&mut b).map_err(Error::at(right))? == 0);
        }
        // If the other file is shorter, `read_exact` reports an error.
        if theirs.read_exact(&mut b[..length]).is_err() || a[..length] != b[..length] {
            return Ok(false);
        }
    }
}

/// Reads a file, or all files of a folder, so that they are in the page cache.
///
/// # Errors
///
/// If one cannot be read.
pub fn warm(place: &Path) -> Result<()> {
    let files = if place.is_dir() {
        let is_file = |(path, entry)| matches!(entry, Entry::File { .. }).then(|| place.join(path));
        list(place)?.into_iter().filter_map(is_file).collect()
    } else {
        vec![place.to_owned()]
    };
    for path in files {
        let mut file = File::open(&path).map_err(Error::at(&path))?;
        io::copy(&mut file, &mut io::sink()).map_err(Error::at(&path))?;
    }
    Ok(())
}

/// The size of a file, or of a folder with its contents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Lengths of the files and links, in bytes.
    pub bytes: u64,
    /// The space that they and their folders take on disk, in bytes.
    pub on_disk: u64,
    /// Files, links and folders, the topmost included.
    pub inodes: u64,
}

/// Returns the size of a file or a folder, including the peers' state.
///
/// # Errors
///
/// If something in it cannot be read.
pub fn size(place: &Path) -> Result<Size> {
    size_without(place, &[])
}

/// Returns the size without entries of these names.
fn size_without(place: &Path, names: &[&str]) -> Result<Size> {
    let mut sum = Size::default();
    let mut waiting = vec![place.to_owned()];
    while let Some(path) = waiting.pop() {
        let metadata = fs::symlink_metadata(&path).map_err(Error::at(&path))?;
        sum.on_disk += metadata.blocks() * 512;
        sum.inodes += 1;
        if metadata.is_dir() {
            for child in fs::read_dir(&path).map_err(Error::at(&path))? {
                let child = child.map_err(Error::at(&path))?;
                if !names.iter().any(|name| child.file_name() == *name) {
                    waiting.push(child.path());
                }
            }
        } else {
            sum.bytes += metadata.len();
        }
    }
    Ok(sum)
}

/// Returns the files that a step may change, sorted by path: small ones that their owner may write,
/// with paths in UTF-8, because commands take them as text.
pub fn changeable(listing: &Listing) -> Vec<PathBuf> {
    let small = |entry: &Entry| match entry {
        Entry::File { mode, bytes } => mode & 0o200 != 0 && (1..=CHANGED_BYTES_MAX).contains(bytes),
        _ => false,
    };
    let named = listing.iter().filter(|(path, entry)| small(entry) && path.to_str().is_some());
    named.map(|(path, _)| path.clone()).collect()
}

/// Removes a folder, and waits until the disk is quiet.
///
/// # Errors
///
/// If something in it cannot be removed.
pub fn remove(folder: &Path) -> Result<()> {
    clear(folder)?;
    settle()
}

/// Empties all files of a folder, and waits until the disk is quiet. The files are not removed: for
/// some minutes after that, ext4 skips each freed inode before it takes a new one, so that creating
/// many files would take several times as long.
///
/// # Errors
///
/// If a file cannot be written.
pub fn empty(folder: &Path) -> Result<()> {
    empty_files(folder)?;
    settle()
}

fn empty_files(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::at(folder))? {
        let entry = entry.map_err(Error::at(folder))?;
        let (path, metadata) = (entry.path(), entry.metadata().map_err(Error::at(folder))?);
        if metadata.is_dir() {
            empty_files(&path)?;
        } else if metadata.is_file() && metadata.len() > 0 {
            let writable = fs::Permissions::from_mode(metadata.permissions().mode() | 0o200);
            fs::set_permissions(&path, writable).map_err(Error::at(&path))?;
            let emptied = File::options().write(true).open(&path).and_then(|file| file.set_len(0));
            emptied.map_err(Error::at(&path))?;
        }
    }
    Ok(())
}

/// Removes a folder, even if it contains read-only folders.
///
/// # Errors
///
/// If something in it cannot be removed.
pub fn clear(folder: &Path) -> Result<()> {
    if fs::remove_dir_all(folder).is_ok() {
        return Ok(());
    }
    // Only if necessary, because this changes the inode of every file.
    run(Command::new("chmod").args(["-R", "u+w"]).arg(folder))?;
    fs::remove_dir_all(folder).map_err(Error::at(folder))
}

/// Waits until all writes and removals are on disk.
///
/// # Errors
///
/// If `sync` cannot be run.
pub fn settle() -> Result<()> {
    run(&mut Command::new("sync"))?;
    thread::sleep(Duration::from_secs(1));
    run(&mut Command::new("sync"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const ALL: Keeps = Keeps { modes: true, empty_folders: true };

    fn tree(folder: &Path) {
        fs::create_dir_all(folder.join("a/empty")).unwrap();
        fs::write(folder.join("a/file"), [7; 100_000]).unwrap();
        symlink("a/file", folder.join("link")).unwrap();
    }

    fn differ(change: impl FnOnce(&Path), keeps: Keeps) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        tree(&ours);
        tree(&theirs);
        same(&ours, &theirs, keeps).unwrap();
        change(&theirs);
        let one_way = same(&ours, &theirs, keeps).is_err();
        assert_eq!(one_way, same(&theirs, &ours, keeps).is_err());
        one_way
    }

    #[test]
    fn every_difference_is_found() {
        let path = |tree: &Path| tree.join("a/file");
        assert!(differ(|tree| fs::write(path(tree), [7; 99_999]).unwrap(), ALL));
        let one_byte = [&[7; 99_999][..], &[8]].concat();
        assert!(differ(|tree| fs::write(path(tree), one_byte).unwrap(), ALL));
        assert!(differ(|tree| fs::remove_file(path(tree)).unwrap(), ALL));
        assert!(differ(|tree| fs::write(tree.join("more"), "").unwrap(), ALL));
        let mode = |bits| {
            move |tree: &Path| {
                fs::set_permissions(path(tree), fs::Permissions::from_mode(bits)).unwrap();
            }
        };
        assert!(differ(mode(0o600), ALL));
        assert!(differ(mode(0o755), Keeps { modes: false, ..ALL }));
        assert!(!differ(mode(0o600), Keeps { modes: false, ..ALL }));
        let link = |tree: &Path| {
            fs::remove_file(tree.join("link")).unwrap();
            symlink("elsewhere", tree.join("link")).unwrap();
        };
        assert!(differ(link, ALL));
        let empty = |tree: &Path| fs::remove_dir(tree.join("a/empty")).unwrap();
        assert!(differ(empty, ALL));
        assert!(!differ(empty, Keeps { empty_folders: false, ..ALL }));
        assert!(!differ(|tree| fs::create_dir(tree.join(".fastest")).unwrap(), ALL));
    }

    #[test]
    fn folders_that_are_read_only_can_be_removed() {
        let folder = tempfile::tempdir().unwrap();
        tree(&folder.path().join("tree"));
        let inner = folder.path().join("tree/a");
        fs::set_permissions(inner, fs::Permissions::from_mode(0o555)).unwrap();
        clear(&folder.path().join("tree")).unwrap();
        assert!(list(folder.path()).unwrap().is_empty());
    }
}
