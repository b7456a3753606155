//! The state that a push keeps from one attempt to the next.

use fastest_schema::{ScopeId, WorkspaceId};
use std::collections::BTreeSet;

use fastest_core::store::open::Store;

use crate::exchange::push::decide::PushState;
use crate::exchange::statement::Sent;
use crate::remote::open::Remote;
use crate::replica::local::refused::RefusedTransaction;
use crate::replica::open::Replica;

/// The outcome of a push.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// Workspaces whose head on the primary is not an ancestor of ours: they wait for a merge.
    pub diverged: Vec<WorkspaceId>,
    /// Transactions that the primary refused. They stay queued, with those that depend on them. All
    /// others were sent.
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
    /// The only scope to push; `None` for all.
    pub(super) scope: Option<&'a ScopeId>,
    /// The outcome so far.
    pub(super) done: Pushed,
    /// Decides the next step.
    pub(super) state: PushState,
    /// Whether an answer has already shown that the primary has what it was seen to have.
    pub(super) is_asked: bool,
    /// The most units in the next statement.
    pub(super) most: usize,
    /// The scopes with queued rows when the push began, or the one to push.
    pub(super) scopes: Vec<ScopeId>,
    /// The statement that was sent last.
    pub(super) last: Option<Sent>,
    /// Scopes to pull, because triggers changed their rows.
    pub(super) learned: BTreeSet<ScopeId>,
}
