//! Push: sends what waits to the primary, statement after statement.
//!
//! If the primary refuses a statement because others were first, because it was set up anew, or
//! because this device is a copy of another, the cause is dealt with and the push is planned again.
//! If it refuses what a transaction would write, that transaction is found (`blame`) and set aside
//! (`refused`), and all others are sent.

mod recovery;
pub(crate) mod state;
mod statements;

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use fastest_core::store::open::Store;
use fastest_schema::{Refusal, unseen_sql};
use tracing::debug;

use self::state::{Push, REFUSED_IN_A_ROW_MAX, Tried};
use self::statements::Sending;
use crate::base::{clock, waiting};
use crate::error::SyncError;
use crate::exchange::blame::stale;
use crate::exchange::proof::seen_list;
use crate::exchange::pull::{Pulled, forget, pull_scope};
use crate::exchange::push::recovery::{Recovery, recovery};
use crate::exchange::unseen::yield_to_unseen;
use crate::remote::level::{check_not_newer, explained, lacked, migrate, set_up};
use crate::remote::open::Remote;
use crate::remote::primary::{PrimaryError, ask_cell_by};
use crate::replica::local::cursors::Cursors;
use crate::replica::local::device_row::DeviceRow;
use crate::replica::local::outbox::Outbox;
use crate::replica::local::remote_row::RemoteRow;
use crate::replica::local::schema_row::SchemaRow;
use crate::replica::local::sent_row::SentRow;
use crate::replica::open::Replica;
use crate::replica::own::Own;
use crate::replica::scope::Scopes;

pub use self::state::Pushed;

/// Retries before a push gives up. Each lost race means that another push succeeded.
const ATTEMPTS_MAX: u32 = 50;

/// Conflicts in a row that no pull explains, after which the primary is read from the beginning.
const UNEXPLAINED_MAX: u32 = 2;

/// Refusals for missing rows after which the rows that refer to them are at fault, even if each
/// pull brings something: in a busy scope it always does.
const LACKING_MAX: u32 = 3;

/// The most scopes in one question to the primary.
const SCOPES_ASKED_MAX: usize = 1_000;

/// Sends everything of `scope` that waits, except for heads that need a merge first.
pub async fn push_scope(
    replica: &mut Replica,
    store: &Store,
    remote: &Remote,
    scope: &str,
    locks_dir: &Path,
) -> Result<Pushed, SyncError> {
    let path = locks_dir.join("push");
    let _lock = waiting::lock(&path, "the store's turn to push")?;
    push_alone(replica, Some(store), remote, Some(scope)).await
}

/// Works as [`push_scope`], for a replica with or without packs; without a scope, it sends
/// everything that waits. The caller ensures that no other push from the replica is under way.
pub(crate) async fn push_alone(
    replica: &mut Replica,
    store: Option<&Store>,
    remote: &Remote,
    scope: Option<&str>,
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
        met: Pushed::default(),
        is_asked: false,
        most: usize::MAX,
        is_complete: false,
        are_foreign: false,
        in_a_row: 0,
        scopes,
        last: None,
        learned: BTreeSet::new(),
    };
    push.greet().await?;
    push.run().await
}

