//! The foundation of the other rooms: time and ids, locks between processes, and what each SQLite file
//! needs.

pub(crate) mod clock;
pub(crate) mod sqlite;
pub mod waiting;
