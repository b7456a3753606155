//! What a push knows from one go to the next.

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
    /// Workspaces whose head on the primary is not behind ours: they wait for a merge.
    pub diverged: Vec<String>,
    /// Transactions that the primary refused. They wait, with what needs them; all others went.
    pub refused: Vec<RefusedTransaction>,
    /// Whether the primary was found to be another one, or an older state of itself.
    pub primary_went_back: bool,
    /// Whether this device was found to be a copy of another, and is one of its own from here on.
    pub new_device: bool,
    /// The last migration of the primary, as far as it was asked, where this build has newer ones.
    pub behind: Option<String>,
}

/// A push, from its first statement to its last.
pub(super) struct Push<'a> {
    pub(super) replica: &'a mut Replica,
    pub(super) store: Option<&'a Store>,
    pub(super) remote: &'a Remote,
    /// The one scope to push, where not all are.
    pub(super) scope: Option<&'a str>,
    /// What it has done so far.
    pub(super) done: Pushed,
    /// What its next step depends on.
    pub(super) state: PushState,
    /// Whether the primary has answered, so that there is no need to ask what it has.
    pub(super) is_asked: bool,
    /// How many transactions the next statement may have.
    pub(super) most: usize,
    /// The scopes of what waited at first.
    pub(super) scopes: Vec<String>,
    /// The statement that was sent last.
    pub(super) last: Option<Sent>,
    /// Scopes in which rows came to versions that only a pull explains.
    pub(super) learned: BTreeSet<String>,
}
