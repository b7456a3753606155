//! Migrations: reads and writes migration folders, applies them, and checks databases against them.
//!
//! [`generate()`] adds a migration to a folder, and [`adopt()`] one for tables that another tool
//! makes. [`apply()`] brings a database up to date, and [`check()`] compares it with its
//! migrations. `fastest_schema` decides what a migration must look like, and which tables and triggers
//! of a database are Fastest's. This module does the I/O.

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
pub use export::{ExportError, RepairedExport, repair_export};
pub use folder::read;
pub use generate::{Generated, NewMigration, generate};
pub use source::Source;
