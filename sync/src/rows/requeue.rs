//! Queues rows again, for the same primary or for another one.

use fastest_schema::{Pack, Policy, Row, RowKey, ScopeId, Table};

use crate::remote::pack_store::store::INLINE_BYTES_MAX;
use crate::replica::error::ReplicaError;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::device_row::DeviceRow;
use crate::replica::local::held::Held;
use crate::replica::local::known::Known;
use crate::replica::local::outbox::{Entry, Outbox};
use crate::replica::local::parts::Parts;
use crate::replica::local::queue::Queue;
use crate::replica::local::refused::Refused;
use crate::replica::local::remote_row::RemoteRow;
use crate::replica::local::sent_row::SentRow;
use crate::replica::scope::Scopes;
use crate::replica::session::Session;
use crate::replica::values::values_of;

/// Queues rows that the primary lacks, or may lack.
#[derive(Clone, Copy)]
pub(crate) struct Requeue<'a>(pub(crate) Session<'a>);

impl Requeue<'_> {
    /// Forgets what the primary was known to have, after it was found to lack some of it, and
    /// queues the known rows again. The projects are queued for a push, which the next command that
    /// reaches the primary sends, whatever project that command is for. The device gets a new id: by the
    /// count of a device's pushes, others tell an old push from a lost one.
    pub(crate) fn forget_and_queue(&self) -> Result<(), ReplicaError> {
        if self.0.rules.scopes_are_projects {
            for scope in Known(self.0).projects()? {
                Queue(self.0).add(&scope.scope())?;
            }
        }
        self.queue_known()?;
        DeviceRow(self.0).reset_identity()?;
        self.forget_primary()
    }

    /// Queues the rows of versioned tables that the primary was known to have. They get the lock
    /// version 0, so nothing is merged with their bases: lost changes cannot be told from changes that
    /// others have written since. So where the versions differ, both are kept.
    fn queue_known(&self) -> Result<(), ReplicaError> {
        for table in self.0.schema.synced().filter(|table| table.policy == Policy::Versioned) {
            for (key, scope) in Known(self.0).of_table(table)? {
                if let Some(row) = self.0.values(table, &key)? {
                    let entry = match Outbox(self.0).entry(table, &key)? {
                        // The row remains part of its queued transaction. If that is dropped, the
                        // base is queued.
                        Some(entry) => {
                            let moves = self.0.rules.rows_change_scope;
                            let scope = if moves { entry.scope.clone() } else { scope };
                            Entry { scope, base_version: 0, row: Some(row), ..entry }
                        }
                        None => {
                            let base = Some(row.clone());
                            Entry { base, ..Entry::unknown(&scope, table, &key, row) }
                        }
                    };
                    Outbox(self.0).put(&entry)?;
                }
            }
            self.queue_deletes(table)?;
        }
        Ok(())
    }

    /// Queues the deletes that the primary was known to have. Where it has the row again, both sides
    /// are kept.
    fn queue_deletes(&self, table: &'static Table) -> Result<(), ReplicaError> {
        for (key, scope) in Known(self.0).deleted(table)? {
            if self.0.values(table, &key)?.is_none() && Outbox(self.0).entry(table, &key)?.is_none()
            {
                Outbox(self.0).put(&Entry::unknown_delete(&scope, table, &key))?;
            }
        }
        Ok(())
    }

    /// Drops the queued deletes of rows that the primary was found not to have.
    fn drop_deletes(&self, scope: &ScopeId) -> Result<(), ReplicaError> {
        for entry in Outbox(self.0).entries(scope)?.iter().filter(|entry| entry.is_unknown_delete())
        {
            if Known(self.0).scope(entry.table, &entry.key)?.is_none() {
                Outbox(self.0).drop(entry.table, &entry.key)?;
            }
        }
        Ok(())
    }

    /// Forgets what the primary was known to have. Each scope is read again from its beginning before
    /// it is pushed.
    pub(crate) fn forget_primary(&self) -> Result<(), ReplicaError> {
        let scopes = Scopes(self.0).held()?;
        Known(self.0).clear()?;
        Cursors(self.0).clear()?;
        Held(self.0).clear()?;
        Refused(self.0).retry_all()?;
        for scope in scopes {
            Cursors(self.0).begin_reading(&scope)?;
        }
        Parts(self.0).clear()?;
        SentRow(self.0).void()?;
        // The base versions are lock versions of the forgotten primary.
        Outbox(self.0).forget_versions()?;
        RemoteRow(self.0).forget_primary()
    }

    /// If a scope was read from its beginning, ends that state and queues the rows that the primary
    /// was found to lack.
    pub(crate) fn end_reading(&self, scope: &ScopeId) -> Result<(), ReplicaError> {
        if Cursors(self.0).end_reading(scope)? {
            self.unknown(scope)?;
            self.drop_deletes(scope)?;
        }
        Ok(())
    }

    /// Queues every pack that is not sent inline, for a new place for packs.
    pub(crate) fn packs(&self) -> Result<(), ReplicaError> {
        let inline = INLINE_BYTES_MAX.to_string();
        for pack in self.0.rows::<Pack>("WHERE bytes > CAST(?1 AS INTEGER)", &inline)? {
            let values = values_of(&pack);
            let (scope, key) = (pack.project_id.scope(), RowKey::from(pack.id));
            Outbox(self.0).put(&Entry::unknown(&scope, Pack::TABLE, &key, values))?;
        }
        Ok(())
    }

    /// Queues every row that the primary is not known to have, for a new primary.
    pub(crate) fn everything(&self) -> Result<(), ReplicaError> {
        for scope in Scopes(self.0).held()? {
            self.unknown(&scope)?;
        }
        Ok(())
    }

    /// Queues every row of `scope` that the primary is not known to have and that is not queued
    /// already. Returns how many it queued.
    pub(crate) fn unknown(&self, scope: &ScopeId) -> Result<u64, ReplicaError> {
        let mut queued = 0;
        for table in self.0.schema.synced() {
            for key in Known(self.0).unknown(table, scope)? {
                if Outbox(self.0).entry(table, &key)?.is_none()
                    && let Some(values) = self.0.values(table, &key)?
                {
                    Outbox(self.0).put(&Entry::unknown(scope, table, &key, values))?;
                    queued += 1;
                }
            }
        }
        Ok(queued)
    }
}
