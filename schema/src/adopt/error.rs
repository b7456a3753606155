//! Why a table cannot be adopted: each message names the table and the column, and says what to do.

use crate::check::declarations::DeclarationError;

/// Why tables cannot be adopted, or no longer match their records.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// More than one error, in the order of the chosen tables.
    #[error("{}", lines(.0))]
    Several(Vec<AdoptError>),
    /// The database has no such table.
    #[error("there is no table `{table}`; the database has {}", names(there))]
    NoTable {
        /// The name that was asked for.
        table: String,
        /// The tables that exist.
        there: Vec<String>,
    },
    /// It is a view.
    #[error("`{table}` is a view: choose the tables that it shows")]
    View {
        /// The view.
        table: String,
    },
    /// It is a virtual table.
    #[error("`{table}` is a virtual table, on which no trigger can be: leave it out")]
    Virtual {
        /// The table.
        table: String,
    },
    /// Its name has a reserved prefix.
    #[error("table `{table}` belongs to SQLite, Cloudflare, wrangler or Fastest: leave it out")]
    Reserved {
        /// The table.
        table: String,
    },
    /// It is synced already.
    #[error("table `{table}` is synced already: its declaration is there to be changed")]
    Synced {
        /// The table.
        table: String,
    },
    /// It was chosen with the policy `private`.
    #[error("table `{table}`: a private table is not synced; leave it out")]
    Private {
        /// The table.
        table: String,
    },
    /// A name cannot be used in declarations and payloads.
    #[error(
        "table `{table}`: the name `{name}` cannot be declared: a name is of ASCII letters, digits \
         and `_`, does not begin with a digit, and is no word of the engine's or of Rust's own; \
         rename it, or leave the table out"
    )]
    Name {
        /// The table.
        table: String,
        /// Its name, or that of a column.
        name: String,
    },
    /// It has no primary key.
    #[error(
        "table `{table}` has no primary key: give it a text key, such as a ULID or UUID, or leave it out"
    )]
    NoKey {
        /// The table.
        table: String,
    },
    /// Its key has several columns.
    #[error(
        "table `{table}` has a key of several columns ({}): devices know a row by one text; give \
         it a text key of its own beside a unique index over these, or leave it out",
        names(columns)
    )]
    KeyColumns {
        /// The table.
        table: String,
        /// The columns, in their order.
        columns: Vec<String>,
    },
    /// Its key is an integer.
    #[error(
        "`{table}.{column}` is an integer key: devices would give the same numbers to different \
         rows; a text key, such as a ULID or UUID, is needed"
    )]
    IntegerKey {
        /// The table.
        table: String,
        /// The key.
        column: String,
    },
    /// Its key is neither a text nor an integer.
    #[error("`{table}.{column}` is the key, and is declared `{kind}`: a key must be text")]
    KeyKind {
        /// The table.
        table: String,
        /// The key.
        column: String,
        /// Its declared type.
        kind: String,
    },
    /// A key or scope has a collation under which different texts may be equal.
    #[error(
        "`{table}.{column}` is compared by `{collation}`: a key or scope must be compared by its \
         bytes; rebuild the table without the collation, or leave it out"
    )]
    Collation {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its collation.
        collation: String,
    },
    /// A column's declared type does not determine what it holds, or its values cannot be synced.
    #[error("`{table}.{column}` {reason}, or leave the table out")]
    Kind {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A column cannot hold the value of its default.
    #[error(
        "`{table}.{column}` is declared `{kind}`, and its default `{default}` gives something \
         else, which devices would refuse: change the type or the default, or leave the table out"
    )]
    DefaultKind {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its declared type.
        kind: String,
        /// The default.
        default: String,
    },
    /// Existing rows have values that do not fit the column.
    #[error(
        "`{table}.{column}` holds {rows} value(s) of another type than it is declared: correct \
         them first, or leave the table out"
    )]
    Misfits {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The number of such rows.
        rows: u64,
    },
    /// A foreign key has an action that devices cannot follow.
    #[error(
        "`{table}.{column}` has a foreign key with ON DELETE {action}, which devices cannot \
         follow: change it, or leave out the table or the one that it refers to"
    )]
    OnDelete {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The action.
        action: String,
    },
    /// A UNIQUE constraint is `ON CONFLICT REPLACE`, and a push could not tell which rows it would
    /// replace.
    #[error(
        "table `{table}` has a UNIQUE constraint over ({}) that is ON CONFLICT REPLACE, with a generated \
         column or a collation of its own: make it a unique index, or leave the table out",
        columns.join(", ")
    )]
    Replacing {
        /// The table.
        table: String,
        /// The columns of the constraint.
        columns: Vec<String>,
    },
    /// The scope is missing.
    #[error(
        "table `{table}` needs a scope, by which its rows are shared: a column, or \
         `column:table.column` over a foreign key"
    )]
    NoScope {
        /// The table.
        table: String,
    },
    /// The scope cannot be parsed.
    #[error("table `{table}`: the scope `{scope}` is neither `column` nor `column:table.column`")]
    ScopeForm {
        /// The table.
        table: String,
        /// The scope as the user wrote it.
        scope: String,
    },
    /// The scope names a column that does not exist.
    #[error("scope: table `{table}` has no column `{column}`; it has {}", names(there))]
    ScopeColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The columns that exist.
        there: Vec<String>,
    },
    /// The scope names a generated column.
    #[error("scope: `{table}.{column}` is generated, and devices do not hold it: name another")]
    Generated {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The scope is not text.
    #[error("scope: `{table}.{column}` is declared `{kind}`: a scope must be text")]
    ScopeKind {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its declared type.
        kind: String,
    },
    /// The scope path refers to a table that is not chosen.
    #[error("scope: `{table}` leads to `{to}`, which is not chosen: choose it as well")]
    ParentNotChosen {
        /// The table.
        table: String,
        /// The table that the path refers to.
        to: String,
    },
    /// The column of the scope path is not a foreign key.
    #[error(
        "scope: `{table}.{column}` is no foreign key to `{to}` between columns of one kind: name a column \
         that is, or a scope in the table itself"
    )]
    NotForeignKey {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The table that the path refers to.
        to: String,
    },
    /// An adopted table no longer exists.
    #[error(
        "table `{table}` is adopted, and is not there any more: put it back, or take it out of the \
         declarations and generate a migration"
    )]
    Gone {
        /// The table.
        table: String,
    },
    /// An adopted table has another key.
    #[error(
        "table `{table}` is adopted, and `{column}` is its key now: devices know its rows by another"
    )]
    KeyMoved {
        /// The table.
        table: String,
        /// The key that it has now.
        column: String,
    },
    /// A column of an adopted table differs from its declaration.
    #[error(
        "`{table}.{column}` {how}: declare it as it is and generate a migration, then attach and migrate"
    )]
    Changed {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// How it differs.
        how: String,
    },
    /// An adopted table has a new column without which no row can be inserted.
    #[error(
        "`{table}.{column}` is not declared, is NOT NULL and has no default, so no device could insert a \
         row: declare it and generate a migration, then attach and migrate"
    )]
    Needed {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The records do not fit together.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
}

impl AdoptError {
    /// Returns the individual errors: those of [`AdoptError::Several`], or this single one.
    pub fn each(&self) -> &[AdoptError] {
        match self {
            AdoptError::Several(errors) => errors,
            error => std::slice::from_ref(error),
        }
    }

    /// Combines errors into one.
    pub fn all(mut errors: Vec<AdoptError>) -> AdoptError {
        match errors.len() {
            1 => errors.remove(0),
            _ => AdoptError::Several(errors),
        }
    }
}

fn lines(errors: &[AdoptError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn names(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}
