//! Carries out a plan, or finishes one that a crash interrupted.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::object::item::Root;
use crate::object::source::ObjectSource;
use crate::progress::Progress;
use crate::worktree::checkout::apply::Applier;
use crate::worktree::checkout::error::CheckoutError;
use crate::worktree::checkout::journal::Journal;
use crate::worktree::checkout::outcome::{Checkout, Kept, Recovered};
use crate::worktree::checkout::plan::Plan;
use crate::worktree::checkout::prepare::Prepared;
use crate::worktree::checkout::reindex::{placed, reindex};
use crate::worktree::checkout::site::Site;
use crate::worktree::checkout::stage::{Staged, stage};
use crate::worktree::checkout::step::Rules;
use crate::worktree::left::{self, Left, is_in_left};
use crate::worktree::stat_index::StatIndex;
use crate::worktree::state_dir::{HEAD, JOURNAL, StateDir};

/// Carries out a plan that was made from `index`, the index of a scan just before. A file that does
/// not match the index is in the way. After [`Plan::whole`] the index of the new tree is saved, so
/// its objects must be durable in the store by then. `head` is the snapshot that the folder is based
/// on afterwards, or empty if that does not change, as it does not if a path is kept. It is kept in
/// the journal for [`recover`], and is set before the journal is removed: a folder with the new tree
/// and the old head would take the new tree for an edit. The paths that are left are recorded before
/// anything changes, in addition to those that were left before. Afterwards the caller saves the list
/// of the new tree ([`Checkout::left`]).
///
/// # Errors
/// Until the journal is written, nothing is changed, whatever the error. An error after it (the
/// index cannot be saved) keeps the journal, and [`recover`] finishes the work.
pub fn execute(
    root: &Path,
    plan: Plan,
    index: &StatIndex,
    source: &dyn ObjectSource,
    head: &[u8],
    progress: &Progress,
) -> Result<Checkout, CheckoutError> {
    let all = execute_until(root, plan, index, source, head, progress, usize::MAX)?;
    Ok(all.expect("nothing stops this checkout"))
}

/// Like [`execute`], but stops before step `stop`, as a crash would, and then returns `None`. The
/// first step is writing the journal. Then come the changes, the check of what they took out,
/// saving the index, setting the head, and removing the journal.
#[doc(hidden)]
pub fn execute_until(
    root: &Path,
    plan: Plan,
    index: &StatIndex,
    source: &dyn ObjectSource,
    head: &[u8],
    progress: &Progress,
    stop: usize,
) -> Result<Option<Checkout>, CheckoutError> {
    write(root, plan, source, progress)?.complete_until(index, source, head, stop)
}

/// A checkout of which everything new has been written, durably, under temporary names.
#[derive(Debug)]
pub struct Written {
    state: StateDir,
    to: Option<Root>,
    /// `None` if the plan had nothing to do.
    staged: Option<(Site, Staged)>,
    /// Paths that are left as they are.
    left: Vec<Left>,
    /// Paths that earlier checkouts left as they were.
    left_before: Vec<Left>,
    /// Those of them that this checkout tries again.
    tried: Vec<Left>,
    /// Databases that are left as they were found.
    kept: Vec<Kept>,
}

/// The first phase of [`execute`]. If [`Written::complete`] does not follow, nothing is changed,
/// and [`recover`] deletes what was written.
///
/// # Errors
/// Nothing is changed, whatever the error.
pub fn write(
    root: &Path,
    plan: Plan,
    source: &dyn ObjectSource,
    progress: &Progress,
) -> Result<Written, CheckoutError> {
    let state = StateDir::of(root);
    if state.has(JOURNAL) {
        return Err(CheckoutError::Unfinished { path: state.journal() });
    }
    let left_before = left::load(&state).map_err(CheckoutError::io("read", state.left()))?;
    let (to, tried) = (plan.to, plan.tried.clone());
    if plan.is_empty() {
        let (left, kept) = (Vec::new(), Vec::new());
        return Ok(Written { state, to, staged: None, left, left_before, tried, kept });
    }
    state.clear_tmp().map_err(CheckoutError::io("clear", state.tmp()))?;
    let site = Site::open(root)?;
    let (staged, left, kept) =
        write_new(plan, &site, source, progress).inspect_err(|_| drop(state.clear_tmp()))?;
    Ok(Written { state, to, staged: Some((site, staged)), left, left_before, tried, kept })
}

