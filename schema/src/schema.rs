//! What one application declares: its tables, and the migrations that bring a primary to them.

use crate::migrations::MIGRATIONS;
use crate::{DeclarationError, Migration, Policy, TABLES, Table, check};

/// Tables that one owner declares, and the migrations that bring a primary to them.
#[derive(Debug)]
pub struct Schema {
    /// Who declares them: lower-case letters and digits. It is part of the names of its migration
    /// files; `fastest` is taken.
    pub owner: &'static str,
    /// The tables, in any order.
    pub tables: &'static [&'static Table],
    /// The migrations, in order, each named `NNNN_{owner}_{what}.sql`. Without any, whoever sets
    /// the primary up answers for its tables.
    pub migrations: &'static [Migration],
}

/// What Fastest itself declares.
pub static FASTEST: Schema = Schema { owner: "fastest", tables: TABLES, migrations: &MIGRATIONS };

/// The first migration of Fastest, released before names carried the owner.
const FIRST: &str = "0000_init.sql";

/// A schema that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The owner is not a word of lower-case letters and digits, or that of the engine.
    #[error(
        "{0:?} cannot own a schema: choose lower-case letters and digits, and another word than `fastest`"
    )]
    Owner(&'static str),
    /// A migration whose name does not say whose it is.
    #[error("migration {name:?} of {owner} must be named `NNNN_{owner}_what.sql`")]
    Name {
        /// The owner.
        owner: &'static str,
        /// The name.
        name: &'static str,
    },
    /// Migrations whose names do not rise.
    #[error("migration {name:?} of {owner} must sort after the one before it")]
    Order {
        /// The owner.
        owner: &'static str,
        /// The name of the later one.
        name: &'static str,
    },
    /// The tables do not fit together.
    #[error("the tables of {owner} do not fit together: {source}")]
    Tables {
        /// The owner.
        owner: &'static str,
        /// What does not fit.
        source: DeclarationError,
    },
}

impl Schema {
    /// Whether this is the schema of Fastest itself.
    pub fn is_fastest(&self) -> bool {
        std::ptr::eq(self, &raw const FASTEST)
    }

    /// The tables whose rows travel.
    pub fn synced(&self) -> impl Iterator<Item = &'static Table> {
        self.tables.iter().copied().filter(|table| table.policy != Policy::Private)
    }

    /// The table of this name, if rows of it travel.
    pub fn synced_table(&self, name: &str) -> Option<&'static Table> {
        self.synced().find(|table| table.name == name)
    }

    /// Whether a name in `d1_migrations` is one of this schema's, known to this build or not.
    pub fn owns(&self, name: &str) -> bool {
        let numbered = name
            .split_at_checked(4)
            .filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
        let rest = numbered.and_then(|(_, rest)| rest.strip_prefix('_'));
        let rest = rest.and_then(|rest| rest.strip_prefix(self.owner));
        rest.is_some_and(|rest| rest.starts_with('_'))
            || self.owner == FASTEST.owner && name == FIRST
    }

    /// The same as a condition in SQL over `name`: an application may record its own there.
    pub(crate) fn owns_sql(&self) -> String {
        // D1 refuses a GLOB of more than 50 bytes, and an owner may be long.
        let rest = format!("_{}_", self.owner);
        let ours = format!(
            "(name GLOB '[0-9][0-9][0-9][0-9]_*' AND substr(name, 5, {}) = '{rest}')",
            rest.len()
        );
        match self.owner == FASTEST.owner {
            true => format!("(name = '{FIRST}' OR {ours})"),
            false => ours,
        }
    }

    /// Refuses an owner, names of migrations or tables that could not work.
    pub fn check(&self) -> Result<(), SchemaError> {
        let owner = self.owner;
        let word = owner.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if owner.is_empty() || !word || owner == FASTEST.owner && !self.is_fastest() {
            return Err(SchemaError::Owner(owner));
        }
        for (at, Migration { name, .. }) in self.migrations.iter().enumerate() {
            if !self.owns(name) || !name.ends_with(".sql") {
                return Err(SchemaError::Name { owner, name });
            }
            if at > 0 && self.migrations[at - 1].name >= *name {
                return Err(SchemaError::Order { owner, name });
            }
        }
        check(self.tables).map_err(|source| SchemaError::Tables { owner, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn schema(owner: &'static str, migrations: &'static [Migration]) -> Schema {
        Schema { owner, tables: &[], migrations }
    }

    #[test]
    fn names_tell_whose_they_are() {
        let names = [
            "0000_init.sql",
            "0001_fastest_x.sql",
            "0001_fastestx_y.sql",
            "0002_notes_fastest_x.sql",
            "0002_notes_init.sql",
            "00a2_notes_init.sql",
            "2_notes_init.sql",
            "",
            "ä",
        ];
        let owned = |schema: &Schema| {
            let database = rusqlite::Connection::open_in_memory().unwrap();
            let sql = format!("SELECT {} FROM (SELECT ?1 AS name)", schema.owns_sql());
            let mut all = Vec::new();
            for name in names {
                let in_sql: bool = database.query_row(&sql, [name], |row| row.get(0)).unwrap();
                assert_eq!(schema.owns(name), in_sql, "{name}");
                all.extend(in_sql.then_some(name));
            }
            all
        };
        assert_eq!(owned(&FASTEST), ["0000_init.sql", "0001_fastest_x.sql"]);
        const LONG: &str = "anapplicationwhoseownerhasanamelongerthanfiftyletters12";
        assert!(LONG.len() > 50 && owned(&schema(LONG, &[])).is_empty());
        let name: &'static str = format!("0001_{LONG}_x.sql").leak();
        assert!(schema(LONG, &[]).owns(name));
        let sql = schema(LONG, &[]).owns_sql();
        let pattern = sql.split('\'').nth(1).unwrap();
        assert!(pattern.len() < 50, "{sql}");
        let notes = owned(&schema("notes", &[]));
        assert_eq!(notes, ["0002_notes_fastest_x.sql", "0002_notes_init.sql"]);
    }

    #[test]
    fn what_could_not_work_is_refused() {
        const fn migration(name: &'static str) -> Migration {
            Migration { name, sql: "" }
        }
        static GOOD: [Migration; 2] = [migration("0000_n_a.sql"), migration("0001_n_a.sql")];
        static BACK: [Migration; 2] = [migration("0001_n_a.sql"), migration("0000_n_a.sql")];
        static OTHER: [Migration; 1] = [migration("0000_init.sql")];
        assert_eq!(FASTEST.check(), Ok(()));
        assert_eq!(schema("n", &GOOD).check(), Ok(()));
        for owner in ["", "fastest", "My", "a_b", "a*"] {
            assert_eq!(schema(owner, &[]).check(), Err(SchemaError::Owner(owner)));
        }
        let (owner, name) = ("n", "0000_init.sql");
        assert_eq!(schema(owner, &OTHER).check(), Err(SchemaError::Name { owner, name }));
        let name = "0000_n_a.sql";
        assert_eq!(schema(owner, &BACK).check(), Err(SchemaError::Order { owner, name }));
    }
}
