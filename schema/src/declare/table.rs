//! What is known of a table at run time.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::value::kind::Kind;
use crate::value::sql_value::{Value, ValueError};

/// A row type made by [`macro@crate::table`].
pub trait Row: Serialize + DeserializeOwned {
    /// The table that holds such rows.
    const TABLE: &'static Table;

    /// The struct for inserts, where columns that may be null or have a default may be left out.
    type New: Serialize + DeserializeOwned;

    /// Reads a row from its values in column order, as a page of changes holds them.
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
    /// Indexes beside those of unique columns.
    pub indexes: &'static [Index],
    /// What else no two rows may share, where someone else makes the table.
    pub unique_rules: &'static [UniqueRule],
    /// How rows travel.
    pub policy: Policy,
    /// Why the table has this policy.
    pub reason: &'static str,
    /// By what rows are shared with a device; `None` exactly for private tables.
    pub scope: Option<Scope>,
    /// The name that it had before.
    pub renamed_from: Option<&'static str>,
    /// Why it is no longer to be used, and what to use instead.
    pub deprecated: Option<&'static str>,
    /// Whether someone else makes and changes the table, so that only the triggers on it are ours.
    pub external: bool,
    /// Whether a UNIQUE constraint of such a table is `ON CONFLICT REPLACE`: a push looks for the row
    /// that it would strike, and is refused.
    pub replaces: bool,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column that mirrors the row's lock version, if the table has one.
    pub fn lock_version(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.lock_version)
    }

    /// The columns that a push may change: all but the key and the lock version.
    pub fn writable(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.name != self.pk && !column.lock_version)
    }
}

/// How the rows of a table travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Rows change; a push proves by their lock versions that it saw the newest.
    Versioned,
    /// Rows are written once; a push of a row that is there already changes nothing.
    AppendOnly,
    /// Rows never leave the primary: neither triggers nor pull know the table.
    Private,
}

/// By what a row is shared with a device: the value of a column, or of one reached from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A column of the row.
    Column(&'static str),
    /// The column `target` of the row of `table` whose `key` is the value of this row's `column`.
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
    /// SQL that must hold for every value.
    pub check: Option<&'static str>,
    /// Whether a unique index of its own guards it.
    pub unique: bool,
    /// Whether it mirrors the lock version that `fastest_changes` holds for the row.
    pub lock_version: bool,
    /// The foreign key, if it is one.
    pub references: Option<Reference>,
    /// SQL for the bytes that the value takes in a page, where measuring the text would be dear.
    pub size: Option<&'static str>,
    /// The name that it had before.
    pub renamed_from: Option<&'static str>,
    /// Whether a trigger of the application's, `UPDATE OF` this column, watches it: it is set only
    /// where its value changes, by an UPDATE of its own.
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
    /// What an SQL expression gives at the insert.
    Sql(&'static str),
}

/// A foreign key of one column.
#[derive(Debug, PartialEq, Eq)]
pub struct Reference {
    /// The table that it refers to.
    pub table: &'static str,
    /// The column there.
    pub column: &'static str,
    /// What happens when the row there goes.
    pub on_delete: OnDelete,
}

/// What happens to a row when the one that it refers to goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDelete {
    /// The delete is refused, if the row still refers there when the statement ends.
    NoAction,
    /// The delete is refused at once.
    Restrict,
    /// The row goes too.
    Cascade,
    /// The column becomes null.
    SetNull,
}

impl OnDelete {
    /// Whether rows that refer to one that goes are changed, and not kept from it.
    pub fn changes_children(self) -> bool {
        matches!(self, OnDelete::Cascade | OnDelete::SetNull)
    }
}

/// A unique index over expressions, or over some of the rows only: no two rows of which `filter` holds
/// may agree on all terms. One of which a term is null is shared by any number of rows.
#[derive(Debug, PartialEq, Eq)]
pub struct UniqueRule {
    /// SQL over the columns of a row.
    pub terms: &'static [&'static str],
    /// SQL that holds of the rows that it is about; without any, it is about all.
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
