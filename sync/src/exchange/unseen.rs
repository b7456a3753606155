//! Deletes that are prevented by rows that only the primary has.

use fastest_schema::{ScopeId, Table, Value};

use crate::error::SyncError;
use crate::remote::primary::{Primary, ask_cell_by};
use crate::replica::error::ReplicaError;
use crate::replica::local::outbox::Outbox;
use crate::replica::open::Replica;
use crate::replica::values::key_of;
use crate::rows::deletes::{Deletes, keepers};

/// Turns each queued delete into a conflict if rows prevent it that only the primary has, in scopes
/// that this device does not hold. Returns whether there were any.
pub(crate) async fn yield_to_unseen(
    replica: &mut Replica,
    primary: &dyn Primary,
    scope: &ScopeId,
) -> Result<bool, SyncError> {
    let mut yielded = false;
    let all = Outbox(replica.read()).deletes(Some(scope))?;
    for entry in all {
        let Some(base) = &entry.base else { continue };
        if !is_kept_there(replica, primary, entry.table, base).await? {
            continue;
        }
        yielded |= replica.write(|session| {
            // Another process may have changed the entry meanwhile.
            let same = Outbox(session).entry(entry.table, &entry.key)?.as_ref() == Some(&entry);
            if same {
                Deletes(session).yield_to_primary(&entry, base)?;
            }
            Ok::<_, ReplicaError>(same)
        })?;
    }
    Ok(yielded)
}

/// Whether the primary has rows that refer to this one and prevent its delete, apart from rows that
/// are queued here. They are compared with the values of the primary's own row, because parameters
/// are text, and only the key is sure to be text.
async fn is_kept_there(
    replica: &mut Replica,
    primary: &dyn Primary,
    table: &Table,
    values: &[Value],
) -> Result<bool, SyncError> {
    let keepers: Vec<_> = keepers(replica.schema(), table).collect();
    for (child, (at, to)) in keepers {
        let (pk, name, column) = (child.pk, child.name, child.columns[at].name);
        let waiting = Outbox(replica.read()).keys_of(child)?;
        let waiting = serde_json::to_string(&waiting).expect("texts serialise");
        let cell = format!(
            "SELECT c.`{pk}` FROM `{}` AS p JOIN `{name}` AS c ON c.`{column}` = p.`{}`
             WHERE p.`{}` = ?1 AND c.`{pk}` NOT IN (SELECT value FROM json_each(?2)) LIMIT 1",
            table.name, to.column, table.pk
        );
        if ask_cell_by(primary, &cell, &[key_of(table, values).as_str(), &waiting]).await?.is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}
