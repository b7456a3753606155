//! A schema as data, made from declarations or read from a file.

pub(crate) mod ddl;
pub(crate) mod declared;
pub(crate) mod diagram;
pub(crate) mod leak;
pub mod model;
pub(crate) mod replica;

// Old paths, until every crate uses the new ones.
pub use model::{
    ColumnRecord, ENGINE_VERSION, IndexRecord, Object, ObjectKind, RECORD_VERSION, Record,
    ReferenceRecord, ScopePath, ScopeRecord, TableRecord, UniqueRecord,
};
