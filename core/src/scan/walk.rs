//! One directory of a working copy, read and compared with the stat index.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rayon::prelude::*;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::ignore_rules::{IGNORE_FILES, IgnoreRules};
use crate::path::DIRECTORY;
use crate::scan::{Context, ScanError, Skipped, Warning};
use crate::stat::{Node, Stamp, Stat, special_name};
use crate::stat_index::{IndexedDirectory, IndexedEntry, Listed};
use crate::tree::{Item, Kind, STATE_DIR, name_is_allowed};

/// A directory with more names than this has them looked up by all threads.
const STAT_PARALLEL_OVER: usize = 2048;

/// A directory that is still to be read.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    /// Its path, for opening it.
    pub path: PathBuf,
    /// Its path relative to the root, with a slash at the end; empty for the root.
    pub prefix: Vec<u8>,
    pub rules: IgnoreRules,
    /// The directory as the index has it, with its tree.
    pub known: Option<(Item, IndexedDirectory<'a>)>,
}

/// What became of a name that may be content.
#[derive(Debug)]
pub(crate) enum Found {
    /// A file or link, its content known from the index.
    Same(Item, Stat),
    /// A file or link that must be read. After that it is [`Found::Read`] or [`Found::Gone`].
    Changed(Kind, Stat),
    /// A file or link that was read.
    Read { item: Item, stat: Stat, racy: bool },
    /// A directory: the next of [`Listing::directories`].
    Directory,
    /// It vanished while the scan ran.
    Gone,
}

/// What a directory holds.
#[derive(Debug, Default)]
pub(crate) struct Listing<'a> {
    pub names: Vec<u8>,
    /// Names that may be content, sorted. Empty where `same` holds.
    pub found: Vec<(Range<usize>, Found)>,
    /// The subdirectories, in the order of their names.
    pub directories: Vec<Task<'a>>,
    /// Whether files, links and the names of subdirectories are exactly those of the index.
    pub same: bool,
    /// The directory before its names were read: what the new index may say, if they are all in it.
    pub listed: Option<Listed>,
    /// Whether anything at all stands in the directory, ignored or not.
    pub occupied: bool,
    /// Whether the directory vanished before it could be read.
    pub gone: bool,
    pub skipped: Vec<Skipped>,
    pub warnings: Vec<Warning>,
    /// Files and links seen.
    pub files: u64,
    child_count: usize,
}

impl Listing<'_> {
    /// How many subdirectories were found.
    pub(crate) fn children(&self) -> usize {
        self.child_count
    }
}

impl<'a> Task<'a> {
    /// The path of an entry, for messages and for opening it.
    pub(crate) fn path_of(&self, name: &[u8]) -> PathBuf {
        self.path.join(OsStr::from_bytes(name))
    }

