//! One attempt of a push: sends the statements, and searches for the transaction that the primary
//! refuses.

use std::collections::{BTreeSet, HashSet};

use fastest_core::compare::parting::follows;
use fastest_schema::tables::auth::User;
use fastest_schema::tables::projects::Project;
use fastest_schema::{Refusal, Row, RowKey, ScopeId, WorkspaceId};
use tracing::debug;

use crate::error::SyncError;
use crate::exchange::blame::{blame, is_known, middle, missing, suspected};
use crate::exchange::pack_key::owner;
use crate::exchange::packs::upload;
use crate::exchange::plan::is_diverged;
use crate::exchange::plan::{PlannedRow, PushPlan, next_statement, plan};
use crate::exchange::push::decide::{Outcome, Step};
use crate::exchange::push::state::Push;
use crate::exchange::refused;
use crate::exchange::sent::{is_outdated, on_its_way, send, write_down};
use crate::exchange::statement::Sent;
use crate::exchange::transactions::{Place, select};
use crate::remote::pack_store::store::{INLINE_BYTES_MAX, LargePacks};
use crate::remote::primary::PrimaryError;
use crate::replica::engine_table::EngineTable;
use crate::replica::error::ReplicaError;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::held::Held;
use crate::replica::local::known::Known;
use crate::replica::local::outbox::{Entry, Outbox};
use crate::replica::local::refused::Refused;
use crate::replica::local::sent_row::SentRow;
use crate::replica::open::Replica;
use crate::replica::session::Session;
use crate::rows::deletes::Deletes;
use crate::rows::snapshots::Snapshots;

/// The outcome of one attempt.
#[derive(Default)]
pub(super) struct Sending {
    /// Workspaces that wait for a merge.
    pub(super) diverged: Vec<WorkspaceId>,
    /// Whether there is more to send, which has to be planned again.
    pub(super) again: bool,
}

