//! What a push keeps from one attempt to the next.

use std::collections::BTreeSet;

use fastest_core::store::open::Store;

use crate::exchange::statement::Sent;
use crate::remote::open::Remote;
use crate::replica::local::refused::RefusedTransaction;
use crate::replica::open::Replica;

/// The most transactions that are set aside in a row, without the primary accepting any. Past that,
/// the primary is at fault.
pub(super) const REFUSED_IN_A_ROW_MAX: u32 = 50;

/// What a push did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Workspaces whose head on the primary is not an ancestor of ours: they wait for a merge.
    pub diverged: Vec<String>,
    /// Transactions that the primary refused. They wait, with what depends on them; all others were
    /// sent.
    pub refused: Vec<RefusedTransaction>,
    /// Whether the primary was found to be another one, or an older state of itself.
    pub primary_went_back: bool,
    /// Whether this device was found to be a copy of another. It has an id of its own from then on.
    pub new_device: bool,
    /// The last migration of the primary, if this build has newer ones and a pull showed it.
    pub behind: Option<String>,
}

/// A push, from its first statement to its last.
pub(super) struct Push<'a> {
    pub(super) replica: &'a mut Replica,
    pub(super) store: Option<&'a Store>,
    pub(super) remote: &'a Remote,
    /// The one scope to push; `None` for all.
    pub(super) scope: Option<&'a str>,
    pub(super) met: Pushed,
    /// Whether the primary has answered, so that it need not be asked what it has.
    pub(super) is_asked: bool,
    /// The most units in the next statement.
    pub(super) most: usize,
    /// Whether pulls did not bring the rows that others lack. Then the rows that refer to them are
    /// at fault.
    pub(super) is_complete: bool,
    /// Whether rows clash with rows of scopes that are not held here, which no pull brings.
    pub(super) are_foreign: bool,
    /// Transactions set aside since the primary last accepted a statement.
    pub(super) in_a_row: u32,
    /// The scopes of what waited when the push began.
    pub(super) scopes: Vec<String>,
    /// The statement that was sent last.
    pub(super) last: Option<Sent>,
    /// Scopes to pull, because triggers changed rows of theirs.
    pub(super) learned: BTreeSet<String>,
}

/// Counts what was tried since the push began.
#[derive(Default)]
pub(super) struct Tried {
    pub(super) attempts: u32,
    /// Refusals for missing rows.
    pub(super) lacking: u32,
    /// Refusals in a row that no pull explained.
    pub(super) unexplained: u32,
    /// Whether the primary was read from the beginning, which happens once.
    pub(super) forgotten: bool,
}
