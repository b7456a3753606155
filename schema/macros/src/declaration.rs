//! What one `#[table]` struct says, after parsing and before code is written.

use syn::{Attribute, Expr, Ident, LitStr, Type, Visibility};

/// One table.
pub struct Declaration {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub ident: Ident,
    pub name: LitStr,
    /// The name that the table had before.
    pub renamed_from: Option<LitStr>,
    /// Why the table is there no longer to be used, and what to use instead.
    pub deprecated: Option<LitStr>,
    /// Whether someone else makes and changes the table.
    pub external: bool,
    /// Whether a UNIQUE constraint of it is `ON CONFLICT REPLACE`.
    pub replaces: bool,
    pub unique_rules: Vec<UniqueRule>,
    pub policy: Policy,
    /// Why the table has this policy.
    pub reason: LitStr,
    /// `None` exactly for private tables.
    pub scope: Option<Scope>,
    pub indexes: Vec<Index>,
    pub columns: Vec<Column>,
}

/// How rows of the table travel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    Versioned,
    AppendOnly,
    Private,
}

/// Where the scope of a row is found.
pub enum Scope {
    Column(Ident),
    /// `column -> table.target`, over the foreign key of `column`, which refers to `table.key`.
    Path {
        column: Ident,
        table: Ident,
        key: Ident,
        target: Ident,
    },
}

/// A multi-column index, or a unique one.
pub struct Index {
    pub unique: bool,
    pub columns: Vec<Ident>,
}

/// A unique index over expressions, or over some of the rows only.
pub struct UniqueRule {
    pub terms: Vec<LitStr>,
    pub filter: Option<LitStr>,
}

/// One column.
pub struct Column {
    /// Attributes that are not ours: doc comments, serde's.
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub ident: Ident,
    pub ty: Type,
    pub pk: bool,
    pub unique: bool,
    pub lock_version: bool,
    /// Whether a trigger `UPDATE OF` it, of the application's own, is there.
    pub watched: bool,
    pub default: Option<Default>,
    /// SQL that must hold for every value.
    pub check: Option<LitStr>,
    /// The name that the column had before.
    pub renamed_from: Option<Ident>,
    pub references: Option<Reference>,
    /// SQL for the bytes that the value takes in a page, where `length(column)` would be dear.
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

/// What happens to a row when the one that it refers to goes.
#[derive(Clone, Copy)]
pub enum OnDelete {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
}
