//! Migrations: reads and writes folders of them, applies them, and checks databases against them.
//!
//! [`generate()`] adds a migration to a folder, and [`adopt()`] one for tables that another tool
//! makes. [`apply()`] brings a database up to date, and [`check()`] compares it with its
//! migrations. What a migration has to look like, and what in a database is Fastest's, is decided
//! in `fastest_schema`; this module does the IO.

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
