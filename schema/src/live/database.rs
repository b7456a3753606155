//! The schema of a database, as the database reports it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The tables, triggers and views of a database.
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
    /// Its normalised text.
    pub sql: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveTable {
    /// Its columns, by name, because their order depends on when they were added.
    pub columns: BTreeMap<String, LiveColumn>,
    /// Its foreign keys.
    pub keys: BTreeSet<LiveKey>,
    /// Its indexes, by name. An index that SQLite created for a constraint has no stable name; its key
    /// is its origin and columns, such as `u(name, age)`.
    pub indexes: BTreeMap<String, LiveIndex>,
    /// The expressions of its CHECK constraints.
    pub checks: BTreeSet<String>,
    /// Those of `VIRTUAL`, `WITHOUT ROWID`, `STRICT` and `AUTOINCREMENT` that it has.
    pub options: BTreeSet<&'static str>,
    /// The columns of each UNIQUE constraint that is `ON CONFLICT REPLACE`, in lower case.
    pub replacing: BTreeSet<Vec<String>>,
    /// How its columns and indexes were spelt.
    pub written: Written,
}

/// How a table and its indexes were spelled. Two tables may be equal in spite of different spellings,
/// so all values of this type compare equal.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// The columns in declared order, each with the text of its default.
    pub columns: BTreeMap<i64, (String, Option<String>)>,
    /// The SQL of expression indexes and partial indexes, by name.
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
    /// Its position in the primary key, from 1; 0 if it is not part of the key.
    pub pk: i64,
    /// Whether it is generated, or hidden in another way.
    pub hidden: bool,
    /// Its collation, if one is declared.
    pub collation: Option<String>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LiveKey {
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that it refers to.
    pub table: String,
    /// The columns that it refers to; empty strings if the key does not name them.
    pub targets: Vec<String>,
    /// The `ON DELETE` action.
    pub on_delete: String,
    /// The `ON UPDATE` action.
    pub on_update: String,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveIndex {
    /// Its columns: the name, or `None` for an expression; whether it is descending; the collation.
    pub columns: Vec<(Option<String>, bool, String)>,
    /// Whether it is a UNIQUE index.
    pub unique: bool,
    /// The normalised SQL of an expression index or a partial index.
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
    /// Makes comparisons ignore what the tool that owns `table` did to it. The table becomes the expected
    /// one, without the columns that are missing, and the tool's own triggers on it are removed.
    pub fn ignore_foreign_changes(&mut self, expected: &Live, table: &str) {
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
