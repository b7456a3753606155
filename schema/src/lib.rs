//! Tables, typed rows, sync policy, migrations and the generated sync SQL of Fastest.
//!
//! One Rust declaration per table, under [`macro@table`], is the source of truth: the DDL, the row
//! types, the triggers on the primary and the statements of push and pull all come from it. This
//! crate computes text and decodes answers; it opens no database. `docs/protocol.md` describes the
//! wire for clients in other languages.

extern crate self as fastest_schema;

pub mod auth;
mod check;
mod column;
mod ddl;
mod engine;
mod migrations;
mod page;
pub mod projects;
mod pull;
mod push;
mod refusal;
mod schema;
mod table;
mod triggers;
mod vocabulary;
pub mod workspaces;

pub use check::{DeclarationError, check};
pub use column::{ColumnType, Json, Kind};
pub use ddl::{create_table, parents_first, replica_ddl};
pub use engine::{D1_MIGRATIONS_DDL, NewPack, Pack};
/// Turns a struct into a table.
///
/// The struct becomes the row type and implements [`Row`]; beside it comes a struct for inserts, its
/// name with `New` in front, and a constant with the name of each column.
///
/// ```
/// use fastest_schema::{Row, table};
///
/// /// A note on a workspace.
/// #[table(
///     name = "notes",
///     policy = versioned("notes are edited on any device"),
///     scope = workspace_id -> workspaces.project_id,
///     index(workspace_id, created_at),
/// )]
/// pub struct Note {
///     /// ULID.
///     #[pk]
///     pub id: String,
///     /// Where it hangs.
///     #[references(workspaces.id, on_delete = cascade)]
///     pub workspace_id: String,
///     /// What it says.
///     pub text: Option<String>,
///     /// ISO 8601, UTC, milliseconds.
///     #[default(now)]
///     pub created_at: String,
/// }
///
/// let new = NewNote {
///     id: "n1".into(),
///     workspace_id: "w1".into(),
///     text: None,
///     created_at: None,
/// };
/// assert_eq!(serde_json::to_string(&new).unwrap(), r#"{"id":"n1","workspace_id":"w1"}"#);
/// assert_eq!(Note::TABLE.pk, Note::ID);
/// ```
///
/// # On the struct
/// - `name`: in SQL; lower-case letters, digits and `_`.
/// - `policy`: `versioned`, `append_only` or `private`, each with the reason in brackets.
/// - `scope`: a column, or `column -> table.column` over that column's foreign key. A private table
///   has none.
/// - `index(…)` and `unique(…)`: any number of each.
///
/// # On a field
/// - `#[pk]`: the primary key, one for each table, of type `String`.
/// - `#[unique]`: guarded by a unique index of its own.
/// - `#[references(table.column)]`, with `on_delete = cascade` or `set_null` if need be.
/// - `#[default(now)]`, or a literal.
/// - `#[lock_version]`: mirrors the lock version of the row; in versioned tables only.
/// - `#[size("sql")]`: the bytes of the value, where measuring a long text would be dear.
///
/// A field is a `String`, an `i64`, an `f64`, a [`Json`], or a type of your own that implements
/// [`ColumnType`]; in an `Option` it may be null.
///
/// # What does not compile
/// A scope or an index on a column that is not there:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = append_only("a test"), scope = project)]
/// struct Note { #[pk] id: String, project_id: String }
/// ```
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = append_only("a test"), scope = id, index(project))]
/// struct Note { #[pk] id: String, project_id: String }
/// ```
/// A scope's path over a column that is no foreign key to that table:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = append_only("a test"), scope = w -> workspaces.project_id)]
/// struct Note { #[pk] id: String, #[references(projects.id)] w: String }
/// ```
/// A synced table without a scope, or a private one with a scope:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = append_only("a test"))]
/// struct Note { #[pk] id: String }
/// ```
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = private("a test"), scope = id)]
/// struct Note { #[pk] id: String }
/// ```
/// A table without a key, or with one that is not text:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = private("a test"))]
/// struct Note { id: String }
/// ```
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = private("a test"))]
/// struct Note { #[pk] id: i64 }
/// ```
/// A lock version in a table that is not versioned:
/// ```compile_fail
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = private("a test"))]
/// struct Note { #[pk] id: String, #[lock_version] version: i64 }
/// ```
/// What is right beside these:
/// ```
/// # use fastest_schema::table;
/// #[table(name = "notes", policy = versioned("a test"), scope = w -> workspaces.project_id, index(id))]
/// struct Note { #[pk] id: String, #[references(workspaces.id)] w: String, #[lock_version] version: i64 }
/// ```
pub use fastest_schema_macros::table;
pub use migrations::{Migration, STATEMENT_BREAKPOINT, init_sql, statements};
pub use page::{Change, Header, Outcome, Page, PageError, decode_page};
pub use pull::{applied_migrations_sql, engine_sql, find_projects_sql, pull_sql};
pub use push::{
    Lock, PAYLOAD_VERSION, PUSH_KNOWN_SQL, PUSH_SQL, PUSHES_KEPT, Payload, Seen, push_ddl,
};
pub use refusal::Refusal;
pub use schema::{FASTEST, Schema, SchemaError};
pub use table::{Column, Default, Index, OnDelete, Policy, Reference, Row, Scope, Table};
pub use triggers::trigger_ddl;

/// Every table that Fastest declares, parents before children, and packs before the snapshots whose
/// content they hold: a push writes, and a pull shows, rows in this order, so that whoever stops
/// half-way never knows a snapshot without its content.
pub const TABLES: &[&Table] = &[
    auth::User::TABLE,
    projects::Project::TABLE,
    Pack::TABLE,
    workspaces::Snapshot::TABLE,
    workspaces::Workspace::TABLE,
    workspaces::DriftReport::TABLE,
    workspaces::ActivityEvent::TABLE,
];

/// What the code that [`macro@table`] writes needs, whatever its crate depends on.
#[doc(hidden)]
pub mod __private {
    pub use serde;
}
