//! Finds the transaction, row and column that a primary's refusal is about.
//!
//! A primary names neither row nor key. It returns the message of a constraint or a trigger, which
//! names a column at best. The statement is split until the transaction is found. Its row at fault
//! is the one that the message points at, or else the one that a trial finds.

use std::collections::HashSet;

use fastest_schema::{Refusal, RowKey, ScopeId, Table, Value};

use crate::error::SyncError;
use crate::exchange::plan::PlannedRow;
use crate::exchange::referrers::{Kept, kept};
use crate::exchange::trial::at_fault;
use crate::remote::cause::{Cause, ConstraintKind, NamedColumn};
use crate::remote::primary::{Primary, PrimaryError, ask_cell, ask_cell_by};
use crate::remote::sanitize::sanitize;
use crate::remote::words::{TOO_DEEP, plain};
use crate::replica::error::ReplicaError;
use crate::replica::keys::foreign_keys;
use crate::replica::local::known::Known;
use crate::replica::open::Replica;
use crate::rows::write::Writer;

/// With more rows than this, the primary is not asked which of their values are taken.
const TAKEN_MAX: usize = 2_000;

/// The most foreign keys of a table that are followed. Their number comes from the primary, so it
/// is bounded.
const KEYS_MAX: usize = 50;

/// The most rows that the primary is asked about for one transaction.
const ASKED_MAX: usize = 8;

/// The row and column that a refusal is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blame {
    pub(crate) table: String,
    pub(crate) key: RowKey,
    pub(crate) column: Option<String>,
    pub(crate) why: String,
    /// Whether this row was found to be at fault. Otherwise it is the first row of its transaction,
    /// and stands for all of them.
    pub(crate) named: bool,
}

/// Returns the index at which to split units of which one is at fault: the middle by weight, where
/// a unit with a suspect weighs as much as all units together.
pub(crate) fn middle(units: &[Vec<PlannedRow>], suspected: &Suspected) -> usize {
    let weight = |unit: &Vec<PlannedRow>| if suspected.any_of(unit) { units.len() } else { 1 };
    let weights: Vec<usize> = units.iter().map(weight).collect();
    let (half, mut sum) = (weights.iter().sum::<usize>() / 2, 0);
    let before = weights.iter().take_while(|weight| {
        sum += **weight;
        sum <= half
    });
    before.count().clamp(1, units.len().max(2) - 1)
}

/// The rows that the message of a refusal points at: they write to a column that it names, with a
/// null where none is allowed, or with a value that another row of the primary has.
#[derive(Debug, Default)]
pub(crate) struct Suspected(HashSet<(String, RowKey)>);

impl Suspected {
    pub(crate) fn any_of(&self, unit: &[PlannedRow]) -> bool {
        unit.iter().any(|row| self.has(row))
    }

    fn has(&self, row: &PlannedRow) -> bool {
        // Usually nothing is suspected, and then no key has to be copied for a lookup.
        !self.0.is_empty() && self.0.contains(&(row.table.name.to_owned(), row.key.clone()))
    }
}

/// Returns the rows that a refusal points at. Asks the primary at most one question. If that fails,
/// no row is suspected.
pub(crate) async fn suspected(
    primary: &dyn Primary,
    units: &[Vec<PlannedRow>],
    error: &PrimaryError,
) -> Suspected {
    let Some(cause) = error.cause() else { return Suspected::default() };
    let rows = meant(units, cause);
    let is_unique = cause.constraint() == Some(ConstraintKind::Unique);
    let keys = match rows.first() {
        Some(first) if is_unique && rows.len() > 1 => {
            Some(taken(primary, first.table, &rows, cause.columns()).await.unwrap_or_default())
        }
        _ => None,
    };
    let names = rows.iter().map(|row| (row.table.name.to_owned(), row.key.clone()));
    let is_taken = |key: &RowKey| keys.as_ref().is_none_or(|keys| keys.contains(key));
    Suspected(names.filter(|(_, key)| is_taken(key)).collect())
}

/// Returns the rows that write to one of the columns that `cause` names; for NOT NULL, only those
/// with a null there.
fn meant<'u>(units: &'u [Vec<PlannedRow>], cause: &Cause) -> Vec<&'u PlannedRow> {
    let is_not_null = cause.constraint() == Some(ConstraintKind::NotNull);
    let is_null = |row: &PlannedRow, name: &str| row.columns.get(name).is_none_or(Value::is_null);
    let is_meant = |row: &&PlannedRow| {
        let mut named = cause.columns().iter().filter(|column| writes(row, column));
        named.any(|column| !is_not_null || is_null(row, &column.name))
    };
    units.iter().flatten().filter(is_meant).collect()
}

