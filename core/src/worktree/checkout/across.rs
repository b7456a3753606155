//! Changes to a folder in the working copy that is on another file system, so that nothing can be
//! renamed between it and `.fastest/tmp`. New content is first copied to a name beside its final
//! one.
//!
//! Two such names are used. A copy is written under the first, where a crash leaves it truncated,
//! and moved to the second once it is complete. What it then replaces is kept under the second name
//! until it was checked. So after a crash, our files can be told from the user's.

use std::fs::File;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::Errno;

use crate::files::beneath::change::{self, At, Renamed, move_new, remove_file};
use crate::files::beneath::{Beneath, READ, look_at};
use crate::files::disk;
use crate::files::stat::Node;
use crate::object::path::{join, split, to_path};
use crate::worktree::checkout::change::Expected;
use crate::worktree::checkout::outcome::{KeptWhy, Outcome};
use crate::worktree::checkout::put_back::{PutBack, put_back};
use crate::worktree::checkout::sparse;
use crate::worktree::checkout::target::{content_id, holds_expected};

/// A name in such a folder, and the two temporary names beside it.
pub(super) struct Across<'a> {
    /// Relative to the root, for messages.
    path: &'a [u8],
    there: At<'a>,
    copying: Vec<u8>,
    whole: Vec<u8>,
}

impl<'a> Across<'a> {
    pub(super) fn beside(path: &'a [u8], there: At<'a>) -> Self {
        let mark = &blake3::hash(there.1).to_hex()[..16];
        let whole = format!(".fastest-{mark}").into_bytes();
        Self { path, there, copying: [&whole[..], b"-new"].concat(), whole }
    }

