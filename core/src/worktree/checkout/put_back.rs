//! Puts what was taken out of the working copy back under its name, or beside it.

use rustix::io::Errno;

use crate::compare::aside::name_aside;
use crate::files::beneath::change::{At, Renamed, exchange, move_new};
use crate::files::beneath::look_at;
use crate::files::stat::Stat;
use crate::worktree::checkout::target::is_file;

/// Part of the name of a version that is put beside its own name.
const ASIDE: &str = "kept";

/// Where something was put back.
pub(super) enum PutBack {
    /// Under its own name.
    OwnName,
    /// Beside it, under this name: a newer version has its own name by now.
    Beside(Vec<u8>),
}

/// Moves `here` back to its name `there`, where `ours` was put. If a newer version has that name by
/// now, the newer one keeps it, and this one is put beside it.
pub(super) fn put_back(here: At<'_>, there: At<'_>, ours: Option<&Stat>) -> Result<PutBack, Errno> {
    match name_again(here, there, ours) {
        Ok(true) => Ok(PutBack::OwnName),
        _ => name_beside(here, there).map(PutBack::Beside),
    }
}

/// Moves `here` to `there`, if that name is free or still that of the file that we put there.
/// Returns whether it was moved.
fn name_again(here: At<'_>, there: At<'_>, ours: Option<&Stat>) -> Result<bool, Errno> {
    let is_ours =
        |at: At<'_>| ours.is_some_and(|ours| is_file(look_at(at.0, at.1).ok().flatten(), ours));
    if !is_ours(there) {
        return Ok(move_new(here, there)? == Renamed::Done);
    }
    if exchange(there, here)? != Renamed::Done {
        return Ok(false);
    }
    if is_ours(here) {
        return Ok(true);
    }
    // What was taken out now was saved after ours was put there: it is the latest version.
    exchange(there, here)?;
    Ok(false)
}

/// Moves `here` to a free name beside `there`, and returns that name.
pub(super) fn name_beside(here: At<'_>, there: At<'_>) -> Result<Vec<u8>, Errno> {
    let mut taken = std::collections::BTreeSet::new();
    loop {
        let name = name_aside(there.1, ASIDE, &taken);
        match move_new(here, At(there.0, &name))? {
            Renamed::Done => return Ok(name),
            Renamed::Taken => taken.insert(name),
            Renamed::Across => return Err(Errno::XDEV),
            Renamed::Unable => return Err(Errno::NOTSUP),
        };
    }
}
