//! Why a statement failed, as far as that matters to a caller.
//!
//! Each primary works it out when an answer arrives, from the message (`remote/words.rs`) and, for
//! a file, SQLite's error code. Code outside of `remote` decides by the cause, and never by a
//! message.

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A row violates a constraint. Constraints of the engine's own tables do not count.
    Constraint {
        /// What was violated.
        kind: ConstraintKind,
        /// The columns that the message names.
        columns: Vec<NamedColumn>,
    },
    /// A trigger refused a row with a message of its own, or an expression failed for it.
    Row {
        /// The columns that the message names.
        columns: Vec<NamedColumn>,
    },
    /// Triggers or a cascade go deeper than SQLite's limit, which is ten levels on D1.
    TooDeep,
    /// A value, a row or an answer is larger than the limit.
    TooLarge,
    /// An integer overflowed. Fastest's own guards and probes fail in this way on purpose.
    IntegerOverflow,
    /// A trial push found nothing wrong, and was rolled back.
    Tried,
    /// A table is missing.
    NoTable,
    /// A column is missing.
    NoColumn,
    /// A string in the answer is not UTF-8.
    NotUtf8,
    /// The statement is incomplete: D1's API cuts triggers at their semicolons.
    IncompleteInput,
    /// Something else about the server, the engine's own tables, or the statement as such.
    Server,
}

/// What kind of constraint was violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConstraintKind {
    /// `UNIQUE` or `PRIMARY KEY`.
    Unique,
    /// `NOT NULL`.
    NotNull,
    /// `CHECK`.
    Check,
    /// `FOREIGN KEY`. SQLite does not say which.
    ForeignKey,
    /// The type of a column of a `STRICT` table.
    DataType,
}

/// A column that a message names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedColumn {
    /// Its table, if the message says which.
    pub table: Option<String>,
    /// Its name. For a `CHECK`, it may be any word of the expression, and no column at all.
    pub name: String,
}

impl Cause {
    /// Whether the rows that the statement would write may be at fault, so that a retry would fail
    /// as well.
    pub fn is_of_rows(&self) -> bool {
        match self {
            Self::Constraint { .. }
            | Self::Row { .. }
            | Self::TooDeep
            | Self::TooLarge
            | Self::IntegerOverflow => true,
            Self::Tried
            | Self::NoTable
            | Self::NoColumn
            | Self::NotUtf8
            | Self::IncompleteInput
            | Self::Server => false,
        }
    }

    /// Returns the kind of constraint that was violated.
    pub fn constraint(&self) -> Option<ConstraintKind> {
        match self {
            Self::Constraint { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// Returns the columns that the message names.
    pub fn columns(&self) -> &[NamedColumn] {
        match self {
            Self::Constraint { columns, .. } | Self::Row { columns } => columns,
            _ => &[],
        }
    }

    /// Returns the cause with each name passed through `clean`.
    pub(crate) fn cleaned(self, clean: impl Fn(String) -> String) -> Self {
        let clean = |columns: Vec<NamedColumn>| {
            let column = |NamedColumn { table, name }| NamedColumn {
                table: table.map(&clean),
                name: clean(name),
            };
            columns.into_iter().map(column).collect()
        };
        match self {
            Self::Constraint { kind, columns } => {
                Self::Constraint { kind, columns: clean(columns) }
            }
            Self::Row { columns } => Self::Row { columns: clean(columns) },
            cause => cause,
        }
    }
}