/// Returns the keys of those `rows` whose values in `columns` are taken by another row of the
/// primary.
async fn taken(
    primary: &dyn Primary,
    table: &Table,
    rows: &[&PlannedRow],
    columns: &[NamedColumn],
) -> Result<HashSet<RowKey>, PrimaryError> {
    let here = columns.iter().filter(|column| {
        column.table.as_deref() == Some(table.name) && table.column(&column.name).is_some()
    });
    let named: Vec<&str> = here.map(|column| column.name.as_str()).collect();
    if named.is_empty() || rows.len() > TAKEN_MAX {
        return Ok(HashSet::new());
    }
    let list = rows.iter().filter(|row| row.table.name == table.name).filter_map(|row| {
        let values = named.iter().map(|name| row.columns.get(*name).and_then(as_parameter));
        let values: Option<Vec<String>> = values.collect();
        Some([vec![row.key.to_string()], values?].concat())
    });
    let list = serde_json::to_string(&list.collect::<Vec<_>>()).expect("texts serialise");
    let same = named.iter().enumerate().map(|(at, name)| format!("`{name}` = value->>{}", at + 1));
    let same = same.collect::<Vec<_>>().join(" AND ");
    let cell = format!(
        "SELECT json_group_array(value->>0) FROM json_each(?2) WHERE EXISTS
           (SELECT 1 FROM `{}` WHERE {same} AND `{}` <> value->>0)",
        table.name, table.pk
    );
    let keys = ask_cell_by(primary, &cell, &[&primary.world().new_id(), &list]).await?;
    Ok(keys.and_then(|keys| serde_json::from_str(&keys).ok()).unwrap_or_default())
}

/// Finds what the refusal of one transaction is about.
pub(crate) async fn blame(
    replica: &mut Replica,
    primary: &dyn Primary,
    unit: &[PlannedRow],
    error: &PrimaryError,
) -> Option<Blame> {
    let why = why(error);
    if error.lacks_rows() {
        let going: Vec<&PlannedRow> = unit.iter().filter(|row| row.delete).collect();
        if let Ok(Some(found)) = kept(replica.schema(), primary, &going).await {
            let Kept { table, key, why } = found;
            let (table, why) = (table.to_owned(), sanitize(&why));
            return Some(Blame { table, key, column: None, why, named: true });
        }
        if let Ok(Some(blame)) = lacks(replica, primary, unit).await {
            return Some(blame);
        }
    }
    let columns = error.cause().map_or(&[][..], Cause::columns);
    let suspected = suspected(primary, &[unit.to_vec()], error).await;
    let pointed_at = unit.iter().find(|row| suspected.has(row));
    // If no value is taken on the primary, two rows of the transaction may conflict with each
    // other.
    let meant = pointed_at.or_else(|| unit.iter().find(|row| column_of(columns, row).is_some()));
    let found = match meant {
        // Foreign keys are checked at the end of a statement, so a trial of its first rows shows
        // nothing.
        None if unit.len() > 1 && !error.lacks_rows() => at_fault(replica, primary, unit).await,
        meant => meant.or(if unit.len() == 1 { unit.first() } else { None }),
    };
    let row = found.or(unit.first())?;
    let blame = of(row, column_of(columns, row).map(|column| column.name.as_str()), why);
    Some(Blame { named: found.is_some(), ..blame })
}

fn column_of<'c>(columns: &'c [NamedColumn], row: &PlannedRow) -> Option<&'c NamedColumn> {
    columns.iter().find(|column| writes(row, column))
}

fn of(row: &PlannedRow, column: Option<&str>, why: String) -> Blame {
    let (table, key) = (row.table.name.to_owned(), row.key.clone());
    Blame { table, key, column: column.map(str::to_owned), why, named: true }
}