    fn whole(&self) -> At<'_> {
        At(self.there.0, &self.whole)
    }

    /// Puts what is ready at `here` where nothing is.
    pub(super) fn put_new(&self, here: At<'_>) -> Outcome {
        self.copy(here)?;
        self.done(move_new(self.whole(), self.there))
    }

    /// Replaces a file by what is ready at `here`, as in version 1 of the journal.
    pub(super) fn replace(&self, here: At<'_>) -> Outcome {
        self.copy(here)?;
        self.done(change::replace(self.whole(), self.there))
    }

    /// Replaces a file by what is ready at `here`. The file is checked once it has been taken out.
    pub(super) fn exchange(&self, here: At<'_>, expect: &Expected) -> Outcome {
        self.copy(here)?;
        let ours = look_at(self.there.0, &self.whole)?;
        match change::exchange(self.there, self.whole()) {
            Ok(Renamed::Done) => self.check_taken_out(ours, expect),
            Ok(Renamed::Unable) if holds_expected(self.there, expect) => {
                self.done(change::replace(self.whole(), self.there))
            }
            Err(Errno::NOENT) => self.done(Ok(Renamed::Taken)),
            exchanged => self.done(exchanged),
        }
    }

    /// Deletes the copy if it was not moved into place.
    fn done(&self, moved: Result<Renamed, Errno>) -> Outcome {
        if moved != Ok(Renamed::Done) {
            remove_file(self.there.0, &self.whole)?;
        }
        match moved? {
            Renamed::Done => Ok(()),
            _ => Err(KeptWhy::Changed),
        }
    }

    /// Takes out a file or link, which is checked before it is deleted.
    pub(super) fn remove(&self, expect: &Expected) -> Outcome {
        match move_new(self.there, self.whole()) {
            Ok(Renamed::Done) => self.check_taken_out(None, expect),
            Ok(_) => Err(KeptWhy::Changed),
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Resolves what a crash left beside a name, before anything else is done with it. `here` is
    /// where the new content is ready, if there is any.
    pub(super) fn recover(&self, here: Option<At<'_>>, expect: Option<&Expected>) -> Outcome {
        self.remove_copy(&self.copying)?;
        let Some(found) = look_at(self.there.0, &self.whole)? else { return Ok(()) };
        if here.is_some_and(|here| is_copy(self.whole(), here)) {
            return self.remove_copy(&self.whole);
        }
        let ours = if here.is_some_and(|here| is_copy(self.there, here)) {
            look_at(self.there.0, self.there.1)?
        } else {
            None
        };
        match expect {
            Some(expect) => self.check_taken_out(ours, expect),
            None if found == Node::Directory => Ok(()),
            None => Err(self.put_back(ours)),
        }
    }

    /// Like [`Across::recover`], for version 1 of the journal, under which these names never have a
    /// file of the user's.
    pub(super) fn recover_copies(&self) -> Outcome {
        self.remove_copy(&self.copying)?;
        self.remove_copy(&self.whole)
    }

    fn remove_copy(&self, name: &[u8]) -> Outcome {
        match remove_file(self.there.0, name) {
            // A folder cannot be a copy.
            Ok(()) | Err(Errno::NOENT | Errno::ISDIR | Errno::PERM) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Copies what is ready at `here`, durably.
    fn copy(&self, here: At<'_>) -> Outcome {
        self.remove_copy(&self.copying)?;
        let copied = self.write_copy(here).and_then(|()| {
            let moved = move_new(At(self.there.0, &self.copying), self.whole())?;
            if moved == Renamed::Done { Ok(()) } else { Err(KeptWhy::Changed) }
        });
        copied.inspect_err(|_| drop(self.remove_copy(&self.copying)))
    }

    fn write_copy(&self, here: At<'_>) -> Outcome {
        let folder = Beneath::from(rustix::io::fcntl_dupfd_cloexec(self.there.0, 0)?);
        let found = rustix::fs::statat(here.0, here.1, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(found.st_mode) == FileType::Symlink {
            let target = rustix::fs::readlinkat(here.0, here.1, Vec::new())?;
            return Ok(change::make_link(folder.as_fd(), &self.copying, target.as_bytes())?);
        }
        let mode = Mode::from_raw_mode(found.st_mode & 0o777);
        let copy = change::create_file(&folder, &self.copying, mode)?;
        let mut from = File::from(rustix::fs::openat(here.0, here.1, READ, Mode::empty())?);
        sparse::copy(&mut from, &copy)?;
        // The mode at `here` is final: the umask was applied when that file was written, or the
        // mode was copied from the file that it replaces.
        let _ = disk::set_mode(&copy, mode);
        Ok(disk::sync(&copy)?)
    }

    /// Deletes what was taken out, if it is what was expected. Otherwise it is put back.
    fn check_taken_out(&self, ours: Option<Node>, expect: &Expected) -> Outcome {
        if holds_expected(self.whole(), expect) {
            Ok(remove_file(self.there.0, &self.whole)?)
        } else {
            Err(self.put_back(ours))
        }
    }

    fn put_back(&self, ours: Option<Node>) -> KeptWhy {
        let ours = match ours {
            Some(Node::Content(_, stat)) => Some(stat),
            _ => None,
        };
        match put_back(self.whole(), self.there, ours.as_ref()) {
            Ok(PutBack::OwnName) if ours.is_some() => {
                match remove_file(self.there.0, &self.whole) {
                    Ok(()) => KeptWhy::Changed,
                    Err(error) => error.into(),
                }
            }
            Ok(PutBack::OwnName) => KeptWhy::Changed,
            Ok(PutBack::Beside(aside)) => {
                KeptWhy::Both { aside: to_path(&join(split(self.path).0, &aside)) }
            }
            Err(error) => error.into(),
        }
    }
}

/// Returns whether two files or links have the same kind and content.
pub(super) fn is_copy(one: At<'_>, other: At<'_>) -> bool {
    let look = |at: At<'_>| look_at(at.0, at.1).ok().flatten();
    match (look(one), look(other)) {
        (Some(Node::Content(kind, stat)), Some(Node::Content(other_kind, other_stat))) => {
            let id = |at| content_id(at, kind).ok();
            kind == other_kind
                && stat.bytes == other_stat.bytes
                && id(one).is_some_and(|one| Some(one) == id(other))
        }
        _ => false,
    }
}
