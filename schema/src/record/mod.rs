//! A schema as data, made from declarations or read from a file.

pub(crate) mod ddl;
pub(crate) mod declared;
pub(crate) mod diagram;
pub(crate) mod leak;
pub mod model;
pub(crate) mod replica;
