//! What the code that macros write needs, whatever the crate around it depends on.

pub use serde;

pub use crate::declare::column_type::ColumnType;
pub use crate::value::kind::Kind;
