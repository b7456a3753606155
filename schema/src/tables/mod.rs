//! Fastest's own tables, declared in the same way as those of any application.

pub mod auth;
pub mod conversations;
pub(crate) mod fastest;
pub(crate) mod ids;
pub mod infrastructure;
pub mod intelligence;
pub(crate) mod migrations;
pub(crate) mod packs;
pub mod projects;
pub mod workspaces;
