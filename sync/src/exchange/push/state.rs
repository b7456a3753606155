//! What a push keeps from one attempt to the next.

use fastest_schema::{ScopeId, WorkspaceId};
use std::collections::BTreeSet;

use fastest_core::store::open::Store;

use crate::exchange::push::decide::PushState;
use crate::exchange::statement::Sent;
use crate::remote::open::Remote;
use crate::replica::local::refused::RefusedTransaction;
use crate::replica::open::Replica;

/// What a push did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// Workspaces whose head on the primary is not an ancestor of ours: they wait for a merge.
    pub diverged: Vec<WorkspaceId>,
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
    pub(super) scope: Option<&'a ScopeId>,
    /// What it has done so far.
    pub(super) done: Pushed,
    /// What its next step depends on.
    pub(super) state: PushState,
    /// Whether the primary has answered, so that there is no need to ask what it has.
    pub(super) is_asked: bool,
    /// The most units in the next statement.
    pub(super) most: usize,
    /// The scopes of what waited at first.
    pub(super) scopes: Vec<ScopeId>,
    /// The statement that was sent last.
    pub(super) last: Option<Sent>,
    /// Scopes to pull, because triggers changed rows of theirs.
    pub(super) learned: BTreeSet<ScopeId>,
}
