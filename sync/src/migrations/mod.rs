//! Migrations: folders of them, what they come to, and whether a database is what they say.
//!
//! [`generate()`] adds a migration to a folder, [`adopt()`] one for tables that another tool makes;
//! [`apply()`] brings a database up to date, [`check()`] compares it with what its migrations say. What a
//! migration must be, and what of a database is ours, `fastest_schema` decides; this module reads,
//! writes, runs and asks.

pub mod adopt;
pub mod apply;
pub mod attach;
pub mod check;
pub mod error;
pub mod export;
pub(crate) mod folder;
pub mod generate;
pub(crate) mod rehearsal;
pub mod source;

pub use fastest_schema::adopt::chosen::Chosen;
pub use fastest_schema::live::compare::Comparison;
pub use fastest_schema::{Policy, mermaid};

pub use adopt::{Adopted, adopt};
pub use apply::apply;
pub use attach::{attach, detach};
pub use check::{check, live};
pub use export::{ExportError, MendedExport, mend_export};
pub use folder::read;
pub use generate::{Generated, NewMigration, generate};
pub use source::Source;
