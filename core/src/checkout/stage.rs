//! The first phase: everything new is written under temporary names and made durable.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::fs::{AtFlags, CWD};

use crate::chunk::{ReadContentError, read_content};
use crate::object::ObjectSource;
use crate::path::join;
use crate::progress::Progress;
use crate::stat::Stat;
use crate::stat_index::{Block, BlockBuilder};
use crate::tree::{Item, Kind};

use super::durable;
use super::folding::Folding;
use super::journal::{Action, Step};
use super::plan::{Expected, What, entries_of};
use super::prepare::Prepared;
use super::sparse::SparseWriter;
use super::{CheckoutError, is_racy};

/// Up to this many files are synced one by one; beyond, the whole file system is.
const SYNC_EACH_MAX: usize = 16;

/// Files of at least this size are looked through for zeros, which then take no room.
const SPARSE_FROM_BYTES: u64 = 32 << 10;

/// Everything new, under temporary names.
#[derive(Debug)]
pub(super) struct Staged {
    /// What is left to do, in order.
    pub steps: Vec<Step>,
    /// The path of each directory that was brought as a whole.
    grown_paths: Vec<Vec<u8>>,
    /// Those directories, and below them level by level. The children of a directory follow each
    /// other in the next level, in the order of their parents.
    levels: Vec<Vec<Grown>>,
}

/// A new directory under its temporary name.
#[derive(Debug)]
struct Grown {
    /// Where it is now.
    temporary: PathBuf,
    /// Where it will be, relative to the root.
    path: Vec<u8>,
    item: Item,
    entries: Vec<(Vec<u8>, Item, Stat)>,
}

/// A single new file or link.
#[derive(Debug)]
struct Put {
    temporary: PathBuf,
    item: Item,
    mode: u32,
    stat: Stat,
}

/// The mode to create a file with, before the umask. One that takes another's place is private until
/// it gets that one's mode (`apply`).
fn mode(item: &Item, expect: Option<&Expected>) -> u32 {
    let replaces_file = expect.is_some_and(|expect| expect.kind != Kind::Symlink);
    match (item.kind == Kind::Executable, replaces_file) {
        (true, true) => 0o700,
        (false, true) => 0o600,
        (true, false) => 0o777,
        (false, false) => 0o666,
    }
}

/// Where the content of a step waits.
pub(super) fn temporary_path(tmp: &Path, number: u64) -> PathBuf {
    tmp.join(format!("c{number}"))
}

/// Writes what `changes` bring into the folder `tmp`.
pub(super) fn stage(
    Prepared { changes, databases, folding, .. }: &Prepared<'_>,
    tmp: &Path,
    source: &dyn ObjectSource,
    progress: &Progress,
) -> Result<Staged, CheckoutError> {
    let numbered = || changes.iter().zip(0u64..);
    let roots = numbered().filter_map(|(change, number)| match &change.what {
        What::Grow(item) => {
            let (temporary, path) = (temporary_path(tmp, number), change.path.clone());
            Some(Grown { temporary, path, item: *item, entries: Vec::new() })
        }
        _ => None,
    });
    let roots: Vec<_> = roots.collect();
    let grown_paths = roots.iter().map(|root| root.path.clone()).collect();
    let mut levels = grow(roots, source, *folding)?;
    let mut puts: Vec<_> = numbered()
        .filter_map(|(change, number)| match change.what {
            What::Put(item, expect) => {
                let (temporary, stat) = (temporary_path(tmp, number), Stat::default());
                Some(Put { temporary, item, mode: mode(&item, expect.as_ref()), stat })
            }
            _ => None,
        })
        .collect();
    let new = puts.len();
    // What a database has in several files waits as one file too.
    let replaced = changes.iter().filter_map(|change| databases.get(&change.path));
    puts.extend(replaced.zip(changes.len() as u64..).map(|(replaced, number)| {
        let (temporary, stat) = (temporary_path(tmp, number), Stat::default());
        let mode = mode(&replaced.item, Some(&replaced.main));
        Put { temporary, item: replaced.item, mode, stat }
    }));
    write_all(&mut puts, &mut levels, tmp, source, progress)?;
    let mut settled = (changes.len() as u64..).zip(puts.split_off(new));
    let mut puts = puts.into_iter();
    let steps = numbered().map(|(change, temporary)| {
        let action = match change.what {
            What::Remove(expect) => Action::Remove(expect),
            What::RemoveDirectory { .. } => Action::RemoveDirectory,
            What::MakeDirectory => Action::MakeDirectory,
            What::Grow(_) => {
                let path = temporary_path(tmp, temporary);
                let failed = CheckoutError::io("look at", &path);
                Action::Grow { temporary, inode: fs::metadata(&path).map_err(failed)?.ino() }
            }
            What::Put(_, expect) => {
                let put = puts.next().expect("every file was written");
                Action::Put { temporary, staged: put.stat, expect }
            }
        };
        let path = &change.path;
        Ok(match databases.get(path) {
            Some(replaced) => {
                let (temporary, put) = settled.next().expect("every database was written");
                replaced.steps(path, temporary, put.stat, action)
            }
            None => vec![Step { path: path.clone(), action }],
        })
    });
    let steps = steps.collect::<Result<Vec<_>, CheckoutError>>()?.concat();
    Ok(Staged { steps, grown_paths, levels })
}