/// Returns a value as a text parameter, which the column's affinity turns back into what it was.
fn as_parameter(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Finds a row that refers to one that the primary lacks.
async fn lacks(
    replica: &mut Replica,
    primary: &dyn Primary,
    unit: &[PlannedRow],
) -> Result<Option<Blame>, SyncError> {
    let written = || unit.iter().filter(|row| !row.delete);
    for row in written() {
        let values = replica.read().values(row.table, &row.key)?;
        let orphan = values.map(|values| Writer(replica.read()).orphan_of(row.table, &values));
        if let Some(orphan) = orphan.transpose()?.flatten() {
            let why = format!(
                "it names {} {}, which was deleted",
                orphan.parent,
                sanitize(orphan.parent_key.as_str())
            );
            return Ok(Some(of(row, Some(orphan.column), why)));
        }
    }
    // Only the primary knows tables that were not adopted. A foreign key without a target column
    // refers to the primary key.
    let keys = "SELECT json_group_array(json_array(f.\"from\", f.\"table\", coalesce(f.\"to\",
                  (SELECT name FROM pragma_table_info(f.\"table\") WHERE pk = f.seq + 1))))
                FROM pragma_foreign_key_list(?1) AS f";
    let asked: Vec<&PlannedRow> = written().take(ASKED_MAX).collect();
    for row in asked {
        let keys = ask_cell_by(primary, keys, &[row.table.name]).await?;
        let keys: Vec<(String, String, Option<String>)> =
            keys.and_then(|keys| serde_json::from_str(&keys).ok()).unwrap_or_default();
        // The number of keys comes from the primary, so it is bounded.
        for (column, table, to) in keys.into_iter().take(KEYS_MAX) {
            let value = row.columns.get(&column).and_then(as_parameter);
            let Some((value, to)) = value.zip(to) else { continue };
            let [parent, to] = [&table, &to].map(|name| name.replace('`', "``"));
            let cell = format!("SELECT 1 FROM `{parent}` WHERE `{to}` = ?1 LIMIT 1");
            let in_unit = written().any(|other| {
                other.table.name == table
                    && other
                        .columns
                        .values()
                        .any(|own| as_parameter(own).is_some_and(|own| own == value))
            });
            if !in_unit && ask_cell_by(primary, &cell, &[&value]).await?.is_none() {
                let why = format!("it names {table} {value}, which the primary does not have");
                return Ok(Some(of(row, Some(&column), sanitize(&why))));
            }
        }
    }
    Ok(None)
}

/// A row that others refer to, and that the primary was known to have but lacks: table, key and
/// scope.
pub(crate) type Missing = (&'static Table, RowKey, ScopeId);

/// Returns the first row that the rows of `unit` refer to, and that the primary lacks although it
/// was known to have it.
pub(crate) async fn missing(
    replica: &mut Replica,
    primary: &dyn Primary,
    unit: &[PlannedRow],
) -> Result<Option<Missing>, SyncError> {
    let mut asked = HashSet::new();
    for row in unit {
        if row.delete {
            continue;
        }
        let keys: Vec<_> = foreign_keys(row.table).collect();
        for (at, to) in keys {
            let Some(parent) = replica.schema().synced_table(to.table) else { continue };
            let value = row.columns.get(row.table.columns[at].name);
            let key = value.and_then(Value::as_str).filter(|_| to.column == parent.pk);
            let key = key.map(RowKey::from);
            let Some(key) = key.filter(|key| asked.insert((parent.name, key.clone()))) else {
                continue;
            };
            if asked.len() > ASKED_MAX {
                return Ok(None);
            }
            let Some(scope) = is_known(replica, parent, &key)? else { continue };
            let cell = (parent.name, parent.pk, parent.pk);
            if ask_cell(primary, cell, key.as_str()).await?.is_none() {
                return Ok(Some((parent, key, scope)));
            }
        }
    }
    Ok(None)
}

/// Returns the scope under which the primary is known to have a row, if the row is also here.
pub(crate) fn is_known(
    replica: &Replica,
    table: &Table,
    key: &RowKey,
) -> Result<Option<ScopeId>, ReplicaError> {
    let session = replica.read();
    if session.values(table, key)?.is_some() && Known(session).version(table, key)? > 0 {
        Known(session).scope(table, key)
    } else {
        Ok(None)
    }
}

/// Returns the table and key of each lock for which the primary has another version, with the scope
/// of the row on the primary.
pub(crate) async fn stale(
    primary: &dyn Primary,
    locks: &str,
) -> Result<Vec<(String, RowKey, ScopeId)>, PrimaryError> {
    let cell = "SELECT json_group_array(json_array(c.tbl, c.pk, c.scope))
                FROM json_each(?2) AS l
                JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
                WHERE c.version IS NOT l.value->>2";
    let list = ask_cell_by(primary, cell, &[&primary.world().new_id(), locks]).await?;
    Ok(list.and_then(|list| serde_json::from_str(&list).ok()).unwrap_or_default())
}

/// Whether a row writes to this column.
fn writes(row: &PlannedRow, column: &NamedColumn) -> bool {
    column.table.as_ref().is_none_or(|table| table == row.table.name)
        && row.sent().any(|(name, _)| *name == column.name)
}

/// Returns the primary's reason, without the text that its API adds.
fn why(error: &PrimaryError) -> String {
    match error {
        PrimaryError::Failed { cause: Cause::TooDeep, .. } => {
            format!("{TOO_DEEP}: more rows hang on each other there than go in one delete")
        }
        PrimaryError::Failed { message, .. } => sanitize(&plain(message)),
        PrimaryError::Refused { refusal: Refusal::VersionConflict, .. } => {
            "the primary has a row of this key, in a scope that is not held here".to_owned()
        }
        PrimaryError::Refused { refusal: Refusal::Swallowed, .. } => {
            "a trigger or an ON CONFLICT clause on the primary took the write away without an error"
                .to_owned()
        }
        error => error.to_string(),
    }
}
