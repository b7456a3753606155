//! What a checkout takes out of the folder.
//!
//! A file is checked before it is replaced or deleted. But between the check and the rename an
//! editor may save, and a rename over the file would lose that save. So no file is overwritten by a
//! rename. The old file and the new one exchange names, or the old one is moved, and what was taken
//! out is kept in `.fastest/tmp`. There it is checked. If it is not what was expected, it is put
//! back. It is deleted only once it is known to be in the store, and everything else is durable.
//!
//! In what follows, *there* is the name in the folder, *here* is the one in `.fastest/tmp` (or
//! beside it, see `across`), and *ours* is the new file, identified by the stat data that it was
//! written with.
//!
//! Two gaps remain. A process that has the old file open may write to it after the last check. And
//! on a file system that cannot exchange two names (NFS, some of FUSE), the file is checked and
//! then overwritten by a rename.

use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use rustix::io::Errno;

use crate::files::beneath::change::{At, Renamed, exchange, move_new, remove_file, replace};
use crate::files::beneath::{Parents, look_at};
use crate::files::disk;
use crate::files::stat::{Node, Stat, updates_times_of_mapped_writes};
use crate::object::path::{join, split, to_path};
use crate::worktree::checkout::across::Across;
use crate::worktree::checkout::change::Expected;
use crate::worktree::checkout::outcome::{Kept, KeptWhy, Outcome};
use crate::worktree::checkout::put_back::{PutBack, name_beside, put_back};
use crate::worktree::checkout::site::Site;
use crate::worktree::checkout::step::Rules;
use crate::worktree::checkout::target::{holds_expected, is_file, is_of_kind};

/// How long a file's times may stay the same although it is written to through a mapping. The
/// system updates them at the first write to a page, and again only once the page has been written
/// to the disk. Linux does that after half a minute, or after ten minutes on laptops that save
/// power.
const MAPPED_WRITES_SHOW_WITHIN: Duration = Duration::from_secs(60 * 60);

/// Something that was taken out.
#[derive(Debug)]
struct Out {
    path: Vec<u8>,
    /// Its name in the folder of temporary files.
    waits: Vec<u8>,
    expect: Expected,
    /// What was put in its place; `None` if it was deleted.
    ours: Option<Stat>,
}

pub(super) struct Taken<'s> {
    site: &'s Site,
    rules: Rules,
    out: Vec<Out>,
    updates_times_of_mapped_writes: bool,
    /// What could not be put anywhere: it is still in the folder of temporary files.
    pub(super) stuck: Option<(PathBuf, io::Error)>,
}

impl<'s> Taken<'s> {
    pub(super) fn new(site: &'s Site, rules: Rules) -> Self {
        let updates_times_of_mapped_writes = updates_times_of_mapped_writes(&site.folder);
        Self { site, rules, out: Vec::new(), updates_times_of_mapped_writes, stuck: None }
    }

    /// Puts the file with the temporary name `waits` in the place of one that was just checked.
    pub(super) fn put(
        &mut self,
        path: &[u8],
        (waits, ours): (&[u8], &Stat),
        expect: &Expected,
        parents: &mut Parents<'_>,
    ) -> Outcome {
        let (parent, name) = parents.open(path)?;
        let (here, there) = (self.site.waiting(waits), At(parent, name));
        if self.rules == Rules::Rename {
            return match replace(here, there)? {
                Renamed::Across => Across::beside(path, there).replace(here),
                _ => Ok(()),
            };
        }
        match exchange(there, here) {
            Ok(Renamed::Done) => self.check_taken_out(path, waits, expect, Some(ours), parents),
            Ok(Renamed::Across) => Across::beside(path, there).exchange(here, expect),
            Ok(Renamed::Unable) if holds_expected(there, expect) => {
                Ok(replace(here, there).map(drop)?)
            }
            Ok(Renamed::Unable | Renamed::Taken) | Err(Errno::NOENT) => Err(KeptWhy::Changed),
            Err(error) => Err(error.into()),
        }
    }

