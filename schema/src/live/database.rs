//! What a database holds, as it says itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

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

impl Live {
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
}
