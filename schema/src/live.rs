//! What a database holds, as it says itself: the answer to one SELECT that runs on every primary.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use crate::tokens::{bracketed_after, list, normalised, tokens};

/// Asks for everything in a database, in rows of two texts, which [`Live::decode`] reads. Its
/// parameter is any text, which the first row repeats, so that no other answer can pass for this one.
///
/// Cloudflare's own tables are left out before the PRAGMAs are joined: D1 lets nobody look at them. So
/// are virtual tables: SQLite cannot tell the columns of one whose module is not loaded, and fails.
pub const LIVE_SQL: &str = "WITH m AS MATERIALIZED (
  SELECT type, name, tbl_name, sql FROM sqlite_master
  WHERE name NOT GLOB '_cf_*' AND tbl_name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'
), t AS MATERIALIZED (
  SELECT name FROM m WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL TABLE%'
)
SELECT 'request' AS kind, json_quote(?1) AS body
UNION ALL SELECT 'object', json_object('type', type, 'name', name, 'table', tbl_name, 'sql', sql) FROM m
UNION ALL SELECT 'column', json_object('table', t.name, 'cid', c.cid, 'name', c.name, 'type', c.type,
    'notnull', c.\"notnull\", 'default', c.dflt_value, 'pk', c.pk, 'hidden', c.hidden)
  FROM t JOIN pragma_table_xinfo(t.name) AS c
UNION ALL SELECT 'key', json_object('table', t.name, 'id', f.id, 'seq', f.seq, 'to', f.\"table\",
    'from', f.\"from\", 'column', f.\"to\", 'on_update', f.on_update, 'on_delete', f.on_delete)
  FROM t JOIN pragma_foreign_key_list(t.name) AS f
UNION ALL SELECT 'index', json_object('table', t.name, 'name', i.name, 'unique', i.\"unique\",
    'origin', i.origin, 'partial', i.partial, 'columns', json((
      SELECT json_group_array(json_array(x.name, x.\"desc\", x.coll))
      FROM pragma_index_xinfo(i.name) AS x WHERE x.key)))
  FROM t JOIN pragma_index_list(t.name) AS i";

/// Everything in a database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Live {
    /// Its tables, by name.
    pub tables: BTreeMap<String, LiveTable>,
    /// Its triggers, by name.
    pub triggers: BTreeMap<String, LiveObject>,
    /// Its views, by name.
    pub views: BTreeMap<String, LiveObject>,
}

/// A trigger or a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveObject {
    /// The table or view that it is on.
    pub table: String,
    /// Its text, without what makes no difference.
    pub sql: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveTable {
    /// Its columns, by name: their order depends on when they were added.
    pub columns: BTreeMap<String, LiveColumn>,
    /// Its foreign keys.
    pub keys: BTreeSet<LiveKey>,
    /// Its indexes, by name; those that SQLite made for a constraint, by their columns.
    pub indexes: BTreeMap<String, LiveIndex>,
    /// The texts of its checks.
    pub checks: BTreeSet<String>,
    /// `VIRTUAL`, `WITHOUT ROWID`, `STRICT` and `AUTOINCREMENT`, where they stand.
    pub options: BTreeSet<&'static str>,
    /// The columns of each UNIQUE constraint that is `ON CONFLICT REPLACE`, in lower case.
    pub replacing: BTreeSet<Vec<String>>,
    /// How its columns and indexes were written down.
    pub written: Written,
}

/// What was written in the texts of a table and its indexes, and makes no difference to what the table
/// is: any two are equal.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// The columns by their places, each with its default as it was written.
    pub columns: BTreeMap<i64, (String, Option<String>)>,
    /// The texts of the indexes that are over expressions or some of the rows only, by name.
    pub indexes: BTreeMap<String, String>,
}

impl PartialEq for Written {
    fn eq(&self, _: &Written) -> bool {
        true
    }
}

impl Eq for Written {}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveColumn {
    /// The declared type, in lower case.
    pub kind: String,
    /// Whether it may be null.
    pub null: bool,
    /// The default, as SQL.
    pub default: Option<String>,
    /// Its place in the primary key, from 1; 0 where it is in none.
    pub pk: i64,
    /// Whether it is generated, or hidden otherwise.
    pub hidden: bool,
    /// How its texts compare, if otherwise than by their bytes.
    pub collation: Option<String>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LiveKey {
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that it refers to.
    pub table: String,
    /// The columns there; empty texts where it names none.
    pub targets: Vec<String>,
    /// What happens when the row there goes.
    pub on_delete: String,
    /// What happens when the key there changes.
    pub on_update: String,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveIndex {
    /// Its columns, each with its order and collation; `None` for an expression.
    pub columns: Vec<(Option<String>, bool, String)>,
    /// Whether no two rows may agree on all of them.
    pub unique: bool,
    /// The text of one that is over expressions or some of the rows only.
    pub sql: Option<String>,
}

impl fmt::Display for LiveColumn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind.is_empty() { "no type" } else { &self.kind };
        write!(formatter, "{kind}")?;
        match self.pk {
            0 => {}
            at => write!(formatter, " PRIMARY KEY ({at})")?,
        }
        formatter.write_str(if self.null { "" } else { " NOT NULL" })?;
        if let Some(default) = &self.default {
            write!(formatter, " DEFAULT {default}")?;
        }
        if let Some(collation) = &self.collation {
            write!(formatter, " COLLATE {collation}")?;
        }
        formatter.write_str(if self.hidden { " GENERATED" } else { "" })
    }
}

impl fmt::Display for LiveKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, targets, on_delete, on_update, .. } = self;
        let targets = targets.join(", ");
        write!(formatter, "REFERENCES {table}({targets}) ON DELETE {on_delete}")?;
        match on_update.as_str() {
            "NO ACTION" => Ok(()),
            action => write!(formatter, " ON UPDATE {action}"),
        }
    }
}

