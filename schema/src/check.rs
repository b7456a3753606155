//! Checks that take more than one declaration; those of one table alone are made at compile time.

use crate::{Policy, Scope, Table};

/// Two declarations that do not fit together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeclarationError {
    /// Two tables share a name.
    #[error("table `{0}` is declared twice")]
    Twice(&'static str),
    /// A foreign key or a scope's path leads to a column that no table has.
    #[error("`{table}.{column}` refers to `{to_table}.{to_column}`, which is not declared")]
    Dangling {
        /// The table that refers.
        table: &'static str,
        /// The column that refers.
        column: &'static str,
        /// The table referred to.
        to_table: &'static str,
        /// The column referred to.
        to_column: &'static str,
    },
    /// A synced table refers to a private one, whose rows no device has.
    #[error("synced table `{table}` refers to private table `{to_table}`")]
    RefersToPrivate {
        /// The table that refers.
        table: &'static str,
        /// The private table.
        to_table: &'static str,
    },
}

/// Checks that foreign keys and scope paths lead somewhere, and that names are unique.
pub fn check(tables: &[&'static Table]) -> Result<(), DeclarationError> {
    for (at, table) in tables.iter().enumerate() {
        if tables[..at].iter().any(|earlier| earlier.name == table.name) {
            return Err(DeclarationError::Twice(table.name));
        }
        let keys = table.columns.iter().filter_map(|column| {
            column.references.as_ref().map(|to| (column.name, to.table, to.column))
        });
        let path = match table.scope {
            Some(Scope::Path { column, table, target, .. }) => Some((column, table, target)),
            _ => None,
        };
        for (column, to_table, to_column) in keys.chain(path) {
            let target = tables.iter().find(|other| other.name == to_table);
            let Some(target) = target.filter(|other| other.column(to_column).is_some()) else {
                return Err(DeclarationError::Dangling {
                    table: table.name,
                    column,
                    to_table,
                    to_column,
                });
            };
            if target.policy == Policy::Private && table.policy != Policy::Private {
                return Err(DeclarationError::RefersToPrivate { table: table.name, to_table });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Row, TABLES};

    #[test]
    fn our_own_tables_fit_together() {
        assert_eq!(check(TABLES), Ok(()));
    }

    #[test]
    fn a_missing_parent_is_found() {
        let error = check(&[crate::projects::Project::TABLE]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`projects.owner_user_id` refers to `users.id`, which is not declared"
        );
    }
}
