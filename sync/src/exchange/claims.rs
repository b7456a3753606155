//! What a primary says is a claim: it is checked before anything here believes it.

use fastest_core::object::id::TreeId;
use fastest_core::object::source::ObjectSource as _;
use fastest_core::object::tree::format::empty_directory;
use fastest_core::store::open::Store;
use fastest_schema::tables::projects::Project;
use fastest_schema::tables::workspaces::{Snapshot, Workspace};
use fastest_schema::{Change, Outcome, Page, Row, Scope, Table};

use crate::error::SyncError;
use crate::remote::primary::{Primary, PrimaryError, ask_cell};
use crate::replica::open::Replica;
use crate::replica::values::column;

pub(crate) fn inconsistent(primary: &dyn Primary, what: String) -> SyncError {
    PrimaryError::inconsistent(primary, &what).into()
}

/// Refuses a row of another scope than was asked for.
pub(super) async fn check_scope(
    replica: &mut Replica,
    primary: &dyn Primary,
    scope: &str,
    page: &Page,
    change: &Change,
) -> Result<(), SyncError> {
    let Outcome::Row(values) = &change.outcome else { return Ok(()) };
    let of = match change.table.scope {
        None => return Ok(()),
        Some(Scope::Column(name)) => column(change.table, values, name),
        Some(Scope::Path { column: name, table, key: by, target }) => {
            let Some(key) = column(change.table, values, name) else { return Ok(()) };
            match scope_of_parent(replica, page, table, &key, target)? {
                // It was never told of: the row waits for it, in nobody's scope.
                None => return Ok(()),
                Some(of) if of == scope => return Ok(()),
                // What is held may be out of date.
                Some(_) => ask_cell(primary, (table, by, target), &key).await?,
            }
        }
    };
    match of.as_deref() == Some(scope) {
        true => Ok(()),
        false => {
            let what = format!("row {} of {} is of another scope", change.key, change.table.name);
            Err(inconsistent(primary, what))
        }
    }
}

/// The scope in the column `target` of the row that another one leads to: as this page has it, or
/// the replica.
fn scope_of_parent(
    replica: &Replica,
    page: &Page,
    table: &str,
    key: &str,
    target: &str,
) -> Result<Option<String>, SyncError> {
    let in_page = page.changes.iter().find_map(|change| match &change.outcome {
        Outcome::Row(values) if change.table.name == table && change.key == key => {
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

/// Refuses a snapshot whose tree did not come: as a head it would go on to other devices, and none
/// of them could check it out.
pub(super) fn check_content(
    store: &Store,
    primary: &dyn Primary,
    change: &Change,
) -> Result<(), SyncError> {
    let Some(Ok(snapshot)) = change.row::<Snapshot>() else { return Ok(()) };
    let Ok(tree) = snapshot.manifest_hash.parse::<TreeId>() else { return Ok(()) };
    match tree == empty_directory() || store.has(&tree.into())? {
        true => Ok(()),
        false => {
            let what = format!("row {} of snapshots comes without its content", change.key);
            Err(inconsistent(primary, what))
        }
    }
}

/// Refuses a row that no command here could read: in the replica it would stand in the way of them
/// all, and a snapshot's never goes.
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

/// Whether no command could do without the rows of a table of Fastest's own.
fn is_needed(table: &Table) -> bool {
    [Project::TABLE, Workspace::TABLE, Snapshot::TABLE].iter().any(|own| own.name == table.name)
}