impl Written {
    /// The second phase of [`execute`], with the same arguments.
    ///
    /// # Errors
    /// Those of [`execute`] from the journal on.
    pub fn complete(
        self,
        index: &StatIndex,
        source: &dyn ObjectSource,
        head: &[u8],
    ) -> Result<Checkout, CheckoutError> {
        let all = self.complete_until(index, source, head, usize::MAX)?;
        Ok(all.expect("nothing stops this checkout"))
    }

    fn complete_until(
        self,
        index: &StatIndex,
        source: &dyn ObjectSource,
        head: &[u8],
        stop: usize,
    ) -> Result<Option<Checkout>, CheckoutError> {
        let Self { state, to, staged, left, left_before, tried, kept: in_use } = self;
        let Some((site, staged)) = staged else {
            set_head(&state, head)?;
            let brought = brought(&tried, &left);
            return Ok(Some(Checkout { left, brought, ..Checkout::default() }));
        };
        let (state, changes) = (&state, staged.steps.len());
        if stop == 0 {
            return Ok(None);
        }
        // As long as the old head is valid, the paths that were left before count, and those that
        // are left now must count as well: a scan that did not know of a path would take what is
        // there for content.
        if !left.is_empty() || !left_before.is_empty() {
            let all: Vec<Left> = left.iter().chain(&left_before).cloned().collect();
            let save = if head.is_empty() {
                left::save(state, &all)
            } else {
                left::save_both(state, &all, head, &left)
            };
            save.map_err(CheckoutError::io("save", state.left()))?;
        }
        // If something was kept, the caller does not move the head, so it must not do so after a
        // crash either.
        let head = if in_use.is_empty() { head } else { &[] };
        let (head, steps) = (head.to_vec(), staged.steps.clone());
        let journal = Journal { head, steps, rules: Rules::default() };
        journal.save(state).inspect_err(|_| withdraw(state))?;
        let done = apply(&site, &journal, false, stop - 1)?;
        let Some((kept, clock_ns)) = done else { return Ok(None) };
        if stop - 1 == changes + 1 {
            return Ok(None);
        }
        // An index of a tree that the folder does not have would turn what was kept into edits.
        if let Some(to) = to.filter(|_| in_use.is_empty()) {
            save_index(&site, index, &to, staged, source, clock_ns)?;
        }
        if stop - 1 == changes + 2 {
            return Ok(None);
        }
        if kept.is_empty() {
            set_head(state, &journal.head)?;
        }
        if stop - 1 == changes + 3 {
            return Ok(None);
        }
        finish(state)?;
        let kept: Vec<Kept> = in_use.into_iter().chain(kept).collect();
        let brought = if kept.is_empty() { brought(&tried, &left) } else { Vec::new() };
        Ok(Some(Checkout { changes, kept, left, brought }))
    }
}

/// Returns the paths of `tried` that are not left, nor below one that is.
pub(super) fn brought(tried: &[Left], left: &[Left]) -> Vec<Left> {
    tried.iter().filter(|tried| !is_in_left(left, &tried.path)).cloned().collect()
}

/// Finishes a checkout that a crash interrupted, and deletes temporary files that one left. To be
/// called before anything else is done with a working copy. The stat index is still that of the old
/// tree. It is still valid, and the next scan reads the files that the checkout put in place.
///
/// # Errors
/// If the journal cannot be read. The message says what to do.
pub fn recover(root: &Path) -> Result<Option<Recovered>, CheckoutError> {
    let state = StateDir::of(root);
    let Some(journal) = Journal::load(&state)? else {
        let cleared = state.clear_tmp().or_else(in_use);
        cleared.map_err(CheckoutError::io("clear", state.tmp()))?;
        return Ok(None);
    };
    let done = apply(&Site::open(root)?, &journal, true, usize::MAX)?;
    let (kept, _) = done.expect("nothing stops this checkout");
    // What was kept is not an edit of the new tree.
    if kept.is_empty() {
        set_head(&state, &journal.head)?;
    }
    finish(&state)?;
    Ok(Some(Recovered { head: journal.head, kept }))
}

