//! A folder in the working copy that is on another file system, where nothing can be renamed to or from
//! `.fastest/tmp`. What comes there is copied beside its name first.
//!
//! Two names are used: a copy is written under one, which a crash leaves cut short, and moved to the other
//! once it is whole. Under the other then waits what came out. So that whatever a crash leaves, what is
//! ours can be told from what is the user's.

use std::fs::File;
use std::os::fd::AsFd;

use rustix::fs::{FileType, Mode};
use rustix::io::Errno;

use crate::beneath::change::{self, At, Renamed, move_new, remove_file};
use crate::beneath::{Beneath, READ, look_at};
use crate::stat::Node;

use super::plan::Expected;
use super::sparse;
use super::taken::{Outcome, is_file, is_of_kind, name_again, name_beside};
use super::target::content_id;
use super::{KeptWhy, display};

/// Brings a file or link where nothing stands.
pub(super) fn put_new(here: At<'_>, there: At<'_>) -> Outcome {
    let names = Names::beside(there);
    names.copy(here)?;
    match move_new(names.whole(), there)? {
        Renamed::Done => Ok(()),
        _ => {
            remove_file(there.0, &names.whole)?;
            Err(KeptWhy::Changed)
        }
    }
}

/// Brings a file or link in the place of another, as version 1 of the journal has it.
pub(super) fn replace(here: At<'_>, there: At<'_>) -> Outcome {
    let names = Names::beside(there);
    names.copy(here)?;
    let replaced = change::replace(names.whole(), there);
    if replaced.is_err() {
        remove_file(there.0, &names.whole)?;
    }
    replaced.map(drop).map_err(Into::into)
}

/// Brings a file or link in the place of another, which is looked at once it has come out.
pub(super) fn exchange(here: At<'_>, there: At<'_>, expect: &Expected) -> Outcome {
    let names = Names::beside(there);
    names.copy(here)?;
    let ours = look_at(there.0, &names.whole)?;
    match change::exchange(names.whole(), there) {
        Ok(Renamed::Done) => names.came_out(ours, expect),
        Ok(Renamed::Unable) if content_id(there, expect.kind)? == expect.id => {
            change::replace(names.whole(), there)?;
            Ok(())
        }
        exchanged => {
            remove_file(there.0, &names.whole)?;
            exchanged?;
            Err(KeptWhy::Changed)
        }
    }
}

/// Takes away a file or link, which is looked at before it is deleted.
pub(super) fn remove(there: At<'_>, expect: &Expected) -> Outcome {
    let names = Names::beside(there);
    match move_new(there, names.whole()) {
        Ok(Renamed::Done) => names.came_out(None, expect),
        Ok(_) => Err(KeptWhy::Changed),
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Settles what a crash left beside a name: before anything else is done with it. `here` is where the
/// new content waits, if any is to come.
pub(super) fn recover(here: Option<At<'_>>, there: At<'_>, expect: Option<&Expected>) -> Outcome {
    let names = Names::beside(there);
    change::remove_all(there.0, &names.copying)?;
    let Some(found) = look_at(there.0, &names.whole)? else { return Ok(()) };
    if here.is_some_and(|here| is_copy(names.whole(), here)) {
        return Ok(remove_file(there.0, &names.whole)?);
    }
    let ours = match here.is_some_and(|here| is_copy(there, here)) {
        true => look_at(there.0, there.1)?,
        false => None,
    };
    match expect {
        Some(expect) => names.came_out(ours, expect),
        None if found == Node::Directory => Ok(()),
        None => Err(names.put_back(ours)),
    }
}

/// Whether two files or links are of one kind and content.
pub(super) fn is_copy(one: At<'_>, other: At<'_>) -> bool {
    let look = |at: At<'_>| look_at(at.0, at.1).ok().flatten();
    match (look(one), look(other)) {
        (Some(Node::Content(kind, stat)), Some(Node::Content(other_kind, other_stat))) => {
            let id = |at| content_id(at, kind).ok();
            kind == other_kind && stat.bytes == other_stat.bytes && id(one) == id(other)
        }
        _ => false,
    }
}

/// The two names beside a name.
struct Names<'a> {
    there: At<'a>,
    copying: Vec<u8>,
    whole: Vec<u8>,
}

impl<'a> Names<'a> {
    fn beside(there: At<'a>) -> Self {
        let mark = &blake3::hash(there.1).to_hex()[..16];
        let whole = format!(".fastest-{mark}").into_bytes();
        Self { there, copying: [&whole[..], b"-new"].concat(), whole }
    }

    fn whole(&self) -> At<'_> {
        At(self.there.0, &self.whole)
    }

    /// Copies what waits `here`, durably.
    fn copy(&self, here: At<'_>) -> Outcome {
        change::remove_all(self.there.0, &self.copying)?;
        let folder = Beneath::from(rustix::io::dup(self.there.0)?);
        let found = rustix::fs::statat(here.0, here.1, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(found.st_mode) == FileType::Symlink {
            let target = rustix::fs::readlinkat(here.0, here.1, Vec::new())?;
            change::make_link(folder.as_fd(), &self.copying, target.as_bytes())?;
        } else {
            let mode = Mode::from_raw_mode(found.st_mode & 0o777);
            let copy = change::create_file(&folder, &self.copying, mode)?;
            let mut from = File::from(rustix::fs::openat(here.0, here.1, READ, Mode::empty())?);
            sparse::copy(&mut from, &copy)?;
            // The umask had its say when the file was written; the bits of a replaced one are whole.
            let _ = rustix::fs::fchmod(&copy, mode);
            copy.sync_all()?;
        }
        match move_new(At(self.there.0, &self.copying), self.whole())? {
            Renamed::Done => Ok(()),
            _ => Err(KeptWhy::Changed),
        }
    }

    /// Deletes what came out, if it is what was expected. Else it goes back.
    fn came_out(&self, ours: Option<Node>, expect: &Expected) -> Outcome {
        let found = look_at(self.there.0, &self.whole)?;
        let is_expected = is_of_kind(found, expect)
            && is_file(found, &expect.stat)
            && content_id(self.whole(), expect.kind)? == expect.id;
        match is_expected {
            true => Ok(remove_file(self.there.0, &self.whole)?),
            false => Err(self.put_back(ours)),
        }
    }

    fn put_back(&self, ours: Option<Node>) -> KeptWhy {
        let ours = match ours {
            Some(Node::Content(_, stat)) => Some(stat),
            _ => None,
        };
        match name_again(self.whole(), self.there, ours.as_ref()) {
            Ok(true) if ours.is_some() => match remove_file(self.there.0, &self.whole) {
                Ok(()) => KeptWhy::Changed,
                Err(error) => error.into(),
            },
            Ok(true) => KeptWhy::Changed,
            _ => match name_beside(self.whole(), self.there) {
                Ok(aside) => KeptWhy::Both { aside: display(&aside) },
                Err(error) => error.into(),
            },
        }
    }
}