    /// Like [`Taken::put`], in the place of a database whose locks are held. It must not be opened.
    pub(super) fn put_locked(
        &mut self,
        path: &[u8],
        (waits, ours): (&[u8], &Stat),
        expect: &Expected,
        parents: &mut Parents<'_>,
    ) -> Outcome {
        let (parent, name) = parents.open(path)?;
        let (here, there) = (self.site.waiting(waits), At(parent, name));
        let exchanged = match self.rules {
            Rules::Exchange => exchange(there, here)?,
            Rules::Rename => Renamed::Unable,
        };
        match exchanged {
            Renamed::Done => self.check_taken_out(path, waits, expect, Some(ours), parents),
            Renamed::Unable => match replace(here, there)? {
                Renamed::Done => Ok(()),
                _ => Err(Errno::XDEV.into()),
            },
            Renamed::Across => Err(Errno::XDEV.into()),
            Renamed::Taken => Err(KeptWhy::Changed),
        }
    }

    /// Takes out what was just checked. It gets the temporary name `waits`.
    pub(super) fn remove(
        &mut self,
        path: &[u8],
        waits: &[u8],
        expect: &Expected,
        parents: &mut Parents<'_>,
    ) -> Outcome {
        let (parent, name) = parents.open(path)?;
        if self.rules == Rules::Rename {
            return Ok(remove_file(parent, name)?);
        }
        match move_new(At(parent, name), self.site.waiting(waits)) {
            Ok(Renamed::Done) => self.check_taken_out(path, waits, expect, None, parents),
            Ok(Renamed::Across) => Across::beside(path, At(parent, name)).remove(expect),
            Ok(Renamed::Taken | Renamed::Unable) => Err(KeptWhy::Changed),
            // Somebody else deleted it.
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns whether a temporary name is that of something that a step took out before a crash,
    /// rather than of the step's new content. True if it cannot be looked at.
    pub(super) fn was_taken_out(&self, waits: &[u8], ours: Option<&Stat>) -> bool {
        if self.rules == Rules::Rename {
            return false;
        }
        match look_at(&self.site.tmp, waits) {
            Ok(found) => found.is_some() && ours.is_none_or(|ours| !is_file(found, ours)),
            Err(_) => true,
        }
    }

    /// Puts back what a step took out before a crash and nobody has checked since, unless it is
    /// what was expected.
    pub(super) fn keep_unseen(
        &mut self,
        path: &[u8],
        waits: &[u8],
        expect: &Expected,
        ours: Option<&Stat>,
        parents: &mut Parents<'_>,
    ) -> Option<Kept> {
        if !self.was_taken_out(waits, ours) || holds_expected(self.site.waiting(waits), expect) {
            return None;
        }
        let (path, waits) = (path.to_vec(), waits.to_vec());
        let out = Out { path, waits, expect: *expect, ours: ours.copied() };
        Some(self.keep(&out, parents))
    }

    /// Compares the stat data of what was taken out. Its content is read once all changes are made.
    pub(super) fn check_taken_out(
        &mut self,
        path: &[u8],
        waits: &[u8],
        expect: &Expected,
        ours: Option<&Stat>,
        parents: &mut Parents<'_>,
    ) -> Outcome {
        let (path, waits) = (path.to_vec(), waits.to_vec());
        let mut out = Out { path, waits, expect: *expect, ours: ours.copied() };
        // Not every file system keeps a file's inode when it is renamed; then the content decides.
        if !self.looks_expected(&out) {
            if !holds_expected(self.site.waiting(&out.waits), expect) {
                return Err(self.put_back(&out, parents));
            }
            if let Ok(Some(Node::Content(_, stat))) = look_at(&self.site.tmp, &out.waits) {
                out.expect.stat = stat;
            }
        }
        self.out.push(out);
        Ok(())
    }

    fn looks_expected(&self, out: &Out) -> bool {
        let found = look_at(&self.site.tmp, &out.waits).ok().flatten();
        is_of_kind(found, &out.expect) && is_file(found, &out.expect.stat)
    }

    /// Reads what was taken out, if its times do not show every write, and puts back what is not as
    /// expected.
    pub(super) fn check(&mut self, parents: &mut Parents<'_>) -> Vec<Kept> {
        let out = std::mem::take(&mut self.out);
        let is_expected = |out: &Out| {
            let may_differ = out.expect.racy || self.may_be_mapped(&out.expect.stat);
            let here = self.site.waiting(&out.waits);
            self.looks_expected(out) && (!may_differ || holds_expected(here, &out.expect))
        };
        let expected: Vec<bool> = out.par_iter().map(is_expected).collect();
        let mut kept = Vec::new();
        for (out, is_expected) in out.into_iter().zip(expected) {
            if is_expected { self.out.push(out) } else { kept.push(self.keep(&out, parents)) }
        }
        kept
    }

    /// Deletes what was taken out and checked, unless it has changed since. The second list has the
    /// folders in which something was put back.
    pub(super) fn delete(&mut self, parents: &mut Parents<'_>) -> (Vec<Kept>, Vec<Vec<u8>>) {
        let out = std::mem::take(&mut self.out);
        let delete = |out: &Out| {
            let is_expected = self.looks_expected(out);
            if is_expected {
                // What cannot be deleted now is deleted with the folder.
                let _ = remove_file(self.site.tmp.as_fd(), &out.waits);
            }
            is_expected
        };
        let deleted: Vec<bool> = out.par_iter().map(delete).collect();
        let changed = out.iter().zip(deleted).filter(|(_, deleted)| !deleted);
        let changed: Vec<&Out> = changed.map(|(out, _)| out).collect();
        let kept = changed.iter().map(|out| self.keep(out, parents)).collect();
        (kept, changed.iter().map(|out| split(&out.path).0.to_vec()).collect())
    }

    fn may_be_mapped(&self, stat: &Stat) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let young = now.saturating_sub(MAPPED_WRITES_SHOW_WITHIN).as_nanos() as i128;
        !self.updates_times_of_mapped_writes || i128::from(stat.ctime_ns) >= young
    }

    fn keep(&mut self, out: &Out, parents: &mut Parents<'_>) -> Kept {
        Kept { path: to_path(&out.path), why: self.put_back(out, parents) }
    }

    /// Puts something back under its own name. If a newer version has that name by now, the newer
    /// one keeps it, and this one is put beside it. Returns what to tell the user.
    fn put_back(&mut self, out: &Out, parents: &mut Parents<'_>) -> KeptWhy {
        let here = self.site.waiting(&out.waits);
        let beside = match parents.open(&out.path) {
            Ok((parent, name)) => {
                let there = At(parent, name);
                match put_back(here, there, out.ours.as_ref()) {
                    Ok(PutBack::OwnName) => return KeptWhy::Changed,
                    Ok(PutBack::Beside(aside)) => Ok(aside),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        };
        let folder = split(&out.path).0;
        if let Ok(aside) = beside {
            return KeptWhy::Both { aside: to_path(&join(folder, &aside)) };
        }
        match self.keep_in_state(here, split(&out.path).1) {
            Ok(aside) => KeptWhy::Both { aside },
            Err(error) => {
                let path = self.site.state.tmp().join(to_path(&out.waits));
                self.stuck = Some((path, error.into()));
                error.into()
            }
        }
    }

    /// The last resort, if the folder of a file is gone or cannot be written to.
    fn keep_in_state(&self, here: At<'_>, name: &[u8]) -> Result<PathBuf, Errno> {
        let failed = |error: io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
        let kept = self.site.state.open_kept().map_err(failed)?;
        let aside = name_beside(here, At(kept.as_fd(), name))?;
        disk::sync_handle(&kept).map_err(failed)?;
        Ok(self.site.state.kept().join(to_path(&aside)))
    }
}
