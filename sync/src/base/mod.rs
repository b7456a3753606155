//! The foundation of the other rooms: time and ids, locks between processes, threads for blocking
//! work, what each SQLite file needs, and what differs between schemas.

pub(crate) mod clock;
pub(crate) mod own_thread;
pub(crate) mod rules;
pub(crate) mod sqlite;
pub mod waiting;
