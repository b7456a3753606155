//! The tables of Chronos, all prefixed: another system's live in the same database. Its second
//! version adds a column and a table; the first is kept here to show the step.

use fastest_schema::Migration;

/// What the first version is brought to, and then the second.
const MIGRATIONS: [Migration; 2] = [
    Migration {
        name: "0000_chronos_init.sql",
        sql: include_str!("migrations/0000_chronos_init.sql"),
    },
    Migration {
        name: "0001_chronos_holidays.sql",
        sql: include_str!("migrations/0001_chronos_holidays.sql"),
    },
];

/// As it was first.
pub mod first {
    use fastest_schema::{Row, Schema, table};

    /// A span of work.
    #[table(name = "chronos_entries", policy = versioned("times are corrected"), scope = team)]
    pub struct Entry {
        /// ULID.
        #[pk]
        pub id: String,
        /// Whose.
        pub team: String,
        /// Minutes.
        pub minutes: i64,
    }

    /// All of it.
    pub static CHRONOS: Schema =
        Schema { owner: "chronos", tables: &[Entry::TABLE], migrations: &[super::MIGRATIONS[0]] };
}

/// As it is now.
pub mod second {
    use fastest_schema::{Row, Schema, table};

    /// A span of work.
    #[table(name = "chronos_entries", policy = versioned("times are corrected"), scope = team)]
    pub struct Entry {
        /// ULID.
        #[pk]
        pub id: String,
        /// Whose.
        pub team: String,
        /// Minutes.
        pub minutes: i64,
        /// What was done.
        #[default("work")]
        pub kind: String,
    }

    /// A day on which nobody works.
    #[table(name = "chronos_holidays", policy = versioned("holidays move"), scope = team)]
    pub struct Holiday {
        /// `YYYY-MM-DD` and the team.
        #[pk]
        pub id: String,
        /// Whose.
        pub team: String,
    }

    /// All of it.
    pub static CHRONOS: Schema = Schema {
        owner: "chronos",
        tables: &[Entry::TABLE, Holiday::TABLE],
        migrations: &super::MIGRATIONS,
    };
}
