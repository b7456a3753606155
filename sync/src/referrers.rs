//! Rows of the primary's alone that keep one from being deleted: of tables that are not synced, or by
//! foreign keys that devices are not told of. A device that is refused learns their names.

use std::fmt;

use fastest_schema::live::{Live, LiveKey, LiveTable};
use fastest_schema::{Schema, Table};

use crate::clock;
use crate::error::SyncError;
use crate::migrations::live;
use crate::primary::{Primary, ask_cell_by};
use crate::replica::Replica;

/// Foreign keys that are looked along, at most: each takes a request.
const KEYS_MAX: usize = 50;

/// What a refused push comes to, where rows were to be deleted and nothing here explains the refusal: the
/// same error, or one that names a row on the primary that keeps one of them.
pub(crate) async fn explained(
    replica: &Replica,
    primary: &dyn Primary,
    scope: &str,
    error: SyncError,
) -> SyncError {
    let SyncError::Primary(source) = error else { return error };
    match referrer(replica, primary, scope).await {
        Ok(Some(row)) => SyncError::Kept { row: Box::new(row), source },
        // That the push was refused is what has to be said.
        Ok(None) | Err(_) => source.into(),
    }
}

/// A row that was to be deleted, and what refers to it on the primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRow {
    /// The table.
    pub table: &'static str,
    /// The key.
    pub key: String,
    /// The row that refers to it, in words.
    pub child: String,
    /// The columns of the foreign key, by comma.
    pub columns: String,
}

impl fmt::Display for KeptRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, key, child, columns } = self;
        write!(
            f,
            "row {key} of {table} was not deleted: {child} refers to it over ({columns}), which devices \
             do not follow"
        )
    }
}

async fn referrer(
    replica: &Replica,
    primary: &dyn Primary,
    scope: &str,
) -> Result<Option<KeptRow>, SyncError> {
    let deletes = replica.read().deletes(Some(scope))?;
    if deletes.is_empty() {
        return Ok(None);
    }
    let live = live(primary).await?;
    let keys = unknown_keys(replica.schema(), &live).take(KEYS_MAX);
    for (name, child, key) in keys {
        let mut of_table = deletes.iter().filter(|entry| is_to(key, entry.table)).peekable();
        let Some(table) = of_table.peek().map(|entry| entry.table) else { continue };
        let going: Vec<&str> = of_table.map(|entry| &*entry.key).collect();
        let going = serde_json::to_string(&going).expect("texts serialise");
        let cell = referring(name, child, key, table);
        let found = ask_cell_by(primary, &cell, &[&clock::new_id(), &going]).await?;
        let keys: Option<(String, Option<String>)> =
            found.and_then(|row| serde_json::from_str(&row).ok());
        let Some((row, child)) = keys else { continue };
        let child = match child {
            Some(child) => format!("row {child} of {name}"),
            None => format!("a row of {name}"),
        };
        return Ok(Some(KeptRow {
            table: table.name,
            key: row,
            child: primary.said(&child),
            columns: primary.said(&key.columns.join(", ")),
        }));
    }
    Ok(None)
}

/// The foreign keys that can keep a row and that the schema does not tell of, each with its table.
fn unknown_keys<'a>(
    schema: &'a Schema,
    live: &'a Live,
) -> impl Iterator<Item = (&'a str, &'a LiveTable, &'a LiveKey)> {
    let keys = live
        .tables
        .iter()
        .flat_map(|(name, table)| table.keys.iter().map(move |key| (name.as_str(), table, key)));
    keys.filter(|(name, _, key)| {
        let keeps = !["CASCADE", "SET NULL"].contains(&key.on_delete.to_uppercase().as_str());
        let known = schema.synced_table(name).is_some_and(|table| {
            let columns = table.columns.iter().filter(|column| key.columns == [column.name]);
            columns.into_iter().any(|column| column.references.is_some())
        });
        keeps && !known
    })
}

fn is_to(key: &LiveKey, table: &Table) -> bool {
    key.table.eq_ignore_ascii_case(table.name)
}

/// A SELECT of one row that refers to one of `table` whose key is in the list `?2`: the keys of both, as
/// JSON; null for the second, where it is not one column.
fn referring(name: &str, child: &LiveTable, key: &LiveKey, table: &Table) -> String {
    let quote = |name: &str| format!("`{}`", name.replace('`', "``"));
    let same = key.columns.iter().zip(&key.targets).map(|(column, target)| {
        let target = if target.is_empty() { table.pk } else { target };
        format!("c.{} = p.{}", quote(column), quote(target))
    });
    let mut keys = child.columns.iter().filter(|(_, column)| column.pk > 0);
    let child_key = match (keys.next(), keys.next()) {
        (Some((pk, _)), None) => format!("CAST(c.{} AS TEXT)", quote(pk)),
        _ => "NULL".to_owned(),
    };
    format!(
        "SELECT json_array(p.{pk}, {child_key}) FROM {} AS p JOIN {} AS c ON {}
         WHERE p.{pk} IN (SELECT value FROM json_each(?2)) LIMIT 1",
        quote(table.name),
        quote(name),
        same.collect::<Vec<_>>().join(" AND "),
        pk = quote(table.pk),
    )
}
