//! The first phase: everything new is written under temporary names and made durable.

use std::io;
use std::os::fd::AsFd;

use rayon::prelude::*;
use rustix::fs::Mode;
use rustix::io::Errno;

use crate::files::beneath::change::{create_file, make_directory, make_link};
use crate::files::beneath::look_at;
use crate::files::disk;
use crate::files::stat::{Node, Stamp, Stat};
use crate::object::chunk::{ReadContentError, read_content};
use crate::object::item::{Item, Kind};
use crate::object::path::{join, split, to_path};
use crate::object::source::ObjectSource;
use crate::progress::Progress;
use crate::worktree::checkout::change::What;
use crate::worktree::checkout::durable::{self, SYNC_EACH_MAX};
use crate::worktree::checkout::error::CheckoutError;
use crate::worktree::checkout::folding::Folding;
use crate::worktree::checkout::mode::new_mode;
use crate::worktree::checkout::plan::entries_of;
use crate::worktree::checkout::prepare::Prepared;
use crate::worktree::checkout::site::{Site, temporary_name};
use crate::worktree::checkout::sparse::SparseWriter;
use crate::worktree::checkout::step::{Action, Step};
use crate::worktree::stat_index::{Block, BlockBuilder};

/// In files of at least this size, runs of zeros are written as holes.
const SPARSE_FROM_BYTES: u64 = 32 << 10;

/// Everything new, under temporary names.
#[derive(Debug)]
pub(super) struct Staged {
    /// The steps that are still to be carried out, in order.
    pub steps: Vec<Step>,
    /// The paths of the directories that are put in place as a whole.
    grown_paths: Vec<Vec<u8>>,
    /// Those directories and everything below, level by level. The children of a directory are
    /// consecutive in the next level, in the order of their parents.
    levels: Vec<Vec<NewDirectory>>,
}

/// A new directory under its temporary name.
#[derive(Debug)]
struct NewDirectory {
    /// Where it is now, in the folder of temporary files.
    temporary: Vec<u8>,
    /// Where it will be, relative to the root.
    path: Vec<u8>,
    item: Item,
    entries: Vec<(Vec<u8>, Item, Stat)>,
}

/// A single new file or link.
#[derive(Debug)]
struct Put {
    temporary: Vec<u8>,
    item: Item,
    mode: u32,
    stat: Stat,
}

/// Writes everything new that the changes need into the folder of temporary files.
pub(super) fn stage(
    prepared: &Prepared<'_>,
    source: &dyn ObjectSource,
    progress: &Progress,
) -> Result<Staged, CheckoutError> {
    let Prepared { site, changes, databases, folding, .. } = prepared;
    let numbered = || changes.iter().zip(0u64..);
    let roots = numbered().filter_map(|(change, number)| match &change.what {
        What::PutDirectory(item) => {
            let (temporary, path) = (temporary_name(number), change.path.clone());
            Some(NewDirectory { temporary, path, item: *item, entries: Vec::new() })
        }
        _ => None,
    });
    let roots: Vec<_> = roots.collect();
    let grown_paths = roots.iter().map(|root| root.path.clone()).collect();
    let mut levels = grow(roots, site, source, *folding)?;
    let mut puts: Vec<_> = numbered()
        .filter_map(|(change, number)| match change.what {
            What::Put(item, expect) => {
                let (temporary, stat) = (temporary_name(number), Stat::default());
                Some(Put { temporary, item, mode: new_mode(&item, expect.as_ref()), stat })
            }
            _ => None,
        })
        .collect();
    let new = puts.len();
    // The content of a replaced database is written as a single file, too.
    let replaced = changes.iter().filter_map(|change| databases.get(&change.path));
    puts.extend(replaced.zip(changes.len() as u64..).map(|(replaced, number)| {
        let (temporary, stat) = (temporary_name(number), Stat::default());
        let mode = new_mode(&replaced.item, Some(&replaced.main));
        Put { temporary, item: replaced.item, mode, stat }
    }));
    write_all(&mut puts, &mut levels, site, source, progress)?;
    let settled = puts.split_off(new);
    let steps = steps(prepared, puts, settled)?;
    Ok(Staged { steps, grown_paths, levels })
}

