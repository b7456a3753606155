//! Reads one directory of a working copy, and compares it with the stat index.

use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd};

use rayon::prelude::*;
use rustix::fs::{Dir, FileType};
use rustix::io::Errno;

use crate::files::foreign::is_nested_repo;
use crate::files::stat::{Node, Stamp, Stat};
use crate::object::error::StoreError;
use crate::object::item::{Item, Kind};
use crate::object::name::{IGNORE_FILES, STATE_DIR};
use crate::object::state_name::is_state_name;
use crate::worktree::database::{self, database_of};
use crate::worktree::ignore_rules::IgnoreRules;
use crate::worktree::scan::choose::{Choice, Chooser, Name};
use crate::worktree::scan::context::{Context, Selection};
use crate::worktree::scan::error::ScanError;
use crate::worktree::scan::head::HeadEntries;
use crate::worktree::scan::ignore_files::rules_of;
use crate::worktree::scan::listing::{Found, Listing};
use crate::worktree::scan::report::{Skipped, SkippedWhy};
use crate::worktree::scan::rules::Ignored;
use crate::worktree::scan::task::Task;
use crate::worktree::stat_index::{IndexedDirectory, IndexedEntry, Listed};

/// With more names than this in a directory, they are looked up on all threads.
const STAT_PARALLEL_OVER: usize = 2048;

/// Returns what is in a directory, from the index as far as that is still valid.
pub(super) fn list<'a>(task: &Task<'a>, context: &Context<'_>) -> Result<Listing<'a>, ScanError> {
    match &task.known {
        Some((item, known)) if context.verified.matches_whole(known, &task.rules.today) => {
            let (files, listed) = (item.files, known.listed());
            Ok(Listing { same: true, listed, files, ..Listing::default() })
        }
        Some((_, known)) if context.verified.matches_names(known, &task.rules.today) => {
            from_index(task, known, context)
        }
        _ => read(task, context),
    }
}

/// Returns what is in a directory whose names and files match the index.
fn from_index<'a>(
    task: &Task<'a>,
    known: &IndexedDirectory<'a>,
    context: &Context<'_>,
) -> Result<Listing<'a>, ScanError> {
    let mut listing = Listing { same: true, listed: known.listed(), ..Listing::default() };
    let head = HeadEntries::of(task);
    let chooser = Chooser { task, directory: None, rules: &task.rules, head: &head, context };
    for entry in known.entries() {
        match entry.directory {
            Some(below) => {
                let path = [&task.prefix, entry.name].concat();
                let ignored = chooser
                    .ignored_by(&path, true)
                    .map(|by| chooser.ignored(&path, true, by, Some(entry.item)));
                let known = Some((entry.item, below));
                let below = task_below(&chooser, entry.name, ignored, known)?;
                listing.directories.push(below);
            }
            None => listing.files += 1,
        }
    }
    listing.child_count = listing.directories.len();
    Ok(listing)
}

/// Returns the task of a subdirectory; `ignored` is the chooser's decision about it.
fn task_below<'a>(
    chooser: &Chooser<'_, '_, 'a>,
    name: &[u8],
    ignored: Option<Ignored>,
    known: Option<(Item, IndexedDirectory<'a>)>,
) -> Result<Task<'a>, StoreError> {
    let task = chooser.task;
    let prefix = [&task.prefix, name, b"/"].concat();
    let path = &prefix[..prefix.len() - 1];
    let by = ignored.map(|ignored| ignored.by);
    let head_ignored = task.head.is_some() && chooser.head_ignores(path, true, by);
    let item = known.as_ref().map(|known| &known.0);
    Ok(Task {
        path: task.path_of(name),
        depth: task.depth + 1,
        rules: chooser.rules.clone(),
        known,
        head: chooser.head.below(name, item, chooser.context)?,
        head_above: task.head,
        ignored,
        head_ignored,
        prefix,
    })
}

