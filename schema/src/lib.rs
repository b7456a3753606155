//! Tables, typed rows, sync policy, migrations and the generated sync SQL of Fastest.
//!
//! One Rust declaration per table, under [`macro@table`], is the source of truth: the DDL, the row
//! types, the triggers on the primary and the statements of push and pull all come from it. This
//! crate generates SQL and decodes answers; it opens no database. `docs/protocol.md` describes the
//! wire protocol for clients in other languages.

// The macros' code refers to this crate by its external name, also inside the crate itself.
extern crate self as fastest_schema;

pub mod adopt;
pub mod check;
pub mod declare;
pub mod live;
pub mod migrate;
pub mod record;
pub mod sql;
pub mod tables;
pub mod value;
pub mod wire;

pub use check::declarations::{DeclarationError, check};
pub use check::schema::SchemaError;
pub use declare::attribute::table;
pub use declare::column_type::{ColumnType, Flag, Json};
#[doc(hidden)]
pub use declare::macro_support as __private;
pub use declare::order::parents_first;
pub use declare::schema::{Migration, Schema};
pub use declare::table::{
    Column, Default, Index, OnDelete, Policy, Reference, Row, Scope, Table, UniqueRule,
};
pub use migrate::text::init_sql;
pub use record::ddl::create_table;
pub use record::diagram::mermaid;
pub use record::replica::{replica_ddl, replica_record};
pub use sql::statements::{STATEMENT_BREAKPOINT, numbered_statements, statements};
pub use tables::fastest::{FASTEST, TABLES};
pub use tables::ids::{ProjectId, SnapshotId, WorkspaceId};
pub use tables::packs::{NewPack, Pack};
pub use value::kind::Kind;
#[doc(inline)]
pub use value::sql_value::Value;
pub use wire::engine::D1_MIGRATIONS_DDL;
pub use wire::ids::{DeviceId, PushId, RowKey, ScopeId};
pub use wire::lookup::{applied_migrations_sql, engine_sql, find_projects_sql, list_projects_sql};
pub use wire::page::{
    Change, Header, Outcome, Page, PageError, decode_hex_page, decode_page, is_lossy,
};
pub use wire::payload::{
    Columns, Lock, Mark, Op, PAYLOAD_VERSION, PUSH_1_SQL, PUSH_KNOWN_SQL, PUSH_SQL, PUSHES_KEPT,
    Payload, Seen, TRIAL_SQL, TRIED, unseen_sql,
};
pub use wire::pull::{pull_hex_sql, pull_sql};
pub use wire::push::push_ddl;
pub use wire::refusal::Refusal;
pub use wire::row_view::row_ddl;
pub use wire::triggers::trigger_ddl;

/// The parsers of this crate that are not public, for the fuzz targets of this workspace. They may
/// change in any version.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::sql::pattern::too_long;
    pub use crate::sql::tokens::{bracketed_after, index_parts, list, normalised, tokens};

    /// Returns the SHA-256 of a text, as the journal of migrations has it.
    pub fn sha256(text: &str) -> String {
        crate::value::hex::sha256(text)
    }
}
