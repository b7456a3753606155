//! A parsed `#[table]` struct, from which code is generated.

use syn::{Attribute, Expr, Ident, LitStr, Type, Visibility};

/// The declaration of one table.
pub struct Declaration {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub ident: Ident,
    pub name: LitStr,
    /// The former name of the table.
    pub renamed_from: Option<LitStr>,
    /// Why the table should no longer be used, and what to use instead.
    pub deprecated: Option<LitStr>,
    /// Whether another tool creates and changes the table.
    pub external: bool,
    /// Whether the table has a UNIQUE constraint that is `ON CONFLICT REPLACE`.
    pub replaces: bool,
    pub unique_rules: Vec<UniqueRule>,
    pub policy: Policy,
    /// Why the table has this policy.
    pub reason: LitStr,
    /// `None` if and only if the table is private.
    pub scope: Option<Scope>,
    pub indexes: Vec<Index>,
    pub columns: Vec<Column>,
}

/// How rows of the table are synced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    Versioned,
    AppendOnly,
    Private,
}

/// Where the scope of a row is found.
pub enum Scope {
    Column(Ident),
    /// `column -> table.target`, through the foreign key from `column` to `table.key`.
    Path {
        column: Ident,
        table: Ident,
        key: Ident,
        target: Ident,
    },
}

/// An index from `index(…)` or `unique(…)`.
pub struct Index {
    pub unique: bool,
    pub columns: Vec<Ident>,
}

/// A unique expression index or partial index, from `unique_sql(…)`.
pub struct UniqueRule {
    pub terms: Vec<LitStr>,
    pub filter: Option<LitStr>,
}

/// One column.
pub struct Column {
    /// Attributes that are not ours, such as doc comments and serde's.
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub ident: Ident,
    pub ty: Type,
    pub pk: bool,
    pub unique: bool,
    pub lock_version: bool,
    /// Whether an `UPDATE OF` trigger of the application names it.
    pub watched: bool,
    pub default: Option<Default>,
    /// The SQL condition that every value must meet.
    pub check: Option<LitStr>,
    /// The former name of the column.
    pub renamed_from: Option<Ident>,
    pub references: Option<Reference>,
    /// SQL for the size of the value in a page, in bytes, if `length(column)` would be slow.
    pub size: Option<LitStr>,
}

/// A column's default.
pub enum Default {
    Now,
    /// A literal: text, an integer, or a real.
    Literal(Expr),
    /// An SQL expression.
    Sql(LitStr),
}

/// A foreign key.
pub struct Reference {
    pub table: Ident,
    pub column: Ident,
    pub on_delete: OnDelete,
}

/// What happens to a row when the row that it refers to is deleted.
#[derive(Clone, Copy)]
pub enum OnDelete {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
}