    /// The task of a subdirectory.
    fn below(
        &self,
        name: &[u8],
        rules: &IgnoreRules,
        known: Option<(Item, IndexedDirectory<'a>)>,
    ) -> Self {
        let prefix = [&self.prefix, name, b"/"].concat();
        Self { path: self.path_of(name), prefix, rules: rules.clone(), known }
    }
}

/// What a directory holds: by the index, where that still holds.
pub(super) fn list<'a>(task: &Task<'a>, context: &Context<'_>) -> Result<Listing<'a>, ScanError> {
    match &task.known {
        Some((item, known)) if context.verified.whole(known, &task.rules) => {
            let (files, listed) = (item.files, known.listed());
            Ok(Listing { same: true, listed, files, ..Listing::default() })
        }
        Some((_, known)) if context.verified.names(known, &task.rules) => Ok(by_index(task, known)),
        _ => read(task, context),
    }
}

/// What a directory holds whose names and files are those of the index.
fn by_index<'a>(task: &Task<'a>, known: &IndexedDirectory<'a>) -> Listing<'a> {
    let mut listing = Listing { same: true, listed: known.listed(), ..Listing::default() };
    for entry in known.entries() {
        match entry.directory {
            Some(below) => {
                let known = Some((entry.item, below));
                listing.directories.push(task.below(entry.name, &task.rules, known));
            }
            None => listing.files += 1,
        }
    }
    listing.child_count = listing.directories.len();
    listing
}

/// Reads a directory, and looks up what may be content.
fn read<'a>(task: &Task<'a>, context: &Context<'_>) -> Result<Listing<'a>, ScanError> {
    let failed = |source: Errno| ScanError::io("read directory", &task.path)(source.into());
    let fd = match rustix::fs::openat(CWD, &task.path, DIRECTORY, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) if !task.prefix.is_empty() => {
            return Ok(Listing { gone: true, ..Listing::default() });
        }
        Err(Errno::NOTDIR | Errno::LOOP) if !task.prefix.is_empty() => {
            return Err(ScanError::Changing { path: task.path.clone() });
        }
        Err(error) => return Err(failed(error)),
    };
    let before = rustix::fs::fstat(&fd).map_err(failed)?;
    let mut directory = Dir::new(fd).map_err(failed)?;
    let mut listing = Listing::default();
    let mut names = Vec::new();
    let mut ignore_files = [false; IGNORE_FILES.len()];
    while let Some(entry) = directory.read() {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") || name == STATE_DIR.as_bytes() {
            continue;
        }
        listing.occupied = true;
        for (present, ignore_file) in ignore_files.iter_mut().zip(IGNORE_FILES) {
            *present |= name == ignore_file.as_bytes();
        }
        let start = listing.names.len();
        listing.names.extend_from_slice(name);
        names.push((start..listing.names.len(), entry.file_type()));
    }
    let fd = directory.fd().map_err(failed)?;
    let rules = read_rules(task, fd, ignore_files, &mut listing.warnings);
    names.sort_unstable_by(|a, b| listing.names[a.0.clone()].cmp(&listing.names[b.0.clone()]));
    let nodes = look_up(task, fd, &rules, &listing.names, &names)?;
    compare(task, &rules, names, nodes, &mut listing)?;
    // Ignore files must be read, and special files and warnings told, each time.
    let is_plain = ignore_files == [false; IGNORE_FILES.len()] && listing.skipped.is_empty();
    listing.listed = listed(&before, &rules, context).filter(|_| is_plain);
    Ok(listing)
}

/// What an index may say of a directory that was like this before its names were read. `None`
/// where a name may come or go without a trace in it.
fn listed(before: &rustix::fs::Stat, rules: &IgnoreRules, context: &Context<'_>) -> Option<Listed> {
    let stamp = Stamp::from(before);
    let is_racy = stamp.mtime_ns >= context.clock_ns || stamp.ctime_ns >= context.clock_ns;
    let is_dated = context.dated == Some(u128::from(before.st_dev));
    (is_dated && !is_racy).then(|| Listed { stamp, rules: rules.id() })
}

/// The rules that hold in a directory.
fn read_rules(
    task: &Task<'_>,
    directory: BorrowedFd<'_>,
    present: [bool; IGNORE_FILES.len()],
    warnings: &mut Vec<Warning>,
) -> IgnoreRules {
    let mut rules = task.rules.clone();
    for (name, _) in IGNORE_FILES.into_iter().zip(present).filter(|(_, present)| *present) {
        let path = task.path.join(name);
        match read_ignore_file(directory, name) {
            Ok(text) => {
                let (stronger, problems) = rules.with_file(task.prefix.len(), &text);
                rules = stronger;
                let warning = |what| Warning::IgnoreLine { path: path.clone(), what };
                warnings.extend(problems.into_iter().map(warning));
            }
            Err(source) => warnings.push(Warning::IgnoreFile { path, source }),
        }
    }
    rules
}

/// As git does, a link in place of an ignore file is not followed.
fn read_ignore_file(directory: BorrowedFd<'_>, name: &str) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let fd = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    let mut text = Vec::new();
    std::fs::File::from(fd).read_to_end(&mut text)?;
    Ok(text)
}

