//! The tables of Chronos. All have a prefix, because another system has tables in the same
//! database. The second version adds a column and a table; the first one is kept to show the
//! upgrade.

use fastest_schema::Migration;

/// The migrations to the first version, and then to the second.
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

/// The first version.
pub mod first {
    use fastest_schema::{Row, Schema, table};

    /// A span of work.
    #[table(name = "chronos_entries", policy = versioned("times are corrected"), scope = team)]
    pub struct Entry {
        /// ULID.
        #[pk]
        pub id: String,
        /// The team.
        pub team: String,
        /// Minutes.
        pub minutes: i64,
    }

    /// The whole schema.
    pub static CHRONOS: Schema =
        Schema { owner: "chronos", tables: &[Entry::TABLE], migrations: &[super::MIGRATIONS[0]] };
}

/// The present version.
pub mod second {
    use fastest_schema::{Row, Schema, table};

    /// A span of work.
    #[table(name = "chronos_entries", policy = versioned("times are corrected"), scope = team)]
    pub struct Entry {
        /// ULID.
        #[pk]
        pub id: String,
        /// The team.
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
        /// The team.
        pub team: String,
    }

    /// The whole schema.
    pub static CHRONOS: Schema = Schema {
        owner: "chronos",
        tables: &[Entry::TABLE, Holiday::TABLE],
        migrations: &super::MIGRATIONS,
    };
}