/// Lists a directory, and looks up what may be content.
fn read<'a>(task: &Task<'a>, context: &Context<'_>) -> Result<Listing<'a>, ScanError> {
    let is_root = task.prefix.is_empty();
    let Selection { git, left, .. } = context.selection;
    // Whether files may be absent without having been deleted.
    let is_sparse = git.is_sparse() || !left.is_empty();
    let fd = match context.beneath.directory(task.relative()) {
        Ok(fd) => Some(fd),
        Err(Errno::NOENT) if !is_root && is_sparse && task.head.is_some() => None,
        Err(Errno::NOENT) if !is_root => return Ok(Listing { gone: true, ..Listing::default() }),
        Err(Errno::NOTDIR | Errno::LOOP) if !is_root => {
            return Ok(Listing::left_alone(task, SkippedWhy::Changing));
        }
        Err(error) if is_root => return Err(failed_root(task, error)),
        Err(error) => return Ok(Listing::left_alone(task, SkippedWhy::Unreadable(error.into()))),
    };
    let (mut found, directory) = match fd.map(Names::read).transpose() {
        Ok(Some((found, directory))) => (found, Some(directory)),
        Ok(None) => (Names::default(), None),
        Err(error) if is_root => return Err(failed_root(task, error)),
        Err(error) => return Ok(Listing::left_alone(task, SkippedWhy::Unreadable(error.into()))),
    };
    let directory = directory.as_ref().and_then(|directory| directory.fd().ok());
    if !is_root
        && (found.git || found.state)
        && let Some(of_its_own) = directory.and_then(is_nested_repo)
    {
        return Ok(Listing::left_alone(task, of_its_own.into()));
    }
    let head = HeadEntries::of(task);
    if is_sparse && task.head.is_some() {
        found.add_absent(head.all(context)?);
    }
    let is_absent = directory.is_none();
    let mut listing = Listing { occupied: found.occupied, is_absent, ..Listing::default() };
    let unknown = &mut listing.unknown_rules;
    let rules = rules_of(task, directory, found.ignore_files, &head, context, unknown)?;
    let chooser = Chooser { task, directory, rules: &rules, head: &head, context };
    let mut choices = choose(&chooser, &found)?;
    let databases = found.databases(directory.filter(|_| context.selection.databases.is_some()));
    let databases = leave_out_sides(databases, &chooser, &found, &mut choices);
    compare(&chooser, found.text, found.names, choices, &databases, &mut listing)?;
    // An empty directory that is ignored is not content, unless it was before.
    listing.occupied |= task.ignored.is_some_and(|ignored| !ignored.stays);
    // A directory with any of these must be listed each time: ignore files must be read, skipped
    // names reported, and databases copied.
    let is_plain = found.ignore_files == [false; IGNORE_FILES.len()]
        && listing.skipped.is_empty()
        && databases.is_empty()
        && !listing.found.iter().any(|(_, found)| matches!(found, Found::Kept(_)));
    let before = found.before.filter(|_| is_plain);
    listing.listed = before.and_then(|before| listed(&before, &rules.today, context));
    Ok(listing)
}

fn failed_root(task: &Task<'_>, error: Errno) -> ScanError {
    ScanError::io("read directory", &task.path)(error.into())
}

/// The names of a directory, as they were listed.
#[derive(Default)]
struct Names {
    text: Vec<u8>,
    /// Sorted.
    names: Vec<(Range<usize>, Name)>,
    /// Whether the directory has any name at all.
    occupied: bool,
    ignore_files: [bool; IGNORE_FILES.len()],
    /// Whether it has a state folder of git, or of a working copy.
    git: bool,
    state: bool,
    /// The directory before its names were read.
    before: Option<rustix::fs::Stat>,
}

