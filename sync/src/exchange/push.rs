//! Push: sends the queued rows to the primary, one statement after another.
//!
//! If the primary refuses a statement because others were first, because it was set up anew, or
//! because this device is a copy of another, the cause is dealt with and the push is planned again.
//! If it refuses the writes of a transaction, that transaction is found (`blame`) and set aside
//! (`refused`), and all others are sent.

mod decide;
mod recovery;
pub(crate) mod state;
mod statements;

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use fastest_core::store::open::Store;
use fastest_schema::{Refusal, ScopeId, unseen_sql};
use tracing::debug;

use self::decide::{Looked, Outcome, PushState, Step};
use self::state::Push;
use self::statements::Sending;
use crate::base::waiting;
use crate::error::SyncError;
use crate::exchange::blame::stale;
use crate::exchange::proof::seen_list;
use crate::exchange::pull::{Pulled, forget, pull_scope};
use crate::exchange::push::recovery::recovery;
use crate::exchange::unseen::yield_to_unseen;
use crate::remote::level::{check_not_newer, explained, lacked, migrate, set_up};
use crate::remote::open::Remote;
use crate::remote::primary::{PrimaryError, ask_cell_by};
use crate::replica::engine_table::EngineTable;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::device_row::DeviceRow;
use crate::replica::local::outbox::Outbox;
use crate::replica::local::remote_row::RemoteRow;
use crate::replica::local::schema_row::SchemaRow;
use crate::replica::local::sent_row::SentRow;
use crate::replica::open::Replica;
use crate::replica::scope::Scopes;

pub use self::state::Pushed;

/// The most scopes that one request asks about.
const SCOPES_ASKED_MAX: usize = 1_000;

/// Sends everything that is queued in `scope`, except for heads that need a merge first.
pub async fn push_scope(
    replica: &mut Replica,
    store: &Store,
    remote: &Remote,
    scope: &ScopeId,
    locks_dir: &Path,
) -> Result<Pushed, SyncError> {
    let path = locks_dir.join("push");
    let _lock = waiting::lock(&path, "the store's turn to push")?;
    push_locked(replica, Some(store), remote, Some(scope)).await
}

/// Works as [`push_scope`], for a replica with or without packs. The caller ensures that no other
/// push from this replica is running. Without a scope, everything that is queued is sent.
pub(crate) async fn push_locked(
    replica: &mut Replica,
    store: Option<&Store>,
    remote: &Remote,
    scope: Option<&ScopeId>,
) -> Result<Pushed, SyncError> {
    let scopes = match scope {
        Some(scope) => vec![scope.to_owned()],
        None => Outbox(replica.read()).scopes()?,
    };
    if scopes.is_empty() {
        return Ok(Pushed::default());
    }
    let mut push = Push {
        replica,
        store,
        remote,
        scope,
        done: Pushed::default(),
        state: PushState::default(),
        is_asked: false,
        most: usize::MAX,
        scopes,
        last: None,
        learned: BTreeSet::new(),
    };
    push.greet().await?;
    push.run().await
}