impl fmt::Display for LiveIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(sql) = &self.sql {
            return formatter.write_str(sql);
        }
        let column = |(name, descending, collation): &(Option<String>, bool, String)| {
            let mut text = name.clone().unwrap_or_default();
            text.push_str(if *descending { " DESC" } else { "" });
            match collation.as_str() {
                "BINARY" => text,
                other => format!("{text} COLLATE {other}"),
            }
        };
        let columns: Vec<String> = self.columns.iter().map(column).collect();
        write!(formatter, "{}({})", if self.unique { "unique " } else { "" }, columns.join(", "))
    }
}

/// An answer that no database gives.
#[derive(Debug, thiserror::Error)]
#[error("row {row} of what the database says of its tables cannot be read: {reason}")]
pub struct LiveError {
    /// The row, from 0.
    pub row: usize,
    /// What is wrong.
    pub reason: String,
}

#[derive(Deserialize)]
struct Object {
    r#type: String,
    name: String,
    table: String,
    sql: Option<String>,
}

#[derive(Deserialize)]
struct Column {
    table: String,
    cid: i64,
    name: String,
    r#type: Option<String>,
    notnull: i64,
    default: Option<String>,
    pk: i64,
    hidden: i64,
}

#[derive(Deserialize)]
struct Key {
    table: String,
    id: i64,
    seq: i64,
    to: String,
    from: String,
    column: Option<String>,
    on_update: String,
    on_delete: String,
}

#[derive(Deserialize)]
struct Index {
    table: String,
    name: String,
    unique: i64,
    origin: String,
    partial: i64,
    columns: Vec<(Option<String>, i64, String)>,
}

impl Live {
    /// Reads the answer to [`LIVE_SQL`]; `None` where it belongs to another request.
    pub fn decode(
        request: &str,
        answer: &[Vec<Option<String>>],
    ) -> Result<Option<Live>, LiveError> {
        let mut live = Live::default();
        let mut keys: BTreeMap<(String, i64), Vec<Key>> = BTreeMap::new();
        let mut texts = BTreeMap::new();
        let mut is_ours = false;
        for (row, cells) in answer.iter().enumerate() {
            let failed = |reason: String| LiveError { row, reason };
            let [Some(kind), Some(body)] = &cells[..] else {
                return Err(failed("it has not two texts".to_owned()));
            };
            let json = |error: serde_json::Error| failed(error.to_string());
            match kind.as_str() {
                "request" => {
                    is_ours = serde_json::from_str::<String>(body).map_err(json)? == request;
                }
                "object" => live.take(serde_json::from_str(body).map_err(json)?, &mut texts),
                "column" => live.take_column(serde_json::from_str(body).map_err(json)?),
                "key" => {
                    let key: Key = serde_json::from_str(body).map_err(json)?;
                    keys.entry((key.table.clone(), key.id)).or_default().push(key);
                }
                "index" => live.take_index(serde_json::from_str(body).map_err(json)?, &texts),
                other => return Err(failed(format!("`{other}` is unknown"))),
            }
        }
        for ((table, _), parts) in keys {
            live.take_key(&table, parts);
        }
        live.collate(&texts);
        Ok(is_ours.then_some(live))
    }

    /// Takes a table that someone else makes as it should be, but for the columns that it lacks: what
    /// else they do with it is theirs.
    pub fn keep_shared(&mut self, expected: &Live, table: &str) {
        if let (Some(expected), Some(found)) =
            (expected.tables.get(table), self.tables.get_mut(table))
        {
            let columns = expected.columns.iter();
            let columns = columns.filter(|(name, _)| found.columns.contains_key(*name));
            let columns = columns.map(|(name, column)| (name.clone(), column.clone())).collect();
            *found = LiveTable { columns, ..expected.clone() };
        }
        self.triggers
            .retain(|name, trigger| trigger.table != table || name.starts_with("fastest_"));
    }

