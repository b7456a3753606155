//! Replaces or deletes a SQLite database that has files beside it, so that at no moment, and after
//! no crash, a log is beside a database that it does not belong to.
//! [`Replaced`](super::replaced::Replaced) has the steps.
//!
//! A database that an application has open is left alone: see [`super::database_lock`].

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::AsFd;

use rustix::io::Errno;

use crate::files::beneath::change::{At, remove_file};
use crate::files::beneath::{Parents, look_at};
use crate::files::stat::Stat;
use crate::worktree::checkout::change::Expected;
use crate::worktree::checkout::database_lock::{is_other_file, lock, lock_unchanged};
use crate::worktree::checkout::mode::copy_mode;
use crate::worktree::checkout::outcome::KeptWhy;
use crate::worktree::checkout::replaced::{SHARED_MEMORY, beside};
use crate::worktree::checkout::site::{Site, removed_name, temporary_name};
use crate::worktree::checkout::step::{Action, Step};
use crate::worktree::checkout::taken::Taken;
use crate::worktree::checkout::target::is_file;
use crate::worktree::database::database_of;

/// The steps of one database, as the journal has them.
struct Group {
    main: Expected,
    /// Its content as a single file: the temporary name and the stat data.
    settled: (u64, Stat),
    sides: Vec<(Vec<u8>, Expected)>,
    /// The new content; `None` if the database is to be deleted.
    new: Option<Stat>,
}

/// How far the steps of one database have come.
enum Progress {
    /// They are being carried out, under these locks.
    Locked { _locks: Vec<File> },
    /// They were carried out before a crash, or the database is left as it is.
    Skipped,
}

/// The databases that the steps of a journal replace.
#[derive(Default)]
pub(super) struct Groups {
    groups: HashMap<Vec<u8>, Group>,
    current: Option<(Vec<u8>, Progress)>,
}

impl Groups {
    /// Finds the steps of databases: they begin with the content as a single file, followed by the
    /// removal of the shared memory.
    pub(super) fn of(steps: &[Step]) -> Self {
        let mut groups = HashMap::new();
        for (at, step) in steps.iter().enumerate() {
            let path = &step.path;
            let next = steps.get(at + 1).is_some_and(|next| {
                next.path == beside(path, SHARED_MEMORY) && matches!(next.action, Action::Remove(_))
            });
            let Action::Put { temporary, staged, expect: Some(main) } = step.action else {
                continue;
            };
            if !next {
                continue;
            }
            let rest = steps[at + 1..].iter().take_while(|step| step.path != *path);
            let sides = rest.filter_map(|step| match step.action {
                Action::Remove(expect) => Some((step.path.clone(), expect)),
                _ => None,
            });
            let sides: Vec<_> = sides.collect();
            let new = match steps.get(at + 1 + sides.len()).map(|step| &step.action) {
                Some(Action::Put { staged, .. }) => Some(*staged),
                _ => None,
            };
            groups.insert(path.clone(), Group { main, settled: (temporary, staged), sides, new });
        }
        Self { groups, current: None }
    }

    /// Carries out a step if it belongs to a database; returns `None` otherwise. If the database is
    /// left as it is, only its first step returns the reason.
    pub(super) fn step(
        &mut self,
        number: usize,
        step: &Step,
        parents: &mut Parents<'_>,
        taken: &mut Taken<'_>,
        site: &Site,
    ) -> Option<Result<(), KeptWhy>> {
        let is_removal = matches!(step.action, Action::Remove(_));
        let database = match database_of(&step.path).filter(|_| is_removal) {
            Some((main, _)) if self.groups.contains_key(main) => main,
            _ => step.path.as_slice(),
        };
        let group = self.groups.get(database)?;
        let outcome = check_taken_out_before(number, step, parents, taken);
        if self.current.as_ref().is_none_or(|(current, _)| current != database) {
            let begun = group.begin(database, parents, site);
            let (progress, begun) = match begun {
                Ok(progress) => (progress, Ok(())),
                Err(why) => (Progress::Skipped, Err(why)),
            };
            self.current = Some((database.to_vec(), progress));
            if begun.is_err() {
                return Some(begun);
            }
        }
        let outcome = outcome.and_then(|()| self.carry_out(number, step, parents, taken, site));
        // The files beside the database belong to what is there now, so they stay.
        if outcome.is_err()
            && let Some((_, progress)) = &mut self.current
        {
            *progress = Progress::Skipped;
        }
        Some(outcome)
    }