impl Push<'_> {
    /// Pulls the scopes that were never read to the end, and the first one if nothing is known of
    /// the primary yet. If there are none, it checks the primary's version and, if there are
    /// several scopes, whether the primary lacks changes that were seen in them.
    async fn greet(&mut self) -> Result<(), SyncError> {
        let scopes = self.scopes.clone();
        for scope in &scopes {
            let session = self.replica.read();
            if RemoteRow(session).get()?.epoch.is_none() || Cursors(session).is_reading(scope)? {
                self.pull(scope).await?;
            }
        }
        if self.is_asked {
            return Ok(());
        }
        check_not_newer(&*self.remote.primary, self.replica.schema()).await?;
        if scopes.len() > 1 {
            for scopes in scopes.chunks(SCOPES_ASKED_MAX) {
                self.check_for_restore(scopes).await?;
            }
        }
        Ok(())
    }

    /// Pulls the scopes in which the primary lacks a change that was seen there. A statement checks
    /// this for only one of its scopes.
    async fn check_for_restore(&mut self, scopes: &[ScopeId]) -> Result<(), SyncError> {
        let seen = seen_list(self.replica.read(), scopes)?;
        let (primary, request) = (&*self.remote.primary, self.remote.world().new_id());
        let unseen = match ask_cell_by(primary, &unseen_sql(), &[&request, &seen]).await {
            // The push will get the same error, and set the primary up.
            Err(PrimaryError::NotMigrated { .. }) => return Ok(()),
            unseen => unseen?,
        };
        self.is_asked = true;
        let unseen: HashSet<ScopeId> =
            unseen.and_then(|list| serde_json::from_str(&list).ok()).unwrap_or_default();
        for scope in scopes {
            if !unseen.contains(scope) {
                continue;
            }
            self.pull(scope).await?;
        }
        Ok(())
    }

    async fn pull(&mut self, scope: &ScopeId) -> Result<Pulled, SyncError> {
        let pulled = pull_scope(self.replica, self.store, self.remote, scope).await?;
        self.is_asked = true;
        self.done.primary_went_back |= pulled.primary_went_back;
        self.done.behind = pulled.behind.clone().or(self.done.behind.take());
        Ok(pulled)
    }

    async fn run(mut self) -> Result<Pushed, SyncError> {
        loop {
            let error = match self.once().await {
                Ok(Sending { again: true, .. }) => continue,
                Ok(Sending { diverged, .. }) => {
                    let learned = std::mem::take(&mut self.learned);
                    for scope in &learned {
                        self.pull(scope).await?;
                    }
                    if self.is_asked {
                        return Ok(Pushed { diverged, ..self.done });
                    }
                    // Nothing was sent, so it is not known yet whether the primary still has
                    // everything: ask it.
                    for scope in self.scopes.clone() {
                        self.pull(&scope).await?;
                    }
                    continue;
                }
                Err(SyncError::Primary(error)) => error,
                Err(error) => return Err(error),
            };
            let scope = self.scope.map(ScopeId::as_str);
            debug!(scope, %error, attempts = self.state.attempts, "a push was not accepted");
            let error = self.prepare(error).await?;
            // The primary's error says that it applied nothing.
            self.replica.write(|session| SentRow(session).void())?;
            self.look(error).await?;
        }
    }

    /// Does what a refusal requires before the scopes are pulled, or ends the push.
    async fn prepare(&mut self, error: PrimaryError) -> Result<PrimaryError, SyncError> {
        let (primary, schema) = (&*self.remote.primary, self.replica.schema());
        let step = self.state.next(Outcome::Refused(recovery(&error)));
        match step {
            Step::SetUp => match set_up(primary, schema).await {
                // The primary inside the store has no other devices that an upgrade could lock out.
                Err(PrimaryError::Behind { .. })
                    if self.remote.chosen.is_none()
                        && self.replica.rules().upgrades_own_primary =>
                {
                    migrate(primary, schema).await?;
                }
                is_set_up => is_set_up?,
            },
            Step::BecomeNewDevice => {
                self.done.new_device = true;
                self.replica.write(|session| DeviceRow(session).reset_identity())?;
            }
            Step::Forget => {
                // A primary of another version may have the seen change under another name.
                check_level(self.replica, self.remote).await?;
                self.done.primary_went_back = true;
                forget(self.replica, self.remote)?;
            }
            Step::Contended => {
                return Err(SyncError::Contended { attempts: self.state.attempts });
            }
            Step::GiveUp => {
                self.replica.write(|session| SentRow(session).void())?;
                return Err(error.into());
            }
            Step::Unmendable => {
                // Drops a statement that the primary will never accept, so that it cannot block the
                // queue.
                if matches!(error, PrimaryError::Failed { .. } | PrimaryError::Refused { .. }) {
                    self.replica.write(|session| SentRow(session).void())?;
                }
                return Err(explained(primary, schema, error).await.error().into());
            }
            Step::GoOn | Step::Look | Step::FindFault | Step::ReadAnew | Step::PlanAgain => {}
        }
        Ok(error)
    }

    /// Pulls the scopes of a refused statement, and takes the next step, depending on what the pull
    /// brings.
    async fn look(&mut self, error: PrimaryError) -> Result<(), SyncError> {
        let (scopes, is_foreign) = self.concerned(&error).await?;
        let is_explained = self.is_explained(&scopes).await?;
        let lacks_rows = error.lacks_rows();
        let referred_rows_stay = self.replica.rules().referred_rows_stay;
        let looked = Looked { is_explained, is_foreign, lacks_rows, referred_rows_stay };
        match self.state.next(Outcome::Looked(looked)) {
            Step::GiveUp => return Err(error.into()),
            Step::FindFault => return Ok(()),
            Step::ReadAnew => {
                self.read_anew().await?;
                self.done.primary_went_back |= lacks_rows;
            }
            _ => {}
        }
        for scope in &scopes {
            for user in users_waiting(self.replica, scope)? {
                self.pull(&user).await?;
            }
        }
        Ok(())
    }

    /// Pulls these scopes. Returns whether that brings anything that explains a refusal.
    async fn is_explained(&mut self, scopes: &[ScopeId]) -> Result<bool, SyncError> {
        let mut is_explained = false;
        for scope in scopes {
            let pulled = self.pull(scope).await?;
            is_explained |= pulled.changes > 0 || pulled.primary_went_back;
            if self.replica.rules().rows_change_scope {
                let all = Outbox(self.replica.read()).previous_scopes(scope)?;
                for left in all {
                    is_explained |= self.pull(&left).await?.changes > 0;
                }
            }
        }
        for scope in scopes {
            if is_explained {
                break;
            }
            is_explained = yield_to_unseen(self.replica, &*self.remote.primary, scope).await?;
        }
        Ok(is_explained)
    }

    /// Returns the scopes of the last statement; if none was sent, all scopes of the push.
    fn last_scopes(&self) -> Vec<ScopeId> {
        match &self.last {
            Some(sent) => sent.scopes().into_iter().collect(),
            None => self.scopes.clone(),
        }
    }

    /// Returns the scopes to pull after a refusal, and whether the primary has some of the
    /// statement's rows in scopes that are not held here.
    async fn concerned(&mut self, error: &PrimaryError) -> Result<(Vec<ScopeId>, bool), SyncError> {
        let all = self.last_scopes();
        let is_conflict = error.refusal() == Some(Refusal::VersionConflict);
        let can_be_foreign = is_conflict && self.replica.rules().rows_change_scope;
        let sent = self.last.as_ref().filter(|_| can_be_foreign);
        let Some(sent) = sent else { return Ok((all, false)) };
        let found = stale(&*self.remote.primary, &sent.locks()).await?;
        let held = match SchemaRow(self.replica.read()).scope()? {
            Some(scope) => vec![scope],
            None => Scopes(self.replica.read()).held()?,
        };
        let (mut scopes, mut is_foreign) = (BTreeSet::new(), false);
        for (table, key, scope) in found {
            scopes.extend(sent.scope_of(&table, &key).cloned());
            if held.contains(&scope) {
                scopes.insert(scope);
            } else {
                is_foreign = true;
            }
        }
        // If others wrote to rows that refer to these, no lock is stale.
        let scopes = if scopes.is_empty() { all } else { scopes.into_iter().collect() };
        Ok((scopes, is_foreign))
    }

    async fn read_anew(&mut self) -> Result<(), SyncError> {
        forget(self.replica, self.remote)?;
        for scope in self.last_scopes() {
            self.pull(&scope).await?;
        }
        Ok(())
    }
}

/// Fails unless the primary is at this build's version of the schema. If a primary of another
/// version lacks something, that proves nothing.
async fn check_level(replica: &mut Replica, remote: &Remote) -> Result<(), PrimaryError> {
    let primary = &*remote.primary;
    match lacked(primary, replica.schema()).await?.last() {
        None => Ok(()),
        Some(migration) => {
            let (url, needed) = (primary.url().to_owned(), migration.name);
            Err(PrimaryError::Behind { url, needed })
        }
    }
}

/// Returns the scopes of the users whose rows are queued in `scope`. Each user has a scope of its
/// own.
fn users_waiting(replica: &Replica, scope: &ScopeId) -> Result<Vec<ScopeId>, SyncError> {
    let session = replica.read();
    let entries = Outbox(session).entries(scope)?.into_iter();
    let users =
        entries.filter(|entry| session.engine_table(entry.table) == Some(EngineTable::User));
    Ok(users.map(|entry| entry.key.as_str().into()).collect())
}
