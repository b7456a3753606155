//! Checks a whole schema: its owner, its migrations and its tables.

use crate::check::declarations::{DeclarationError, check};
use crate::declare::schema::{FASTEST_OWNER, Migration, Schema};

/// Why a schema cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The owner is not a word of lower-case letters and digits, or is the engine's own.
    #[error(
        "{0:?} cannot own a schema: choose lower-case letters and digits, and another word than `fastest`"
    )]
    Owner(&'static str),
    /// The name of a migration does not contain its number and owner.
    #[error("migration {name:?} of {owner} must be named `NNNN_{owner}_what.sql`")]
    Name {
        /// The owner.
        owner: &'static str,
        /// The name.
        name: &'static str,
    },
    /// The names of the migrations are not in ascending order.
    #[error("migration {name:?} of {owner} must sort after the one before it")]
    Order {
        /// The owner.
        owner: &'static str,
        /// The name of the later one.
        name: &'static str,
    },
    /// The declarations of the tables are inconsistent.
    #[error("the tables of {owner} do not fit together: {source}")]
    Tables {
        /// The owner.
        owner: &'static str,
        /// The inconsistency.
        source: DeclarationError,
    },
}

impl Schema {
    /// Checks the owner, the names of the migrations, and the tables.
    pub fn check(&self) -> Result<(), SchemaError> {
        let owner = self.owner;
        let word = owner.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if owner.is_empty() || !word || owner == FASTEST_OWNER && !self.is_fastest() {
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
    use crate::tables::fastest::FASTEST;

    const fn schema(owner: &'static str, migrations: &'static [Migration]) -> Schema {
        Schema { owner, tables: &[], migrations }
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
