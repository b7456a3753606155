//! Paths that a checkout left as it found them.

use std::collections::HashSet;

use fastest_core::worktree::checkout::outcome::{Checkout, Kept};
use fastest_core::worktree::left::{self, Left};

use crate::device::path::show;
use crate::device::working_copy::WorkingCopy;
use crate::error::SyncError;

/// Returns the paths that earlier checkouts could not bring into a working copy.
pub(crate) fn left_in(copy: &WorkingCopy) -> Result<Vec<Left>, SyncError> {
    left::load(&copy.state()).map_err(SyncError::io("read", copy.state().left()))
}

/// Returns the notice about a path that was not brought.
pub(crate) fn left_notice(left: &Left) -> String {
    format!("{} was left as it was found: {}", show(&left.path), left.why)
}

/// Returns the warnings of a scan without those about the paths in `left`: the checkout that
/// follows either brings such a path or reports it again.
pub(crate) fn but_for_left(left: &[Left], warnings: Vec<String>) -> Vec<String> {
    let notices: HashSet<String> = left.iter().map(left_notice).collect();
    warnings.into_iter().filter(|warning| !notices.contains(warning)).collect()
}

/// Returns the paths that a checkout left as it found them, each with the reason.
pub(crate) fn show_kept(done: &Checkout) -> Vec<(String, String)> {
    let path = |kept: &Kept| show(kept.path.as_os_str().as_encoded_bytes());
    done.kept.iter().map(|kept| (path(kept), kept.why.to_string())).collect()
}
