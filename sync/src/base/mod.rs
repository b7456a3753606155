//! The foundation of the other rooms: the world that a device is in (time, randomness, waiting), locks
//! between processes, and what each SQLite file needs.

pub(crate) mod clock;
pub(crate) mod sqlite;
pub mod waiting;
pub mod world;
