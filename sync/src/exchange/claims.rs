//! Checks of the rows that a primary sends, before anything here relies on them.

use fastest_core::object::id::TreeId;
use fastest_core::object::source::ObjectSource as _;
use fastest_core::object::tree::format::empty_directory;
use fastest_core::store::open::Store;
use fastest_schema::tables::projects::Project;
use fastest_schema::tables::workspaces::{Snapshot, Workspace};
use fastest_schema::{Change, Outcome, Page, Row, RowKey, Scope, ScopeId, Table};

use crate::error::SyncError;
use crate::remote::primary::{Primary, PrimaryError, ask_cell};
use crate::replica::open::Replica;
use crate::replica::values::column;

pub(crate) fn inconsistent(primary: &dyn Primary, what: String) -> SyncError {
    PrimaryError::inconsistent(primary, &what).into()
}

/// Refuses a row of another scope than the one that was asked for.
pub(super) async fn check_scope(
    replica: &mut Replica,
    primary: &dyn Primary,
    scope: &ScopeId,
    page: &Page,
    change: &Change,
) -> Result<(), SyncError> {
    let Outcome::Row(values) = &change.outcome else { return Ok(()) };
    let of = match change.table.scope {
        None => return Ok(()),
        Some(Scope::Column(name)) => column(change.table, values, name),
        Some(Scope::Path { column: name, table, key: by, target }) => {
            let Some(key) = column(change.table, values, name) else { return Ok(()) };
            let key = RowKey::from(key);
            match scope_of_parent(replica, page, table, &key, target)? {
                // The parent has not arrived: until it does, the row belongs to no scope.
                None => return Ok(()),
                Some(of) if *scope == of.as_str() => return Ok(()),
                // The parent's scope may be out of date here: ask the primary.
                Some(_) => ask_cell(primary, (table, by, target), key.as_str()).await?,
            }
        }
    };
    if of.as_deref() == Some(scope.as_str()) {
        Ok(())
    } else {
        let what = format!("row {} of {} is of another scope", change.key, change.table.name);
        Err(inconsistent(primary, what))
    }
}

/// Returns the scope in the column `target` of the parent row, from this page or else from the
/// replica.
fn scope_of_parent(
    replica: &Replica,
    page: &Page,
    table: &str,
    key: &RowKey,
    target: &str,
) -> Result<Option<String>, SyncError> {
    let in_page = page.changes.iter().find_map(|change| match &change.outcome {
        Outcome::Row(values) if change.table.name == table && change.key == *key => {
            column(change.table, values, target)
        }
        _ => None,
    });
    if in_page.is_some() {
        return Ok(in_page);
    }
    let Some(table) = replica.schema().synced_table(table) else {
        return Ok(None);
    };
    let held = replica.read().values(table, key)?;
    Ok(held.and_then(|values| column(table, &values, target)))
}

/// Refuses a snapshot whose tree did not arrive. As a head it would spread to other devices, none
/// of which could check it out.
pub(super) fn check_content(
    store: &Store,
    primary: &dyn Primary,
    change: &Change,
) -> Result<(), SyncError> {
    let Some(Ok(snapshot)) = change.row::<Snapshot>() else { return Ok(()) };
    let Ok(tree) = snapshot.manifest_hash.parse::<TreeId>() else { return Ok(()) };
    if tree == empty_directory() || store.has(&tree.into())? {
        Ok(())
    } else {
        let what = format!("row {} of snapshots comes without its content", change.key);
        Err(inconsistent(primary, what))
    }
}

/// Refuses a row that commands need and could not read. In the replica it would make all of them
/// fail, and a snapshot's row is never deleted.
pub(super) fn check_row(primary: &dyn Primary, change: &Change) -> Result<(), SyncError> {
    fn error<R: Row>(change: &Change) -> Option<String> {
        change.row::<R>()?.err().map(|error| error.to_string())
    }
    let held = match &change.outcome {
        Outcome::Held { column, why } if is_needed(change.table) => {
            Some(format!("column {column} has {why}"))
        }
        _ => None,
    };
    let unreadable = held
        .or_else(|| error::<Project>(change))
        .or_else(|| error::<Workspace>(change))
        .or_else(|| error::<Snapshot>(change))
        .or_else(|| {
            let hash = change.row::<Snapshot>()?.ok()?.manifest_hash;
            hash.parse::<TreeId>().err().map(|error| error.to_string())
        });
    match unreadable {
        None => Ok(()),
        Some(what) => {
            let (key, table) = (&change.key, change.table.name);
            Err(inconsistent(primary, format!("row {key} of {table} cannot be read: {what}")))
        }
    }
}

/// Whether commands depend on the rows of this table.
fn is_needed(table: &Table) -> bool {
    [Project::TABLE, Workspace::TABLE, Snapshot::TABLE].iter().any(|own| own.name == table.name)
}
