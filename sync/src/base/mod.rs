//! The foundation of the other rooms: the world that a device is in (time, randomness, waiting), locks
//! between processes, threads for blocking work, what each SQLite file needs, and what differs between
//! schemas.

pub(crate) mod clock;
pub(crate) mod own_thread;
pub(crate) mod rules;
pub(crate) mod sqlite;
pub mod waiting;
pub mod world;
