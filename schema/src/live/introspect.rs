//! Queries the schema of a database with one SELECT that runs on every primary, and decodes the
//! answer.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::live::database::{Live, LiveColumn, LiveIndex, LiveKey, LiveObject};
use crate::sql::tokens::{bracketed_after, list, normalised, tokens};

/// Selects the tables, columns, foreign keys, indexes, triggers and views of a database. The answer
/// has rows of two texts, which [`Live::decode`] decodes. The parameter is a text that identifies
/// the request: the first row repeats it, so that the answer to another request is noticed.
///
/// Cloudflare's own tables are excluded before the PRAGMAs are joined, because D1 forbids
/// inspecting them. So are virtual tables: SQLite fails to list the columns of one whose module is
/// not loaded.
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

/// An answer that cannot be decoded.
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
    /// Decodes the answer to [`LIVE_SQL`]. Returns `None` if it belongs to another request.
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

    /// Parses the collations of columns from the `CREATE TABLE` statements: no PRAGMA reports them.
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

/// Returns the columns of each UNIQUE constraint that is `ON CONFLICT REPLACE`, in one column
/// definition or table constraint of a `CREATE TABLE`.
fn replacing(part: &[String]) -> Vec<Vec<String>> {
    const KINDS: [&str; 6] = ["unique", "primary", "null", "check", "references", "foreign"];
    let mut found = Vec::new();
    for (at, words) in part.windows(3).enumerate() {
        if words != ["on", "conflict", "replace"] {
            continue;
        }
        // The clause belongs to the last constraint before it.
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