impl Names {
    fn read(directory: OwnedFd) -> Result<(Self, Dir), Errno> {
        let mut found = Self { before: Some(rustix::fs::fstat(&directory)?), ..Self::default() };
        let mut directory = Dir::new(directory)?;
        while let Some(entry) = directory.read() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            match name {
                b"." | b".." => continue,
                b".git" => found.git = true,
                name if name == STATE_DIR.as_bytes() => found.state = true,
                name => found.add(name, Name::Listed(entry.file_type())),
            }
        }
        found.occupied = found.git || !found.names.is_empty();
        found.sort();
        Ok((found, directory))
    }

    fn add(&mut self, name: &[u8], listed: Name) {
        for (present, ignore_file) in self.ignore_files.iter_mut().zip(IGNORE_FILES) {
            *present |= name == ignore_file.as_bytes() && matches!(listed, Name::Listed(_));
        }
        let start = self.text.len();
        self.text.extend_from_slice(name);
        self.names.push((start..self.text.len(), listed));
    }

    fn sort(&mut self) {
        let text = &self.text;
        self.names.sort_unstable_by(|a, b| text[a.0.clone()].cmp(&text[b.0.clone()]));
    }

    /// Returns the databases with files beside them; none if `directory` is `None`.
    fn databases(&self, directory: Option<BorrowedFd<'_>>) -> database::Names<'_> {
        let Some(directory) = directory else { return database::Names::default() };
        let is_file =
            |listed| matches!(listed, Name::Listed(FileType::RegularFile | FileType::Unknown));
        let files = self.names.iter().filter(|(_, listed)| is_file(*listed));
        let names = files.map(|(range, _)| &self.text[range.clone()]);
        let is_there = |name: &[u8]| {
            let order = |(range, _): &(Range<usize>, Name)| self.text[range.clone()].cmp(name);
            self.names.binary_search_by(order).is_ok()
        };
        database::Names::among(directory, names, is_there)
    }

    /// Adds the names that the head has and the directory does not.
    fn add_absent(&mut self, held: &[(Vec<u8>, Item)]) {
        let is_there = |name: &[u8]| {
            let order = |(range, _): &(Range<usize>, Name)| self.text[range.clone()].cmp(name);
            self.names.binary_search_by(order).is_ok()
        };
        let absent = held.iter().filter(|(name, _)| !is_state_name(name) && !is_there(name));
        let absent: Vec<&[u8]> = absent.map(|(name, _)| name.as_slice()).collect();
        absent.into_iter().for_each(|name| self.add(name, Name::Absent));
        self.sort();
        self.occupied |= self.before.is_none();
    }
}

/// Removes the files beside each database that is content, since the database's copy includes them,
/// or that an earlier checkout left. Returns the names of the databases that are content, sorted.
fn leave_out_sides(
    databases: database::Names<'_>,
    chooser: &Chooser<'_, '_, '_>,
    found: &Names,
    choices: &mut [Choice],
) -> Vec<Vec<u8>> {
    if databases.mains.is_empty() {
        return Vec::new();
    }
    let names = || found.names.iter().map(|(range, _)| &found.text[range.clone()]);
    let is_content = |choice: &Choice| matches!(choice, Choice::Node(Node::Content(..), _));
    let mains = names().zip(&*choices);
    let mains = mains.filter(|(name, choice)| databases.is_main(name) && is_content(choice));
    let mains: Vec<Vec<u8>> = mains.map(|(name, _)| name.to_vec()).collect();
    let prefix = &chooser.task.prefix;
    for (name, choice) in names().zip(choices) {
        let is_of_content = |main: &[u8]| {
            mains.iter().any(|content| content == main) || chooser.is_left(&[prefix, main].concat())
        };
        if databases.is_side(name) && database_of(name).is_some_and(|(main, _)| is_of_content(main))
        {
            *choice = Choice::Out;
        }
    }
    mains
}

/// Returns what the index may say about a directory with this stat data from before its names were
/// read. `None` if a name may be created or removed without a trace in it.
fn listed(before: &rustix::fs::Stat, rules: &IgnoreRules, context: &Context<'_>) -> Option<Listed> {
    let stamp = Stamp::from(before);
    let is_dated = context.dated == Some(i128::from(before.st_dev));
    (is_dated && !stamp.is_racy(context.clock_ns)).then(|| Listed { stamp, rules: rules.id() })
}

/// Decides about each name.
fn choose(chooser: &Chooser<'_, '_, '_>, found: &Names) -> Result<Vec<Choice>, ScanError> {
    let prefix = &chooser.task.prefix;
    let quickly = |path: &mut Vec<u8>, (range, listed): &(Range<usize>, Name)| {
        let name = &found.text[range.clone()];
        path.truncate(prefix.len());
        path.extend_from_slice(name);
        chooser.quickly(path, name, *listed)
    };
    let choices: Vec<Option<Choice>> = if found.names.len() <= STAT_PARALLEL_OVER {
        let mut path = prefix.clone();
        found.names.iter().map(|name| quickly(&mut path, name)).collect()
    } else {
        let chunks = found.names.par_iter().with_min_len(STAT_PARALLEL_OVER / 8);
        chunks.map_init(|| prefix.clone(), quickly).collect()
    };
    let slowly = |(choice, (range, listed)): (Option<Choice>, &(Range<usize>, Name))| {
        let name = &found.text[range.clone()];
        match choice {
            Some(choice) => Ok(choice),
            None => Ok(chooser.slowly(&[prefix, name].concat(), name, *listed)?),
        }
    };
    choices.into_iter().zip(&found.names).map(slowly).collect()
}

