//! What is stored, and how it is named: ids, objects, trees, and content in chunks.
//!
//! Nothing here opens a file. Objects are read from a [`source::ObjectSource`] and given to a
//! [`source::ObjectSink`]; the store implements both.

pub mod chunk;
pub mod error;
pub mod id;
pub mod item;
pub mod kind;
pub mod memory;
pub mod name;
pub(crate) mod path;
pub mod source;
pub(crate) mod state_name;
pub mod tree;
pub(crate) mod varint;
