//! The foundation of the other modules: the world that a device is in (time, randomness, waiting),
//! locks between processes, threads for blocking work, the settings of every SQLite file, and the
//! rules that differ between schemas.

pub(crate) mod clock;
pub(crate) mod own_thread;
pub(crate) mod rules;
pub(crate) mod sqlite;
pub mod waiting;
pub mod world;