/// What stands under each name; `None` for what is ignored, or has vanished.
fn look_up(
    task: &Task<'_>,
    directory: BorrowedFd<'_>,
    rules: &IgnoreRules,
    text: &[u8],
    names: &[(Range<usize>, FileType)],
) -> Result<Vec<Option<Node>>, ScanError> {
    let one = |path: &mut Vec<u8>, (range, file_type): &(Range<usize>, FileType)| {
        let name = &text[range.clone()];
        path.truncate(task.prefix.len());
        path.extend_from_slice(name);
        let node = match file_type {
            FileType::Directory => Some(Node::Directory),
            FileType::RegularFile | FileType::Symlink => None,
            FileType::Unknown => match look_at(directory, name) {
                Ok(None) => return Ok(None),
                node => node.map_err(ScanError::io("look at", task.path_of(name)))?,
            },
            other => Some(Node::Special(special_name(*other))),
        };
        if rules.ignore(path, node == Some(Node::Directory)) {
            return Ok(None);
        }
        match node {
            None => look_at(directory, name).map_err(ScanError::io("look at", task.path_of(name))),
            known => Ok(known),
        }
    };
    if names.len() <= STAT_PARALLEL_OVER {
        let mut path = task.prefix.clone();
        return names.iter().map(|entry| one(&mut path, entry)).collect();
    }
    let chunks = names.par_iter().with_min_len(STAT_PARALLEL_OVER / 8);
    chunks.map_init(|| task.prefix.clone(), one).collect()
}

/// What stands under a name, links not followed; `None` where nothing does.
pub(crate) fn look_at(directory: impl AsFd, name: &[u8]) -> io::Result<Option<Node>> {
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(Node::from(&stat))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Sorts names into what the index knows and what must be read.
fn compare<'a>(
    task: &Task<'a>,
    rules: &IgnoreRules,
    names: Vec<(Range<usize>, FileType)>,
    nodes: Vec<Option<Node>>,
    listing: &mut Listing<'a>,
) -> Result<(), ScanError> {
    let mut known = task.known.iter().flat_map(|known| known.1.entries()).peekable();
    listing.same = task.known.is_some();
    listing.found.reserve_exact(nodes.iter().flatten().count());
    for ((range, _), node) in names.into_iter().zip(nodes) {
        let Some(node) = node else { continue };
        let name = &listing.names[range.clone()];
        while known.next_if(|entry| entry.name < name).is_some() {
            listing.same = false;
        }
        let entry = known.next_if(|entry| entry.name == name);
        if !name_is_allowed(name) {
            return Err(ScanError::Name { path: task.path_of(name) });
        }
        let found = match node {
            Node::Special(what) => {
                listing.same &= entry.is_none();
                listing.skipped.push(Skipped { path: task.path_of(name), what });
                continue;
            }
            Node::Directory => {
                let known = entry.and_then(|entry| Some((entry.item, entry.directory?)));
                listing.same &= known.is_some();
                listing.directories.push(task.below(name, rules, known));
                Found::Directory
            }
            Node::Content(kind, stat) => {
                listing.files += 1;
                match entry.filter(|entry| unchanged(entry, kind, &stat)) {
                    Some(entry) => Found::Same(entry.item, stat),
                    None => {
                        listing.same = false;
                        Found::Changed(kind, stat)
                    }
                }
            }
        };
        listing.found.push((range, found));
    }
    listing.same &= known.next().is_none();
    listing.child_count = listing.directories.len();
    if listing.same {
        (listing.names, listing.found) = Default::default();
    }
    Ok(())
}

/// Whether a file or link is certainly what the index says.
pub(super) fn unchanged(entry: &IndexedEntry<'_>, kind: Kind, stat: &Stat) -> bool {
    entry.item.kind == kind && entry.stat == *stat && !entry.racy
}
