//! What one `#[table]` struct says, after parsing and before code is written.

use syn::{Attribute, Expr, Ident, LitStr, Type, Visibility};

/// One table.
pub struct Declaration {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub ident: Ident,
    pub name: LitStr,
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
    pub default: Option<Default>,
    pub references: Option<Reference>,
    /// SQL for the bytes that the value takes in a page, where `length(column)` would be dear.
    pub size: Option<LitStr>,
}

/// A column's default.
pub enum Default {
    Now,
    /// A literal: text, an integer, or a real.
    Literal(Expr),
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
    Cascade,
    SetNull,
}
