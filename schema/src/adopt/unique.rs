//! The unique indexes of an adopted table, as far as a device can check them.
//!
//! The primary decides. A device must not refuse what the primary would accept, so an index is
//! recorded only if the device's SQLite reaches the same result. Values with equal bytes are equal
//! under every collation, so an index over recorded columns always qualifies. An expression must
//! use only columns that the device holds and compares as the primary does.

use crate::adopt::column::is_date;
use crate::adopt::error::AdoptError;
use crate::live::database::{LiveColumn, LiveIndex, LiveTable};
use crate::record::model::{ColumnRecord, IndexRecord, UniqueRecord};
use crate::sql::quote::quote;
use crate::sql::tokens::{index_parts, tokens};
use crate::value::kind::Kind;

/// The unique indexes of a table, except for plain ones over a single column, and those that
/// contain the key.
#[derive(Debug, Default)]
pub struct Unique {
    /// Plain indexes over several columns.
    pub indexes: Vec<IndexRecord>,
    /// Expression indexes, partial indexes, and indexes with a collation.
    pub rules: Vec<UniqueRecord>,
    /// The names of indexes that a device cannot check.
    pub unknown: Vec<String>,
}

/// Returns the unique indexes of a table. `columns` are its recorded columns.
pub fn unique(found: &LiveTable, pk: &str, columns: &[ColumnRecord]) -> Unique {
    let mut known = Unique::default();
    for (name, index) in found.indexes.iter().filter(|(_, index)| index.unique) {
        let names: Option<Vec<String>> =
            index.columns.iter().map(|(name, ..)| name.clone()).collect();
        if names.as_ref().is_some_and(|names| names.iter().any(|name| name == pk)) {
            // Rows never share the key, so they cannot share all columns of the index.
            continue;
        }
        let is_held = |name: &String| columns.iter().any(|column| column.name == *name);
        if index.sql.is_none()
            && let Some(names) = names.filter(|names| names.iter().all(is_held))
        {
            let whole = IndexRecord { columns: names, unique: true };
            if whole.columns.len() > 1 && !known.indexes.contains(&whole) {
                known.indexes.push(whole);
            }
            if index.columns.iter().all(|(.., collation)| is_binary(collation)) {
                continue;
            }
        }
        match rule(found, name, index, columns) {
            Some(rule) if !known.rules.contains(&rule) => known.rules.push(rule),
            Some(_) => {}
            None => known.unknown.push(name.clone()),
        }
    }
    known
}

/// Whether a unique index covers this column alone, and all rows.
pub fn is_unique(table: &LiveTable, column: &str) -> bool {
    table.indexes.values().any(|index| {
        let is_alone = matches!(&index.columns[..], [(Some(name), ..)] if name == column);
        index.unique && index.sql.is_none() && is_alone
    })
}

/// Returns an index as SQL terms over the columns that devices hold; `None` if a device cannot
/// check it.
fn rule(
    found: &LiveTable,
    name: &str,
    index: &LiveIndex,
    columns: &[ColumnRecord],
) -> Option<UniqueRecord> {
    let (written, filter) = match &index.sql {
        None => (vec![""; index.columns.len()], None),
        Some(_) => index_parts(found.written.indexes.get(name)?)?,
    };
    if written.len() != index.columns.len() {
        return None;
    }
    let is_same = |sql: &&str| evaluates_alike(sql, found, columns);
    let term = |(sql, (column, _, collation)): (&str, &(Option<String>, bool, String))| match column
    {
        Some(column) => folded(columns.iter().find(|known| known.name == *column)?, collation),
        None => (is_binary(collation) && is_same(&sql)).then(|| sql.to_owned()),
    };
    let terms = written.into_iter().zip(&index.columns).map(term).collect::<Option<_>>()?;
    match filter {
        Some(filter) if !is_same(&filter) => None,
        filter => Some(UniqueRecord { terms, filter: filter.map(str::to_owned) }),
    }
}

fn is_binary(collation: &str) -> bool {
    collation.eq_ignore_ascii_case("binary")
}

/// Returns an SQL term over the column. It has equal bytes for two values exactly when the
/// collation considers them equal. `None` if there is no such term.
fn folded(column: &ColumnRecord, collation: &str) -> Option<String> {
    let name = quote(&column.name);
    match (&*collation.to_ascii_uppercase(), column.kind) {
        ("BINARY", _) => Some(name),
        ("NOCASE", Kind::Text) => Some(format!("lower({name})")),
        ("RTRIM", Kind::Text) => Some(format!("rtrim({name}, ' ')")),
        _ => None,
    }
}

/// Names of SQLite's row id, which differs between devices.
const ROWID_NAMES: [&str; 3] = ["rowid", "oid", "_rowid_"];

/// Whether an expression has the same result on a device: it uses only columns that devices hold
/// and compare as the primary does.
fn evaluates_alike(sql: &str, found: &LiveTable, columns: &[ColumnRecord]) -> bool {
    let tokens = tokens(sql);
    tokens.iter().enumerate().all(|(at, token)| {
        let word = token.rsplit('.').next().unwrap_or_default();
        let named = found.columns.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let Some((name, column)) = named else { return !ROWID_NAMES.contains(&word) };
        let is_held = columns.iter().any(|known| known.name == *name);
        is_held && compares_alike(column, &tokens[at + 1..])
    })
}

/// Whether a device compares a column as the primary does. `then` are the tokens after the column.
/// Replicas have no collations, and hold dates as texts, some of which SQLite would convert to
/// numbers on the primary.
fn compares_alike(column: &LiveColumn, then: &[String]) -> bool {
    let then: Vec<&str> = then.iter().take(3).map(String::as_str).collect();
    let is_null =
        matches!(then[..], ["is", "null", ..] | ["is", "not", "null"] | ["isnull" | "notnull", ..]);
    let by_bytes = matches!(column.collation.as_deref(), None | Some("binary"));
    is_null || by_bytes && !is_date(&column.kind)
}

/// Returns an error for a UNIQUE constraint that is `ON CONFLICT REPLACE` if a push could not tell
/// which row it would replace.
pub fn check_replacing(
    table: &str,
    found: &LiveTable,
    columns: &[ColumnRecord],
) -> Result<(), AdoptError> {
    let is_plain = |name: &String, collation: &str| {
        let held = columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        let live = held.and_then(|column| found.columns.get(&column.name));
        let compared = live.map(|column| column.collation.as_deref().unwrap_or("binary"));
        compared.is_some_and(|compared| compared.eq_ignore_ascii_case(collation))
    };
    for set in &found.replacing {
        let of = |index: &&LiveIndex| {
            let names = index.columns.iter().map(|(name, ..)| name.as_deref().unwrap_or_default());
            index.unique && names.map(str::to_lowercase).eq(set.iter().cloned())
        };
        let index = found.indexes.values().find(of);
        let mut terms = set.iter().zip(index.iter().flat_map(|index| &index.columns));
        if index.is_none() || !terms.all(|(name, (.., collation))| is_plain(name, collation)) {
            return Err(AdoptError::Replacing { table: table.to_owned(), columns: set.clone() });
        }
    }
    Ok(())
}