impl Push<'_> {
    /// Pulls the scopes that were never read to the end. If there are none, it checks the primary's
    /// version and, if there are several scopes, whether the primary lacks what was seen in one of
    /// them.
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
                self.look_whether_it_went_back(scopes).await?;
            }
        }
        Ok(())
    }

    /// Pulls the scopes in which the primary lacks what was seen there. A statement proves this for
    /// one of its scopes only.
    async fn look_whether_it_went_back(&mut self, scopes: &[String]) -> Result<(), SyncError> {
        let seen = seen_list(self.replica.read(), scopes)?;
        let (primary, request) = (&*self.remote.primary, clock::new_id());
        let unseen = match ask_cell_by(primary, &unseen_sql(), &[&request, &seen]).await {
            // The push meets the same error, and sets the primary up.
            Err(PrimaryError::NotMigrated { .. }) => return Ok(()),
            unseen => unseen?,
        };
        self.is_asked = true;
        let unseen: HashSet<String> =
            unseen.and_then(|list| serde_json::from_str(&list).ok()).unwrap_or_default();
        for scope in scopes {
            if !unseen.contains(scope) {
                continue;
            }
            self.pull(scope).await?;
        }
        Ok(())
    }

    async fn pull(&mut self, scope: &str) -> Result<Pulled, SyncError> {
        let pulled = pull_scope(self.replica, self.store, self.remote, scope).await?;
        self.is_asked = true;
        self.met.primary_went_back |= pulled.primary_went_back;
        self.met.behind = pulled.behind.clone().or(self.met.behind.take());
        Ok(pulled)
    }

    async fn run(mut self) -> Result<Pushed, SyncError> {
        let mut tried = Tried::default();
        loop {
            let error = match self.once(&mut tried).await {
                Ok(Sending { again: true, .. }) => continue,
                Ok(Sending { diverged, .. }) => {
                    let learned = std::mem::take(&mut self.learned);
                    for scope in &learned {
                        self.pull(scope).await?;
                    }
                    if self.is_asked {
                        return Ok(Pushed { diverged, ..self.met });
                    }
                    // Nothing was sent, so nothing has shown yet whether the primary still has
                    // everything: ask.
                    for scope in self.scopes.clone() {
                        self.pull(&scope).await?;
                    }
                    continue;
                }
                Err(SyncError::Primary(error)) => error,
                Err(error) => return Err(error),
            };
            debug!(scope = self.scope, %error, attempts = tried.attempts, "a push was not accepted");
            let error = self.prepare(&mut tried, error).await?;
            // A refused statement was not applied.
            self.replica.write(|session| SentRow(session).void())?;
            tried.attempts += 1;
            self.look(&mut tried, error).await?;
        }
    }

    /// Does what a refusal requires before the primary is looked at, or ends the push with an
    /// error.
    async fn prepare(
        &mut self,
        tried: &mut Tried,
        error: PrimaryError,
    ) -> Result<PrimaryError, SyncError> {
        let (primary, schema) = (&*self.remote.primary, self.replica.schema());
        match recovery(&error) {
            // After so many refusals in a row, the primary is at fault and not the rows.
            Some(_) if self.in_a_row > REFUSED_IN_A_ROW_MAX => {
                self.replica.write(|session| SentRow(session).void())?;
                return Err(error.into());
            }
            Some(_) if tried.attempts == ATTEMPTS_MAX => {
                return Err(SyncError::Contended { attempts: tried.attempts });
            }
            Some(Recovery::Migrate) => match set_up(primary, schema).await {
                // The primary inside the store has no other devices that an upgrade could lock out.
                Err(PrimaryError::Behind { .. })
                    if self.remote.chosen.is_none() && schema.is_fastest() =>
                {
                    migrate(primary, schema).await?;
                }
                is_set_up => is_set_up?,
            },
            Some(Recovery::NewDevice) => {
                self.met.new_device = true;
                self.replica.write(|session| DeviceRow(session).become_new())?;
            }
            Some(Recovery::Forget) if !tried.forgotten => {
                // A primary of another version may know under another name what was seen: this
                // fails then.
                check_level(self.replica, self.remote).await?;
                (tried.forgotten, self.met.primary_went_back) = (true, true);
                forget(self.replica, self.remote)?;
            }
            Some(Recovery::Pull | Recovery::Complete) => {}
            Some(Recovery::Forget) | None => {
                // Drops a statement that the primary will never accept, so that it cannot block the
                // queue.
                if matches!(error, PrimaryError::Failed { .. } | PrimaryError::Refused { .. }) {
                    self.replica.write(|session| SentRow(session).void())?;
                }
                return Err(explained(primary, schema, error).await.into());
            }
        }
        Ok(error)
    }

    /// Pulls the scopes of a refused statement, and decides what follows if that explains the
    /// refusal, and if it does not.
    async fn look(&mut self, tried: &mut Tried, error: PrimaryError) -> Result<(), SyncError> {
        let (scopes, is_foreign) = self.concerned(&error).await?;
        let mut is_explained = false;
        for scope in &scopes {
            let pulled = self.pull(scope).await?;
            is_explained |= pulled.changes > 0 || pulled.primary_went_back;
            if !self.replica.schema().is_fastest() {
                let all = Outbox(self.replica.read()).scopes_left(scope)?;
                for left in all {
                    is_explained |= self.pull(&left).await?.changes > 0;
                }
            }
        }
        for scope in &scopes {
            if is_explained {
                break;
            }
            is_explained = yield_to_unseen(self.replica, &*self.remote.primary, scope).await?;
        }
        // In a busy scope, a pull always brings something, so the number of attempts counts as
        // well.
        if is_foreign && (!is_explained || tried.attempts >= LACKING_MAX) {
            // The next attempt finds the transaction of such a row and sets it aside.
            self.are_foreign = true;
            return Ok(());
        }
        // After a lost race, a pull brings what won it. If nothing comes time and again, only
        // reading everything can find out what is wrong.
        tried.unexplained = if is_explained { 0 } else { tried.unexplained + 1 };
        let lacks_rows = error.lacks_rows();
        tried.lacking += u32::from(lacks_rows);
        let mut is_lost = tried.unexplained == UNEXPLAINED_MAX;
        if lacks_rows && (!is_explained || tried.lacking == LACKING_MAX) {
            // The rows that Fastest's own rows refer to are never deleted. If they are missing, the
            // primary has lost them, and it is read from the beginning, once. Of an application's
            // rows, the one at fault is found first.
            match self.replica.schema().is_fastest() {
                true if is_explained => {}
                true if tried.forgotten => return Err(error.into()),
                true => is_lost = true,
                false => self.is_complete = true,
            }
        }
        if is_lost && !tried.forgotten {
            self.read_anew(tried).await?;
            self.met.primary_went_back |= lacks_rows;
        }
        for scope in &scopes {
            for user in users_waiting(self.replica, scope)? {
                self.pull(&user).await?;
            }
        }
        Ok(())
    }

    /// Returns the scopes of the statement that was sent last.
    fn last_scopes(&self) -> Vec<String> {
        match &self.last {
            Some(sent) => sent.scopes().into_iter().collect(),
            None => self.scopes.clone(),
        }
    }

    /// Returns the scopes to pull after a refusal, and whether the primary has some of the
    /// statement's rows in scopes that are not held here.
    async fn concerned(&mut self, error: &PrimaryError) -> Result<(Vec<String>, bool), SyncError> {
        let all = self.last_scopes();
        let is_conflict = error.refusal() == Some(Refusal::VersionConflict);
        let sent =
            self.last.as_ref().filter(|_| is_conflict && !self.replica.schema().is_fastest());
        let Some(sent) = sent else { return Ok((all, false)) };
        let found = stale(&*self.remote.primary, &sent.locks()).await?;
        let held = match SchemaRow(self.replica.read()).scope()? {
            Some(scope) => vec![scope],
            None => Scopes(self.replica.read()).held()?,
        };
        let (mut scopes, mut is_foreign) = (BTreeSet::new(), false);
        for (table, key, scope) in found {
            scopes.extend(sent.scope_of(&table, &key).cloned());
            match held.contains(&scope) {
                true => drop(scopes.insert(scope)),
                false => is_foreign = true,
            }
        }
        // No lock is stale if others wrote to rows that refer to these.
        let scopes = if scopes.is_empty() { all } else { scopes.into_iter().collect() };
        Ok((scopes, is_foreign))
    }

    async fn read_anew(&mut self, tried: &mut Tried) -> Result<(), SyncError> {
        forget(self.replica, self.remote)?;
        tried.forgotten = true;
        for scope in self.last_scopes() {
            self.pull(&scope).await?;
        }
        Ok(())
    }
}

/// Fails unless the primary is at this build's version of the schema. What a primary of another
/// version lacks proves nothing.
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

/// Returns the ids of the users whose rows wait in `scope`.
fn users_waiting(replica: &Replica, scope: &str) -> Result<Vec<String>, SyncError> {
    let session = replica.read();
    let entries = Outbox(session).entries(scope)?.into_iter();
    let users = entries.filter(|entry| session.own(entry.table) == Some(Own::User));
    Ok(users.map(|entry| entry.key).collect())
}