/// Divides the names, which are in `text`, into what the index knows and what must be read.
fn compare<'a>(
    chooser: &Chooser<'_, '_, 'a>,
    text: Vec<u8>,
    names: Vec<(Range<usize>, Name)>,
    choices: Vec<Choice>,
    databases: &[Vec<u8>],
    listing: &mut Listing<'a>,
) -> Result<(), ScanError> {
    let task = chooser.task;
    let mut known = task.known.iter().flat_map(|known| known.1.entries()).peekable();
    listing.same = task.known.is_some();
    listing.found.reserve_exact(choices.len());
    for ((range, _), choice) in names.into_iter().zip(choices) {
        let name = &text[range.clone()];
        let choice = match choice {
            Choice::Out => continue,
            Choice::Skipped(why, held) => {
                listing.skipped.push(Skipped { path: task.path_of(name), why });
                listing.same = false;
                let Some(held) = held else { continue };
                Choice::Kept(held)
            }
            Choice::Kept(held) => {
                listing.same = false;
                Choice::Kept(held)
            }
            choice @ Choice::Node(..) => choice,
        };
        while known.next_if(|entry| entry.name < name).is_some() {
            listing.same = false;
        }
        let entry = known.next_if(|entry| entry.name == name);
        let found = match choice {
            Choice::Out | Choice::Skipped(..) => unreachable!("dealt with above"),
            Choice::Kept(item) => Some(Found::Kept(item)),
            Choice::Node(node, ignored) => {
                compare_node(chooser, name, (node, ignored), entry, databases, listing)?
            }
        };
        listing.found.extend(found.map(|found| (range, found)));
    }
    listing.same &= known.next().is_none();
    listing.child_count = listing.directories.len();
    if listing.same {
        listing.found = Vec::new();
    } else {
        listing.names = text;
    }
    Ok(())
}

/// Compares what a name refers to with the index's `entry`. `None` if it is not content.
fn compare_node<'a>(
    chooser: &Chooser<'_, '_, 'a>,
    name: &[u8],
    (node, ignored): (Node, Option<Ignored>),
    entry: Option<IndexedEntry<'a>>,
    databases: &[Vec<u8>],
    listing: &mut Listing<'a>,
) -> Result<Option<Found>, ScanError> {
    match node {
        Node::Special(what) => {
            listing.same &= entry.is_none();
            Ok(special(chooser, name, what, listing)?)
        }
        Node::Directory => {
            let known = entry.and_then(|entry| Some((entry.item, entry.directory?)));
            listing.same &= known.is_some();
            listing.directories.push(task_below(chooser, name, ignored, known)?);
            Ok(Some(Found::Directory))
        }
        Node::Content(kind, stat) => {
            let found = content(name, kind, stat, entry, databases);
            listing.same &= matches!(found, Found::Same(..));
            listing.files += 1;
            Ok(Some(found))
        }
    }
}

/// Reports a FIFO, socket or device, which no tree can hold. It is unknown what became of a file
/// that was there, so the head's version is kept.
fn special(
    chooser: &Chooser<'_, '_, '_>,
    name: &[u8],
    what: &'static str,
    listing: &mut Listing<'_>,
) -> Result<Option<Found>, StoreError> {
    let (path, why) = (chooser.task.path_of(name), SkippedWhy::Special(what));
    listing.skipped.push(Skipped { path, why });
    Ok(chooser.head.find(name, chooser.context)?.map(Found::Kept))
}

/// Compares a file or link with the index's `entry`. `databases` has the sorted names of databases
/// with files beside them.
fn content(
    name: &[u8],
    kind: Kind,
    stat: Stat,
    entry: Option<IndexedEntry<'_>>,
    databases: &[Vec<u8>],
) -> Found {
    let is_database = || databases.binary_search_by(|known| known.as_slice().cmp(name)).is_ok();
    if kind != Kind::Symlink && is_database() {
        return Found::Database(kind, stat);
    }
    match entry.filter(|entry| entry.vouches_for(kind, &stat)) {
        Some(entry) => Found::Same(entry.item, stat),
        None => Found::Changed(kind, stat),
    }
}
