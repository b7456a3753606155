//! The declaration of a table, as data at run time.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::value::kind::Kind;
use crate::value::sql_value::{Value, ValueError};

/// A row type, implemented by [`macro@crate::table`].
pub trait Row: Serialize + DeserializeOwned {
    /// The table that holds such rows.
    const TABLE: &'static Table;

    /// The type of the primary key.
    type Key;

    /// The struct for inserts, in which columns that may be null or have a default are optional.
    type New: Serialize + DeserializeOwned;

    /// Builds a row from its values in column order, which is how a page of changes contains them.
    fn from_values(values: Vec<Value>) -> Result<Self, ValueError> {
        let names = Self::TABLE.columns.iter().map(|column| column.name);
        Value::read_row(names.zip(values))
    }
}

/// One table.
#[derive(Debug, PartialEq)]
pub struct Table {
    /// The name in SQL.
    pub name: &'static str,
    /// The name of the primary key, a text column.
    pub pk: &'static str,
    /// The columns in declared order, which is their order in DDL and on the wire.
    pub columns: &'static [Column],
    /// The indexes, except for those of `#[unique]` columns.
    pub indexes: &'static [Index],
    /// Further unique indexes of an external table: expression indexes and partial indexes.
    pub unique_rules: &'static [UniqueRule],
    /// How rows are synced.
    pub policy: Policy,
    /// Why the table has this policy.
    pub reason: &'static str,
    /// Which devices a row is shared with. `None` if and only if the table is private.
    pub scope: Option<Scope>,
    /// Its former name.
    pub renamed_from: Option<&'static str>,
    /// Why it should no longer be used, and what to use instead.
    pub deprecated: Option<&'static str>,
    /// Whether another tool creates and changes the table, so that only the triggers on it are
    /// ours.
    pub external: bool,
    /// Whether an external table has a UNIQUE constraint that is `ON CONFLICT REPLACE`. A push that
    /// would replace another row by it is refused.
    pub replaces: bool,
}

impl Table {
    /// Returns the column of this name, if the table has one.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns the column that mirrors the row's lock version, if the table has one.
    pub fn lock_version(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.lock_version)
    }

    /// Returns the columns that a push may change: all except the key and the lock version.
    pub fn writable(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.name != self.pk && !column.lock_version)
    }
}

/// How the rows of a table are synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Rows change. A push carries the lock version of each row that it changes, which proves that
    /// the device saw the newest one.
    Versioned,
    /// Rows are written once. Pushing a row that exists already changes nothing.
    AppendOnly,
    /// Rows never leave the primary: the table has no triggers and is not pulled.
    Private,
}

/// Where the scope of a row is found: the value that decides which devices get the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In a column of the row.
    Column(&'static str),
    /// In another table: in the column `target` of the row of `table` whose `key` equals this row's
    /// `column`.
    Path {
        /// A foreign key of this table.
        column: &'static str,
        /// The table that it refers to.
        table: &'static str,
        /// The column that it refers to.
        key: &'static str,
        /// The column that holds the scope.
        target: &'static str,
    },
}

/// One column.
#[derive(Debug, PartialEq)]
pub struct Column {
    /// The name in SQL and in JSON.
    pub name: &'static str,
    /// The storage class.
    pub kind: Kind,
    /// Whether it may be null.
    pub null: bool,
    /// The default, if it has one.
    pub default: Option<Default>,
    /// The SQL condition that every value must meet.
    pub check: Option<&'static str>,
    /// Whether it has a unique index of its own.
    pub unique: bool,
    /// Whether it mirrors the lock version that `fastest_changes` holds for the row.
    pub lock_version: bool,
    /// The foreign key, if it is one.
    pub references: Option<Reference>,
    /// SQL for the size of the value in a page, in bytes, for long texts that are slow to measure.
    pub size: Option<&'static str>,
    /// Its former name.
    pub renamed_from: Option<&'static str>,
    /// Whether an `UPDATE OF` trigger of the application names this column. A push then sets the
    /// column with an UPDATE of its own, and only in rows where its value changes.
    pub watched: bool,
}

/// The default of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Default {
    /// The time of the insert: ISO 8601, UTC, milliseconds.
    Now,
    /// A text.
    Text(&'static str),
    /// An integer.
    Integer(i64),
    /// A real.
    Real(f64),
    /// The result of an SQL expression at the time of the insert.
    Sql(&'static str),
}

/// A foreign key of one column.
#[derive(Debug, PartialEq, Eq)]
pub struct Reference {
    /// The table that it refers to.
    pub table: &'static str,
    /// The column that it refers to.
    pub column: &'static str,
    /// What happens when the row that it refers to is deleted.
    pub on_delete: OnDelete,
}

/// What happens to a row when the row that it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDelete {
    /// The delete is refused if the row still refers to it at the end of the statement.
    NoAction,
    /// The delete is refused at once.
    Restrict,
    /// The row is deleted too.
    Cascade,
    /// The column becomes null.
    SetNull,
}

impl OnDelete {
    /// Whether deleting a row changes the rows that refer to it, rather than being refused.
    pub fn changes_children(self) -> bool {
        matches!(self, OnDelete::Cascade | OnDelete::SetNull)
    }
}

/// A unique expression index or partial index: no two rows for which `filter` is true may agree on
/// all terms. Rows with a null term never conflict.
#[derive(Debug, PartialEq, Eq)]
pub struct UniqueRule {
    /// SQL over the columns of a row.
    pub terms: &'static [&'static str],
    /// The SQL condition that selects the rows of the index; without one, it covers all rows.
    pub filter: Option<&'static str>,
}

/// An index over columns, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Index {
    /// The columns.
    pub columns: &'static [&'static str],
    /// Whether no two rows may agree on all of them.
    pub unique: bool,
}
