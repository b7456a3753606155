//! The foundation of the other rooms: time and ids, locks between processes, threads for blocking
//! work, and what each SQLite file needs.

pub(crate) mod clock;
pub(crate) mod own_thread;
pub(crate) mod sqlite;
pub mod waiting;