/// Returns the steps to carry out once everything is written. `puts` are the new files and links,
/// `settled` the replaced databases, each as a single file.
fn steps(
    Prepared { site, changes, databases, .. }: &Prepared<'_>,
    puts: Vec<Put>,
    settled: Vec<Put>,
) -> Result<Vec<Step>, CheckoutError> {
    let mut settled = (changes.len() as u64..).zip(settled);
    let mut puts = puts.into_iter();
    let steps = changes.iter().zip(0u64..).map(|(change, temporary)| {
        let action = match change.what {
            What::Remove(expect) => Action::Remove(expect),
            What::RemoveDirectory { .. } => Action::RemoveDirectory,
            What::MakeDirectory => Action::MakeDirectory,
            What::PutDirectory(_) => {
                let name = temporary_name(temporary);
                let inode =
                    || Ok(Stamp::from(&rustix::fs::fstat(site.tmp.directory(&name)?)?).inode);
                Action::PutDirectory {
                    temporary,
                    inode: inode().map_err(failed("look at", site, &name))?,
                }
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
    Ok(steps.collect::<Result<Vec<_>, CheckoutError>>()?.concat())
}

/// Creates new directories, level by level, and reads their entries.
fn grow(
    roots: Vec<NewDirectory>,
    site: &Site,
    source: &dyn ObjectSource,
    folding: Folding,
) -> Result<Vec<Vec<NewDirectory>>, CheckoutError> {
    let mut levels = Vec::new();
    let mut next = roots;
    while !next.is_empty() {
        next.par_iter_mut().try_for_each(|grown| -> Result<(), CheckoutError> {
            make_new_directory(&grown.temporary, site)
                .map_err(|error| failed("create", site, &grown.temporary)(error.into()))?;
            let depth = grown.path.iter().filter(|&&byte| byte == b'/').count() + 1;
            let entries = entries_of(&grown.path, &grown.item, source, folding, depth)?;
            let with_stat = |(name, item)| (name, item, Stat::default());
            grown.entries = entries.into_iter().map(with_stat).collect();
            Ok(())
        })?;
        let below = next.iter().flat_map(|grown| {
            let directories = grown.entries.iter().filter(|(_, item, _)| item.is_directory());
            directories.map(|(name, item, _)| NewDirectory {
                temporary: join(&grown.temporary, name),
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
    levels: &mut [Vec<NewDirectory>],
    site: &Site,
    source: &dyn ObjectSource,
    progress: &Progress,
) -> Result<(), CheckoutError> {
    let below = levels.iter_mut().flatten().flat_map(|grown| {
        let NewDirectory { temporary, entries, .. } = grown;
        let contents = entries.iter_mut().filter(|(_, item, _)| !item.is_directory());
        contents.map(|(name, item, stat)| {
            (&temporary[..], Some(&name[..]), &*item, new_mode(item, None), stat)
        })
    });
    let single = puts.iter_mut().map(|put| {
        let Put { temporary, item, mode, stat } = put;
        (&temporary[..], None, &*item, *mode, stat)
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
                Some(name) => &*join(path, name),
                None => *path,
            };
            **stat = write(path, item, *mode, site, source, sync_each)?;
            written(item.bytes);
            progress.add(1, item.bytes);
            Ok(())
        })
    };
    if !sync_each {
        return durable::sync_meanwhile(site, write_jobs);
    }
    write_jobs(&|_| ())?;
    let directories = levels.iter().flatten().map(|grown| &grown.temporary[..]);
    for path in directories.chain([&[][..]]) {
        let sync = || Ok(disk::flush(site.tmp.directory(path)?)?);
        sync().map_err(failed("sync", site, path))?;
    }
    // The folder of temporary files has its own name there: the journal that follows needs it.
    let state = || Ok(disk::flush(site.state.open()?)?);
    state().map_err(CheckoutError::io("sync", site.state.path()))
}

fn make_new_directory(path: &[u8], site: &Site) -> Result<(), Errno> {
    let (parent, name) = split(path);
    make_directory(site.tmp.directory(parent)?.as_fd(), name)
}

/// Returns a closure that names the action and a path in the folder of temporary files.
fn failed(
    action: &'static str,
    site: &Site,
    path: &[u8],
) -> impl FnOnce(io::Error) -> CheckoutError + use<> {
    CheckoutError::io(action, site.state.tmp().join(to_path(path)))
}

/// Writes one file or link where nothing is, and returns its stat data.
fn write(
    path: &[u8],
    item: &Item,
    mode: u32,
    site: &Site,
    source: &dyn ObjectSource,
    sync: bool,
) -> Result<Stat, CheckoutError> {
    let content = |error| match error {
        ReadContentError::Write(error) => failed("write", site, path)(error),
        ReadContentError::Store(error) => error.into(),
    };
    if item.kind == Kind::Symlink {
        let mut target = Vec::new();
        read_content(item, source, &mut target).map_err(content)?;
        return write_link(path, &target, site).map_err(failed("create link", site, path));
    }
    let file = create_file(&site.tmp, path, Mode::from_raw_mode(mode));
    let file = file.map_err(|error| failed("create", site, path)(error.into()))?;
    if item.bytes < SPARSE_FROM_BYTES {
        read_content(item, source, &mut disk::Writer(&file)).map_err(content)?;
    } else {
        let mut sparse = SparseWriter::new(&file);
        read_content(item, source, &mut sparse).map_err(content)?;
        sparse.finish().map_err(failed("write", site, path))?;
    }
    let not_synced = |error: Errno| failed("sync", site, path)(error.into());
    if sync {
        disk::flush(&file).map_err(not_synced)?;
    }
    rustix::fs::fstat(&file).map(|stat| Stat::from(&stat)).map_err(not_synced)
}

fn write_link(path: &[u8], target: &[u8], site: &Site) -> io::Result<Stat> {
    let (parent, name) = split(path);
    let parent = site.tmp.directory(parent)?;
    make_link(parent.as_fd(), name, target)?;
    match look_at(parent, name)? {
        Some(Node::Content(Kind::Symlink, stat)) => Ok(stat),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

impl Staged {
    /// Returns the blocks of the directories that were put in place as a whole, for the new index.
    /// Files that were written at `clock_ns` or later may have been edited in the same tick, and
    /// are racy.
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
                        block.content(name, item, stat, stat.is_racy(clock_ns));
                    }
                }
                block.finish()
            });
            below = blocks.collect();
        }
        self.grown_paths.into_iter().zip(below).collect()
    }
}