    /// Carries out one step under the locks. While these are held, SQLite does not write to the
    /// files, so they are not checked before they are replaced. Nor may they be opened: closing a
    /// file releases every lock that this process has on it. What was taken out is checked
    /// afterwards, and its content at the end.
    fn carry_out(
        &self,
        number: usize,
        step: &Step,
        parents: &mut Parents<'_>,
        taken: &mut Taken<'_>,
        site: &Site,
    ) -> Result<(), KeptWhy> {
        let Some((database, Progress::Locked { .. })) = &self.current else { return Ok(()) };
        let (parent, name) = parents.open(&step.path)?;
        match &step.action {
            Action::Put { temporary, staged, expect: Some(expect) } => {
                if is_standing(parent, name, staged)? {
                    return Ok(());
                }
                let waits = temporary_name(*temporary);
                if self.groups.get(database).is_none_or(|group| group.settled.0 != *temporary) {
                    copy_mode(At(parent, name), site.waiting(&waits))?;
                }
                taken.put_locked(&step.path, (&waits, staged), expect, parents)
            }
            Action::Remove(expect) if step.path == *database => {
                taken.remove(&step.path, &removed_name(number), expect, parents)
            }
            _ if is_other_file(parent, name) => Ok(()),
            _ => match remove_file(parent, name) {
                Err(Errno::NOENT) => Ok(()),
                removed => Ok(removed?),
            },
        }
    }
}

/// Checks what a step took out before a crash, whether or not the database can be locked now.
fn check_taken_out_before(
    number: usize,
    Step { path, action }: &Step,
    parents: &mut Parents<'_>,
    taken: &mut Taken<'_>,
) -> Result<(), KeptWhy> {
    let (waits, expect, ours) = match action {
        Action::Put { temporary, staged, expect: Some(expect) } => {
            (temporary_name(*temporary), expect, Some(staged))
        }
        Action::Remove(expect) => (removed_name(number), expect, None),
        _ => return Ok(()),
    };
    if taken.was_taken_out(&waits, ours) {
        taken.check_taken_out(path, &waits, expect, ours, parents)
    } else {
        Ok(())
    }
}

impl Group {
    /// Checks all files of a database, and locks it, before the first of its steps that is still to
    /// be done.
    fn begin(
        &self,
        path: &[u8],
        parents: &mut Parents<'_>,
        site: &Site,
    ) -> Result<Progress, KeptWhy> {
        let (parent, name) = parents.open(path)?;
        let is_done = match &self.new {
            Some(new) => is_standing(parent, name, new)?,
            None => look_at(parent, name)?.is_none(),
        };
        if is_done {
            return Ok(Progress::Skipped);
        }
        let (temporary, settled) = self.settled;
        let is_settled = is_standing(parent, name, &settled)?;
        let main = (!is_settled).then_some(&self.main);
        let mut locks = vec![lock_unchanged(path, main, &self.sides, parents)?];
        if !is_settled {
            // Before it is locked: closing it would release the lock.
            let (parent, name) = parents.open(path)?;
            copy_mode(At(parent, name), site.waiting(&temporary_name(temporary)))?;
            // Nobody may open it until the files beside it are deleted.
            locks.push(lock(&site.tmp, &temporary_name(temporary))?);
        }
        Ok(Progress::Locked { _locks: locks.into_iter().flatten().collect() })
    }
}

fn is_standing(parent: impl AsFd, name: &[u8], staged: &Stat) -> Result<bool, KeptWhy> {
    Ok(is_file(look_at(parent, name)?, staged))
}