impl Push<'_> {
    /// Sends the queued rows, until the primary refuses a statement.
    pub(super) async fn once(&mut self) -> Result<Sending, SyncError> {
        let mut has_sent = self.resend().await?;
        self.read_unread().await?;
        self.tidy()?;
        let (plan, is_held) = self.plan()?;
        if let (Some(store), Some(scope)) = (self.store, self.scope) {
            let owner = owner(self.replica, &scope.project())?.unwrap_or_else(|| scope.to_string());
            upload(store, self.remote, &owner, &plan.uploads).await?;
        }
        let mut units = &plan.units[..];
        while !units.is_empty() {
            let count = next_statement(units, self.most);
            let (next, rest) = units.split_at(count);
            match self.send(next).await {
                Ok(Delivery::Stale) => return Ok(Sending { again: true, ..Sending::default() }),
                Ok(sent) => {
                    has_sent |= sent == Delivery::Taken;
                    self.most = self.most.saturating_mul(2);
                    units = rest;
                }
                Err(SyncError::Primary(error)) if self.can_set_aside(&error) => {
                    self.most = (count / 2).max(1);
                    self.find_and_set_aside(next, error).await?;
                    return Ok(Sending { again: true, ..Sending::default() });
                }
                Err(error) => return Err(error),
            }
        }
        // The deletes that rows were held for may have been accepted now.
        let again = is_held && has_sent;
        Ok(Sending { diverged: plan.diverged, again })
    }

    /// Plans what to send. Also returns whether rows are held until deletes are accepted.
    fn plan(&self) -> Result<(PushPlan, bool), SyncError> {
        let entries = self.entries()?;
        let (replica, schema) = (&*self.replica, self.replica.schema());
        let (held_rows, refused) = (Held(replica.read()).of(None)?, Refused(replica.read()).ids()?);
        let held_rows: HashSet<(&str, &str)> =
            held_rows.iter().map(|row| (row.table.as_str(), row.key.as_str())).collect();
        let here: BTreeSet<i64> = entries
            .iter()
            .filter(|entry| self.scope.is_none_or(|scope| entry.scope == *scope))
            .map(Entry::transaction)
            .collect();
        let selected = select(schema, &entries, &|entry| match entry.transaction() {
            id if refused.contains(&id) => Place::Aside,
            _ if held_rows.contains(&(entry.table.name, entry.key.as_str())) => Place::Aside,
            id if !here.contains(&id) => Place::Elsewhere,
            _ => Place::Here,
        });
        let mut diverged = HashSet::new();
        let is_workspace =
            |entry: &&Entry| EngineTable::of(schema, entry.table) == Some(EngineTable::Workspace);
        for entry in entries.iter().filter(is_workspace) {
            let project = entry.scope.project();
            let lineage = Snapshots(replica.read()).lineage(&project);
            if is_diverged(entry, |ours, theirs| follows(&lineage, ours, theirs))? {
                diverged.insert(entry.key.clone());
            }
        }
        let plan = plan(schema, &selected.transactions, &diverged, self.remote.large);
        Ok((plan, selected.held))
    }

    /// Pulls the scopes with queued rows that were not read to the end.
    async fn read_unread(&mut self) -> Result<(), SyncError> {
        let scopes = match self.scope {
            Some(scope) => vec![scope.to_owned()],
            None => Outbox(self.replica.read()).scopes()?,
        };
        for scope in scopes {
            if Cursors(self.replica.read()).is_reading(&scope)? {
                self.pull(&scope).await?;
            }
        }
        Ok(())
    }

    /// Resends a statement whose answer was lost, and returns whether there was one. If the primary
    /// refuses its writes, or has lost a table or column that it names, it is dropped and its rows are
    /// planned again.
    async fn resend(&mut self) -> Result<bool, SyncError> {
        let Some(sent) = on_its_way(self.replica)? else { return Ok(false) };
        self.store_its_packs(&sent).await?;
        match send(self.replica, self.remote, &sent).await {
            Ok(learned) => {
                self.learned.extend(learned);
                self.is_asked = true;
                Ok(true)
            }
            Err(SyncError::Primary(error))
                if is_outdated(&error)
                    || error.is_of_rows() && self.replica.rules().sets_refused_aside =>
            {
                self.replica.write(|session| SentRow(session).void())?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Stores the packs that a statement to be resent names, if they are gone: the primary may have been
    /// put back to a time before they were stored, together with its packs.
    async fn store_its_packs(&mut self, sent: &Sent) -> Result<(), SyncError> {
        let (Some(store), LargePacks::Stored) = (self.store, self.remote.large) else {
            return Ok(());
        };
        let mut packs = sent.packs_over(INLINE_BYTES_MAX);
        // One that is not here any more may be there.
        packs.retain(|id| id.parse().is_ok_and(|id| store.pack_info(&id).is_ok()));
        let scope = &sent.entries.scope;
        if packs.is_empty() {
            return Ok(());
        }
        let owner = owner(self.replica, &scope.project())?.unwrap_or_else(|| scope.to_string());
        upload(store, self.remote, &owner, &packs).await
    }

    /// Drops entries that need not be sent, turns deletes that conflict with the work of others
    /// into conflicts, and queues the owner's row if it is missing.
    fn tidy(&mut self) -> Result<(), SyncError> {
        let scope = self.scope.cloned();
        Ok(self.replica.write(|session| {
            let scopes = match scope {
                Some(scope) => vec![scope],
                None => Outbox(session).scopes()?,
            };
            for scope in &scopes {
                Outbox(session).drop_unchanged(scope)?;
                Deletes(session).drop_needless(scope)?;
                Deletes(session).yield_to_children(scope)?;
                if session.rules.scopes_are_projects {
                    queue_owner(session, scope)?;
                }
            }
            Ok::<_, ReplicaError>(())
        })?)
    }

    /// Returns the entries to choose from: those of the scope if each row is a transaction and no
    /// delete is queued, and otherwise all.
    fn entries(&self) -> Result<Vec<Entry>, ReplicaError> {
        let session = self.replica.read();
        match self.scope {
            Some(scope)
                if !session.rules.keeps_transactions && Outbox(session).waiting_deletes()? == 0 =>
            {
                Outbox(session).entries(scope)
            }
            _ => Outbox(session).all(),
        }
    }

    /// Sends units as one statement.
    async fn send(&mut self, units: &[Vec<PlannedRow>]) -> Result<Delivery, SyncError> {
        let rows = unsent(self.replica, units)?;
        if rows.is_empty() {
            return Ok(Delivery::Nothing);
        }
        let Some(sent) = write_down(self.replica, self.store, self.remote, &rows)? else {
            return Ok(Delivery::Stale);
        };
        let (push_id, bytes) = (&sent.push_id, sent.payload.len());
        debug!(
            scope = self.scope.map(ScopeId::as_str),
            push_id = push_id.as_str(),
            rows = rows.len(),
            bytes,
            "push"
        );
        let learned = send(self.replica, self.remote, self.last.insert(sent)).await?;
        self.learned.extend(learned);
        self.is_asked = true;
        self.state.next(Outcome::Taken);
        Ok(Delivery::Taken)
    }

    /// Whether the transaction that causes a refusal can be set aside now. A pull may bring missing
    /// rows or the writes of others, so that is tried first.
    fn can_set_aside(&self, error: &PrimaryError) -> bool {
        let is_conflict = error.refusal() == Some(Refusal::VersionConflict);
        self.replica.rules().sets_refused_aside
            && (error.is_of_rows() && (self.state.is_complete || !error.lacks_rows())
                || is_conflict && self.state.are_foreign)
    }

    /// Finds the first of these units that is at fault, and sets it aside. The first half is sent.
    /// If it is accepted, the fault must be in the second half, which is split without being sent.
    async fn find_and_set_aside(
        &mut self,
        units: &[Vec<PlannedRow>],
        error: PrimaryError,
    ) -> Result<(), SyncError> {
        let (mut suspects, mut error) = (units, error);
        let suspected = suspected(&*self.remote.primary, units, &error).await;
        let mut was_sent = true;
        while suspects.len() > 1 || !was_sent && !suspects.iter().any(|unit| suspected.any_of(unit))
        {
            self.replica.write(|session| SentRow(session).void())?;
            let (first, rest) = match suspects.len() {
                // A unit that was refused with others may be accepted alone.
                1 => (suspects, &suspects[1..]),
                _ => suspects.split_at(middle(suspects, &suspected)),
            };
            match self.send(first).await {
                Ok(Delivery::Stale) => return Ok(()),
                Ok(_) => (suspects, was_sent) = (rest, false),
                Err(SyncError::Primary(found)) if self.can_set_aside(&found) => {
                    (suspects, error, was_sent) = (first, found, true);
                }
                Err(error) => return Err(error),
            }
            if suspects.is_empty() {
                return Ok(());
            }
        }
        if self.state.are_foreign && error.refusal() == Some(Refusal::VersionConflict) {
            // The last statement has the unit at fault. It may just have lost a race.
            self.state.are_foreign = self.concerned(&error).await?.1;
            if !self.state.are_foreign {
                return Err(error.into());
            }
        }
        self.replica.write(|session| SentRow(session).void())?;
        match suspects.first() {
            Some(unit)
                if error.lacks_rows() && !self.state.forgotten && self.is_lost(unit).await? =>
            {
                self.done.primary_went_back = true;
                self.state.forgotten = true;
                self.read_anew().await
            }
            Some(unit) => self.set_aside(unit, error).await,
            None => Ok(()),
        }
    }

    /// Whether the primary has lost a row that these refer to: it lacks the row, and a pull does
    /// not show that others deleted it.
    async fn is_lost(&mut self, unit: &[PlannedRow]) -> Result<bool, SyncError> {
        let found = missing(self.replica, &*self.remote.primary, unit).await;
        let Ok(Some((table, key, scope))) = found else { return Ok(false) };
        self.pull(&scope).await?;
        Ok(is_known(self.replica, table, &key)?.is_some())
    }

    async fn set_aside(
        &mut self,
        unit: &[PlannedRow],
        error: PrimaryError,
    ) -> Result<(), SyncError> {
        if self.state.next(Outcome::AtFault) == Step::GiveUp {
            return Err(error.into());
        }
        let Some(blame) = blame(self.replica, &*self.remote.primary, unit, &error).await else {
            return Err(error.into());
        };
        debug!(?blame, "a transaction was refused");
        let refused = self.replica.write(|session| refused::set_aside(session, unit, &blame))?;
        self.done.refused.extend(refused);
        self.is_asked = true;
        Ok(())
    }
}

/// The outcome of a statement that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    /// The primary has applied it.
    Taken,
    /// It had no rows to send.
    Nothing,
    /// Another process has written to its rows since they were planned.
    Stale,
}

/// Returns the rows to send, without those parts of packs that the primary has from an earlier
/// attempt. So a pack of many parts gets through an unreliable connection. The last part is always
/// sent: its answer settles the entry.
fn unsent<'r>(
    replica: &Replica,
    units: &'r [Vec<PlannedRow>],
) -> Result<Vec<&'r PlannedRow>, SyncError> {
    let mut unsent = Vec::new();
    for row in units.iter().flatten() {
        let key = RowKey::from(row.columns[row.table.pk].as_str().unwrap_or_default());
        if !row.more || Known(replica.read()).version(row.table, &key)? == 0 {
            unsent.push(row);
        }
    }
    Ok(unsent)
}

/// Queues the row of the project's owner if the primary lacks it: the project refers to it.
fn queue_owner(session: Session<'_>, scope: &ScopeId) -> Result<(), ReplicaError> {
    let Some(project) = session.row::<Project>(&scope.project())? else { return Ok(()) };
    let owner = &project.owner_user_id;
    if let Some(entry) = Outbox(session).entry(User::TABLE, &RowKey::of(owner))? {
        // The row may be queued in the user's own scope: it is moved to the project's, to be sent
        // with the project that needs it.
        Outbox(session).put(&Entry { scope: scope.to_owned(), ..entry })?;
    } else if Known(session).version(User::TABLE, &RowKey::of(owner))? == 0
        && let Some(user) = session.row::<User>(owner)?
    {
        Outbox(session).save(scope, &user)?;
    }
    Ok(())
}