/// Creates new directories, level by level, and reads what belongs into them.
fn grow(
    roots: Vec<Grown>,
    source: &dyn ObjectSource,
    folding: Folding,
) -> Result<Vec<Vec<Grown>>, CheckoutError> {
    let mut levels = Vec::new();
    let mut next = roots;
    while !next.is_empty() {
        next.par_iter_mut().try_for_each(|grown| -> Result<(), CheckoutError> {
            let made = DirBuilder::new().mode(0o777).create(&grown.temporary);
            made.map_err(CheckoutError::io("create", &grown.temporary))?;
            let depth = grown.path.iter().filter(|&&byte| byte == b'/').count() + 1;
            let entries = entries_of(&grown.path, &grown.item, source, folding, depth)?;
            let with_stat = |(name, item)| (name, item, Stat::default());
            grown.entries = entries.into_iter().map(with_stat).collect();
            Ok(())
        })?;
        let below = next.iter().flat_map(|grown| {
            let directories = grown.entries.iter().filter(|(_, item, _)| item.is_directory());
            directories.map(|(name, item, _)| Grown {
                temporary: grown.temporary.join(OsStr::from_bytes(name)),
                path: join(&grown.path, name),
                item: *item,
                entries: Vec::new(),
            })
        });
        let below = below.collect();
        levels.push(std::mem::replace(&mut next, below));
    }
    Ok(levels)
}

/// Writes all files and links, on all threads, and makes them durable.
fn write_all(
    puts: &mut [Put],
    levels: &mut [Vec<Grown>],
    tmp: &Path,
    source: &dyn ObjectSource,
    progress: &Progress,
) -> Result<(), CheckoutError> {
    let below = levels.iter_mut().flatten().flat_map(|grown| {
        let Grown { temporary, entries, .. } = grown;
        let contents = entries.iter_mut().filter(|(_, item, _)| !item.is_directory());
        contents
            .map(|(name, item, stat)| (&*temporary, Some(&*name), &*item, mode(item, None), stat))
    });
    let single = puts.iter_mut().map(|put| {
        let Put { temporary, item, mode, stat } = put;
        (&*temporary, None, &*item, *mode, stat)
    });
    let mut jobs: Vec<_> = single.chain(below).collect();
    // A tree from elsewhere may claim any sizes.
    let bytes = jobs.iter().fold(0u64, |sum, (_, _, item, ..)| sum.saturating_add(item.bytes));
    progress.add_total(jobs.len() as u64, bytes);
    let sync_each = !cfg!(target_os = "linux") || jobs.len() <= SYNC_EACH_MAX;
    let mut write_jobs = |written: &(dyn Fn(u64) + Sync)| {
        jobs.par_iter_mut().try_for_each(|job| -> Result<(), CheckoutError> {
            let (path, name, item, mode, stat) = job;
            let path = match name {
                Some(name) => &path.join(OsStr::from_bytes(name)),
                None => *path,
            };
            **stat = write(path, item, *mode, source, sync_each)?;
            written(item.bytes);
            progress.add(1, item.bytes);
            Ok(())
        })
    };
    if !sync_each {
        return durable::beside(tmp, write_jobs);
    }
    write_jobs(&|_| ())?;
    let directories = levels.iter().flatten().map(|grown| grown.temporary.as_path());
    for path in directories.chain([tmp]) {
        let directory = File::open(path).map_err(CheckoutError::io("open", path))?;
        directory.sync_all().map_err(CheckoutError::io("sync", path))?;
    }
    Ok(())
}

/// Writes one file or link where nothing stands, and gives its stat data.
fn write(
    path: &Path,
    item: &Item,
    mode: u32,
    source: &dyn ObjectSource,
    sync: bool,
) -> Result<Stat, CheckoutError> {
    let content = |error| match error {
        ReadContentError::Write(error) => CheckoutError::io("write", path)(error),
        ReadContentError::Store(error) => error.into(),
    };
    if item.kind == Kind::Symlink {
        let mut target = Vec::new();
        read_content(item, source, &mut target).map_err(content)?;
        let target = PathBuf::from(std::ffi::OsString::from_vec(target));
        std::os::unix::fs::symlink(target, path).map_err(CheckoutError::io("create link", path))?;
        let stat = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW);
        return stat
            .map(|stat| Stat::from(&stat))
            .map_err(|error| CheckoutError::io("look at", path)(error.into()));
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = file.map_err(CheckoutError::io("create", path))?;
    if item.bytes < SPARSE_FROM_BYTES {
        read_content(item, source, &mut file).map_err(content)?;
    } else {
        let mut sparse = SparseWriter::new(&file);
        read_content(item, source, &mut sparse).map_err(content)?;
        sparse.finish().map_err(CheckoutError::io("write", path))?;
    }
    let failed = |error: rustix::io::Errno| CheckoutError::io("sync", path)(error.into());
    if sync {
        rustix::fs::fsync(&file).map_err(failed)?;
    }
    rustix::fs::fstat(&file).map(|stat| Stat::from(&stat)).map_err(failed)
}

impl Staged {
    /// The directories that were brought as a whole, for the new index. Files that were written
    /// at `clock_ns` or later may have been edited in the same tick.
    pub(super) fn into_blocks(mut self, clock_ns: i64) -> Vec<(Vec<u8>, Block<'static>)> {
        let mut below: Vec<Block<'static>> = Vec::new();
        while let Some(level) = self.levels.pop() {
            let mut children = below.into_iter();
            let blocks = level.into_iter().map(|grown| {
                let mut block = BlockBuilder::default();
                for (name, item, stat) in &grown.entries {
                    if item.is_directory() {
                        let child = children.next().expect("each subdirectory was grown");
                        block.directory(name, item, child);
                    } else {
                        block.content(name, item, stat, is_racy(stat, clock_ns));
                    }
                }
                block.finish()
            });
            below = blocks.collect();
        }
        self.grown_paths.into_iter().zip(below).collect()
    }
}