    fn take(&mut self, object: Object, texts: &mut BTreeMap<String, String>) {
        let Object { r#type, name, table, sql } = object;
        let sql = sql.unwrap_or_default();
        match r#type.as_str() {
            "trigger" => {
                self.triggers.insert(name, LiveObject { table, sql: normalised(&sql) });
            }
            "view" => {
                self.views.insert(name, LiveObject { table, sql: normalised(&sql) });
            }
            "table" => {
                let tokens = tokens(&sql);
                let known = self.tables.entry(name.clone()).or_default();
                known.checks = bracketed_after("check", &tokens).into_iter().collect();
                known.options = options(&tokens);
                known.replacing = list(&tokens).into_iter().flat_map(replacing).collect();
                texts.insert(name, sql);
            }
            _ => drop(texts.insert(name, sql)),
        }
    }

    fn take_column(&mut self, column: Column) {
        let known = LiveColumn {
            kind: column.r#type.unwrap_or_default().to_lowercase(),
            null: column.notnull == 0,
            default: column.default.as_deref().map(normalised),
            pk: column.pk,
            hidden: column.hidden != 0,
            collation: None,
        };
        let table = self.tables.entry(column.table).or_default();
        table.written.columns.insert(column.cid, (column.name.clone(), column.default));
        table.columns.insert(column.name, known);
    }

    fn take_key(&mut self, table: &str, mut parts: Vec<Key>) {
        parts.sort_by_key(|part| part.seq);
        let Some(first) = parts.first() else { return };
        let key = LiveKey {
            table: first.to.clone(),
            on_delete: first.on_delete.clone(),
            on_update: first.on_update.clone(),
            columns: parts.iter().map(|part| part.from.clone()).collect(),
            targets: parts.iter().map(|part| part.column.clone().unwrap_or_default()).collect(),
        };
        self.tables.entry(table.to_owned()).or_default().keys.insert(key);
    }

    fn take_index(&mut self, index: Index, texts: &BTreeMap<String, String>) {
        let columns: Vec<_> = index
            .columns
            .into_iter()
            .map(|(name, descending, collation)| (name, descending != 0, collation))
            .collect();
        let odd = index.partial != 0 || columns.iter().any(|(name, ..)| name.is_none());
        let written = texts.get(&index.name).filter(|_| odd);
        let table = self.tables.entry(index.table).or_default();
        if let Some(written) = written {
            table.written.indexes.insert(index.name.clone(), written.clone());
        }
        let name = match index.origin.as_str() {
            "c" => index.name,
            origin => {
                let names: Vec<&str> =
                    columns.iter().filter_map(|(name, ..)| name.as_deref()).collect();
                format!("{origin}({})", names.join(", "))
            }
        };
        let (unique, sql) = (index.unique != 0, written.map(|sql| normalised(sql)));
        table.indexes.insert(name, LiveIndex { columns, unique, sql });
    }

    /// Finds the collations, which no PRAGMA tells.
    fn collate(&mut self, texts: &BTreeMap<String, String>) {
        for (name, table) in &mut self.tables {
            let tokens = texts.get(name).map(|sql| tokens(sql)).unwrap_or_default();
            for part in list(&tokens) {
                let at = part.iter().position(|token| token == "collate");
                let collation = at.and_then(|at| part.get(at + 1)).cloned();
                let named = |(name, _): &(&String, &mut LiveColumn)| {
                    part.first().is_some_and(|first| *first == name.to_lowercase())
                };
                if let Some((_, column)) = table.columns.iter_mut().find(named) {
                    column.collation = collation;
                }
            }
        }
    }
}

/// The columns of the UNIQUE constraints of one part of a table's text that are `ON CONFLICT REPLACE`.
fn replacing(part: &[String]) -> Vec<Vec<String>> {
    const KINDS: [&str; 6] = ["unique", "primary", "null", "check", "references", "foreign"];
    let mut found = Vec::new();
    for (at, words) in part.windows(3).enumerate() {
        if words != ["on", "conflict", "replace"] {
            continue;
        }
        // The clause is that of the last constraint before it.
        let before = &part[..at];
        let kind = before.iter().rposition(|word| KINDS.contains(&word.as_str()));
        let Some(kind) = kind.filter(|kind| part[*kind] == "unique") else { continue };
        let bracket = before[kind..].get(1).filter(|token| *token == "(");
        found.push(match bracket {
            Some(_) => list(&before[kind..]).iter().filter_map(|c| c.first().cloned()).collect(),
            None => part[..1].to_vec(),
        });
    }
    found
}

fn options(tokens: &[String]) -> BTreeSet<&'static str> {
    let tail = tokens.iter().rposition(|token| token == ")").map_or(0, |at| at + 1);
    let tail = &tokens[tail..];
    let mut found = BTreeSet::new();
    if tokens.get(1).is_some_and(|token| token == "virtual") {
        found.insert("VIRTUAL");
    }
    if tail.windows(2).any(|pair| pair == ["without", "rowid"]) {
        found.insert("WITHOUT ROWID");
    }
    if tail.iter().any(|token| token == "strict") {
        found.insert("STRICT");
    }
    if tokens.iter().any(|token| token == "autoincrement") {
        found.insert("AUTOINCREMENT");
    }
    found
}
