//! An application's declarations: its tables, their columns, and the schema that joins them.

pub(crate) mod attribute;
pub(crate) mod column_type;
pub(crate) mod ddl;
#[doc(hidden)]
pub mod id_in_sqlite;
pub(crate) mod id_type;
#[doc(hidden)]
pub mod macro_support;
pub(crate) mod order;
pub(crate) mod schema;
pub(crate) mod table;
pub(crate) mod vocabulary;
