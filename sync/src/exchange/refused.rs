//! Transactions that the primary refused. They stay in the outbox, each with the reason, until they
//! are written again, retried or dropped. Only transactions that depend on them wait as well.
//!
//! Once a row of a refused transaction is written again, here or by a pull, the next push tries it
//! again.

use std::collections::BTreeSet;

use crate::error::SyncError;
use crate::error::named::Named;
use crate::exchange::blame::Blame;
use crate::exchange::plan::PlannedRow;
use crate::replica::error::ReplicaError;
use crate::replica::local::outbox::{Entry, Outbox};
use crate::replica::local::refused::{Refused, RefusedTransaction};
use crate::replica::scope::{ScopeError, Scopes};
use crate::replica::session::Session;

/// Sets aside a transaction that the primary refused. Returns `None` if another process has written
/// to its rows since they were sent: the rows that are queued now were not refused.
pub(crate) fn set_aside(
    session: Session<'_>,
    unit: &[PlannedRow],
    blame: &Blame,
) -> Result<Option<RefusedTransaction>, ReplicaError> {
    let outbox = Outbox(session);
    let mut parts = BTreeSet::new();
    for row in unit {
        match outbox.entry(row.table, &row.key)? {
            Some(entry) if entry.revision == row.revision => parts.insert(entry.transaction()),
            _ => return Ok(None),
        };
    }
    let Some(transaction) = parts.pop_last() else { return Ok(None) };
    for part in parts {
        outbox.join_parts(part, transaction)?;
    }
    let Blame { table, key, column, why, named } = blame;
    Refused(session).put(transaction, (table, key, column.as_deref()), why, *named)?;
    outbox.refused_transaction(transaction)
}

/// Lets the next push try a transaction again.
pub(crate) fn retry(session: Session<'_>, id: i64) -> Result<(), SyncError> {
    if Refused(session).retry(id)? { Ok(()) } else { Err(unknown(id)) }
}

/// Reverts the writes of a refused transaction: its rows become what the primary was last known to
/// have. If it went back to a time before that, they are queued as they were. Returns the dropped
/// transaction.
pub(crate) fn drop(session: Session<'_>, id: i64) -> Result<RefusedTransaction, SyncError> {
    let outbox = Outbox(session);
    let refused = outbox.refused_transaction(id)?.ok_or_else(|| unknown(id))?;
    for entry in outbox.of_transaction(id)? {
        outbox.drop(entry.table, &entry.key)?;
        revert(session, entry)?;
    }
    Refused(session).retry(id)?;
    Ok(refused)
}

/// Reverts one row, whose entry was removed.
fn revert(session: Session<'_>, entry: Entry) -> Result<(), ReplicaError> {
    let Entry { scope, table, key, joined, base_version, base, row, .. } = entry;
    // A row that was refused as the primary once had it, and alone, is dropped itself.
    let is_itself = base == row && joined.is_none() && base_version == 0;
    let Some(base) = base.filter(|_| !is_itself) else {
        return session.delete(table, &key);
    };
    session.put_values(table, &base)?;
    if base_version == 0 {
        // The dropped write may have moved it.
        let scope = match Scopes(session).of(table, &base) {
            Ok(scope) => scope,
            Err(ScopeError::None { .. }) => scope,
            Err(ScopeError::Replica(error)) => return Err(error),
        };
        let again = Entry::unknown(&scope, table, &key, base.clone());
        Outbox(session).put(&Entry { base: Some(base), ..again })?;
    }
    Ok(())
}

fn unknown(id: i64) -> SyncError {
    SyncError::Unknown { what: Named::RefusedTransaction, name: id.to_string(), nearest: None }
}