/// Removes a journal that may have got its name, though perhaps not durably. The files that it
/// refers to may be deleted only once it is gone.
fn withdraw(state: &StateDir) {
    if state.remove(JOURNAL).is_ok() {
        drop(state.clear_tmp());
    }
}

/// The first phase, between two checks of what is in the way.
fn write_new(
    plan: Plan,
    site: &Site,
    source: &dyn ObjectSource,
    progress: &Progress,
) -> Result<(Staged, Vec<Left>, Vec<Kept>), CheckoutError> {
    let mut prepared = Prepared::fit(plan, site, source)?;
    let refuse = |paths: Vec<PathBuf>| {
        if paths.is_empty() { Ok(()) } else { Err(CheckoutError::InTheWay { paths }) }
    };
    refuse(prepared.in_the_way()?)?;
    let staged = stage(&prepared, source, progress)?;
    refuse(prepared.in_the_way()?)?;
    prepared.left.sort_unstable();
    Ok((staged, std::mem::take(&mut prepared.left), std::mem::take(&mut prepared.kept)))
}

/// The second phase. Returns what was kept, and the file system's clock before the first step;
/// `None` if it stopped before step `stop`. `again` is set if some steps may have been carried out
/// before a crash.
fn apply(
    site: &Site,
    journal: &Journal,
    again: bool,
    stop: usize,
) -> Result<Option<(Vec<Kept>, i64)>, CheckoutError> {
    let clock_ns = site.state.clock_ns().unwrap_or(i64::MIN);
    let mut applier = Applier::new(site, journal, again);
    for (number, step) in journal.steps.iter().enumerate() {
        if number == stop {
            return Ok(None);
        }
        applier.step(number, step);
    }
    if journal.steps.len() == stop {
        return Ok(None);
    }
    Ok(Some((applier.finish(&journal.steps)?, clock_ns)))
}

fn save_index(
    site: &Site,
    index: &StatIndex,
    to: &Root,
    staged: Staged,
    source: &dyn ObjectSource,
    clock_ns: i64,
) -> Result<(), CheckoutError> {
    let after_ns = site.state.clock_ns().unwrap_or(i64::MIN);
    let placed = placed(site, &staged.steps, clock_ns, after_ns);
    let grown = staged.into_blocks(clock_ns).into_iter().collect();
    Ok(reindex(index, to, placed, grown, source)?.save(&site.state)?)
}

/// Bases the folder on a snapshot, if it is not empty.
fn set_head(state: &StateDir, head: &[u8]) -> Result<(), CheckoutError> {
    if head.is_empty() {
        return Ok(());
    }
    let set = state.replace(HEAD, &[head, b"\n"].concat());
    set.map_err(CheckoutError::io("write", state.path_of(HEAD)))
}

/// Removes the journal durably, and then the temporary files. If the journal came back, it would
/// undo what the caller does next.
fn finish(state: &StateDir) -> Result<(), CheckoutError> {
    state.remove(JOURNAL).map_err(CheckoutError::io("delete", state.journal()))?;
    state.sync().map_err(CheckoutError::io("sync", state.path()))?;
    state.clear_tmp().or_else(in_use).map_err(CheckoutError::io("clear", state.tmp()))
}

/// Accepts that a folder cannot be deleted: a network file system keeps a deleted file that
/// somebody has open under another name, and so keeps its folder. The next command tries again.
fn in_use(error: io::Error) -> io::Result<()> {
    match Errno::from_io_error(&error) {
        Some(Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY) => Ok(()),
        _ => Err(error),
    }
}
