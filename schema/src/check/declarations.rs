//! Checks declarations against each other, and names and sizes against the limits of D1 and the
//! engine. The macro checks at compile time what depends on a single table only.

use std::collections::{HashMap, HashSet};

use crate::check::cascade::{GENERATIONS_MAX, Generations, generations};
use crate::declare::ddl::{index_name, indexes};
use crate::declare::table::{Column, Default, OnDelete, Policy, Reference, Row, Scope, Table};
use crate::sql::pattern::{PATTERN_MAX, too_long};
use crate::tables::packs::Pack;

/// The maximum length of a name, in bytes. Triggers and indexes are named after tables and columns.
const NAME_MAX: usize = 60;

/// The maximum number of columns of a table on D1.
const COLUMNS_MAX: usize = 100;

/// Prefixes of names that belong to SQLite, Cloudflare, wrangler and this engine.
pub(crate) const RESERVED: [&str; 4] = ["sqlite_", "_cf_", "d1_", "fastest_"];

/// Names that the engine's statements use as table aliases.
pub(crate) const TAKEN_TABLES: [&str; 6] = ["c", "excluded", "json_each", "moved", "new", "old"];

/// Like [`TAKEN_TABLES`], for columns.
pub(crate) const TAKEN_COLUMNS: [&str; 1] = ["_j"];

/// Declarations are inconsistent, or a primary would refuse them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeclarationError {
    /// Two tables share a name.
    #[error("table `{0}` is declared twice")]
    Twice(&'static str),
    /// A table has a reserved name.
    #[error("table `{table}`: names that begin with `{prefix}` are reserved; choose another")]
    Reserved {
        /// The table.
        table: &'static str,
        /// The reserved prefix.
        prefix: &'static str,
    },
    /// The engine's statements use the name for something else.
    #[error("table `{table}`: the engine's statements use the name `{name}`; choose another")]
    Taken {
        /// The table.
        table: &'static str,
        /// Its name, or that of a column.
        name: &'static str,
    },
    /// A name is too long.
    #[error("table `{table}`: the name `{name}` has more than {NAME_MAX} bytes; choose another")]
    NameLength {
        /// The table.
        table: &'static str,
        /// Its name, or that of a column.
        name: &'static str,
    },
    /// A table has more columns than D1 allows.
    #[error("table `{table}` has {found} columns; D1 takes {COLUMNS_MAX}")]
    Columns {
        /// The table.
        table: &'static str,
        /// How many columns it has.
        found: usize,
    },
    /// A pattern of `LIKE` or `GLOB` is longer than D1 allows.
    #[error(
        "`{table}.{column}`: a pattern of LIKE or GLOB has {found} bytes; D1 takes {PATTERN_MAX}: \
         shorten it, or test in parts"
    )]
    Pattern {
        /// The table.
        table: &'static str,
        /// The column whose check or default has the pattern.
        column: &'static str,
        /// Bytes of the pattern.
        found: usize,
    },
    /// A delete would cascade through more generations than D1 has levels of triggers.
    #[error(
        "deleting a row of `{table}` takes along rows of `{last}` in generation {found} of ON DELETE \
         CASCADE or SET NULL; D1 takes {GENERATIONS_MAX}: refer from `{last}` to a table nearer to \
         `{table}`, or make the tables between them versioned, whose rows devices delete one by one"
    )]
    Cascade {
        /// The table of the deleted row.
        table: &'static str,
        /// The table of the last generation.
        last: &'static str,
        /// The number of generations.
        found: usize,
    },
    /// An index has the name of another index or of a table.
    #[error("table `{table}`: the name of index `{index}` is taken; is it declared twice?")]
    IndexTwice {
        /// The table of the index that is declared later.
        table: &'static str,
        /// The name of the index.
        index: String,
    },
    /// Two tables, or two columns of a table, claim the same former name.
    #[error("`{table}`: `{first}` and `{second}` cannot both be what was `{old}`")]
    RenamedTwice {
        /// The table of the columns, or the first of the two tables.
        table: &'static str,
        /// The first that claims the name.
        first: &'static str,
        /// The second.
        second: &'static str,
        /// The former name.
        old: &'static str,
    },
    /// A foreign key or a scope path refers to a column that is not declared.
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
    /// A foreign key refers to a column that is not unique. SQLite would report it only at the
    /// first write.
    #[error(
        "`{table}.{column}` refers to `{to_table}.{to_column}`, which is neither the key nor unique"
    )]
    NotUnique {
        /// The table that refers.
        table: &'static str,
        /// The column that refers.
        column: &'static str,
        /// The table referred to.
        to_table: &'static str,
        /// The column referred to.
        to_column: &'static str,
    },
    /// A column that may not be null is `ON DELETE SET NULL`.
    #[error("`{table}.{column}` is set null on delete, but may not be null: make it an `Option`")]
    SetNull {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// An attribute for external tables is on a table that is not external.
    #[error("table `{table}`: `{what}` tells of a table that is `external`, and this one is not")]
    NotExternal {
        /// The table.
        table: &'static str,
        /// The attribute.
        what: &'static str,
    },
    /// A synced table refers to a private one, whose rows are on no device.
    #[error("synced table `{table}` refers to private table `{to_table}`")]
    RefersToPrivate {
        /// The table that refers.
        table: &'static str,
        /// The private table.
        to_table: &'static str,
    },
}

/// Checks that foreign keys and scope paths refer to suitable columns that exist, that names are
/// unique, not reserved and not too long, and that deletes and tables stay within the limits of D1.
pub fn check(tables: &[&'static Table]) -> Result<(), DeclarationError> {
    let mut names = HashSet::new();
    for table in tables {
        // SQLite ignores case: `notes` and `Notes` are the same name.
        if !names.insert(table.name.to_ascii_lowercase()) {
            return Err(DeclarationError::Twice(table.name));
        }
    }
    check_renames(tables.iter().map(|table| (table.name, table.renamed_from)), None)?;
    for table in tables {
        check_table(table)?;
        let columns = table.columns.iter().map(|column| (column.name, column.renamed_from));
        check_renames(columns, Some(table.name))?;
        // The unique indexes of an external table exist already, under names of their own.
        for (columns, unique) in indexes(table).filter(|(_, unique)| !(table.external && *unique)) {
            let index = index_name(table.name, columns, unique);
            if !names.insert(index.to_ascii_lowercase()) {
                return Err(DeclarationError::IndexTwice { table: table.name, index });
            }
        }
        for column in table.columns {
            if let Some(to) = &column.references {
                check_reference(tables, table, column.name, to)?;
            }
        }
        if let Some(Scope::Path { column, table: parent, target, .. }) = table.scope {
            find_target(tables, table, column, parent, target)?;
        }
    }
    tables.iter().try_for_each(|table| check_cascade(tables, table))
}

/// Returns an error if a push that deletes a row of `table` would cascade too far. Pushes delete
/// only rows of versioned tables. If a table refers to itself, directly or through others, the
/// depth depends on the rows, so that is no error.
fn check_cascade(tables: &[&'static Table], table: &'static Table) -> Result<(), DeclarationError> {
    match generations(tables, table) {
        Generations::Most(found, last)
            if found > GENERATIONS_MAX && table.policy == Policy::Versioned =>
        {
            Err(DeclarationError::Cascade { table: table.name, last, found })
        }
        _ => Ok(()),
    }
}

/// Returns an error if two tables, or two columns of a table, claim the same former name. For
/// columns, `table` is the name of their table.
fn check_renames(
    renames: impl Iterator<Item = (&'static str, Option<&'static str>)>,
    table: Option<&'static str>,
) -> Result<(), DeclarationError> {
    let mut claimed = HashMap::new();
    for (name, old) in renames.filter_map(|(name, old)| Some((name, old?))) {
        if let Some(first) = claimed.insert(old, name) {
            let table = table.unwrap_or(first);
            return Err(DeclarationError::RenamedTwice { table, first, second: name, old });
        }
    }
    Ok(())
}

/// Checks a single declaration, except for its indexes and foreign keys.
fn check_table(table: &Table) -> Result<(), DeclarationError> {
    let name = table.name;
    let begins = |prefix: &&str| name.to_ascii_lowercase().starts_with(*prefix);
    if let Some(prefix) = RESERVED.into_iter().find(begins).filter(|_| table != Pack::TABLE) {
        return Err(DeclarationError::Reserved { table: name, prefix });
    }
    if TAKEN_TABLES.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(DeclarationError::Taken { table: name, name });
    }
    let mut columns = table.columns.iter().map(|column| column.name);
    let is_ours = |column: &&str| column.to_ascii_lowercase().starts_with("fastest_");
    if let Some(taken) = columns.find(|name| TAKEN_COLUMNS.contains(name) || is_ours(name)) {
        return Err(DeclarationError::Taken { table: name, name: taken });
    }
    let columns = table.columns.iter().map(|column| column.name);
    if let Some(long) = [name].into_iter().chain(columns).find(|name| name.len() > NAME_MAX) {
        return Err(DeclarationError::NameLength { table: name, name: long });
    }
    let external_only =
        [("unique_sql", !table.unique_rules.is_empty()), ("replaces", table.replaces)];
    if let Some((what, _)) =
        external_only.into_iter().find(|(_, is_set)| *is_set && !table.external)
    {
        return Err(DeclarationError::NotExternal { table: name, what });
    }
    table.columns.iter().try_for_each(|column| check_patterns(name, column))?;
    match table.columns.len() {
        0..=COLUMNS_MAX => Ok(()),
        found => Err(DeclarationError::Columns { table: name, found }),
    }
}

/// Returns an error if the check or the default of a column has a pattern that would fail at each
/// write on D1.
fn check_patterns(table: &'static str, column: &Column) -> Result<(), DeclarationError> {
    let default = match column.default {
        Some(Default::Sql(sql)) => Some(sql),
        _ => None,
    };
    match column.check.into_iter().chain(default).find_map(too_long) {
        Some(found) => Err(DeclarationError::Pattern { table, column: column.name, found }),
        None => Ok(()),
    }
}

/// Checks that a foreign key refers to a unique column, and that a column that is `ON DELETE SET
/// NULL` may be null.
fn check_reference(
    tables: &[&'static Table],
    table: &Table,
    column: &'static str,
    to: &Reference,
) -> Result<(), DeclarationError> {
    let target = find_target(tables, table, column, to.table, to.column)?;
    let unique = indexes(target).any(|(columns, unique)| unique && columns == [to.column]);
    if target.pk != to.column && !unique {
        return Err(DeclarationError::NotUnique {
            table: table.name,
            column,
            to_table: to.table,
            to_column: to.column,
        });
    }
    let may_be_null = table.column(column).is_some_and(|column| column.null);
    if to.on_delete == OnDelete::SetNull && !may_be_null {
        return Err(DeclarationError::SetNull { table: table.name, column });
    }
    Ok(())
}

/// Returns the table referred to. It must have the column, and it must not be private if `table` is
/// synced: devices would lack its rows.
fn find_target(
    tables: &[&'static Table],
    table: &Table,
    column: &'static str,
    to_table: &'static str,
    to_column: &'static str,
) -> Result<&'static Table, DeclarationError> {
    let target = tables.iter().copied().find(|other| other.name == to_table);
    let Some(target) = target.filter(|other| other.column(to_column).is_some()) else {
        return Err(DeclarationError::Dangling { table: table.name, column, to_table, to_column });
    };
    if target.policy == Policy::Private && table.policy != Policy::Private {
        return Err(DeclarationError::RefersToPrivate { table: table.name, to_table });
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::attribute::table;
    use crate::declare::table::{Column, UniqueRule};
    use crate::tables::fastest::TABLES;
    use crate::tables::projects::Project;

    #[table(
        name = "parents",
        policy = private("a test"),
        unique(code),
        unique(first, second),
    )]
    struct Parent {
        #[pk]
        id: String,
        code: String,
        first: String,
        second: String,
    }

    /// The message of the error for these tables and `parents`.
    fn error(tables: &[&'static Table]) -> String {
        let tables: Vec<_> = tables.iter().copied().chain([Parent::TABLE]).collect();
        check(&tables).unwrap_err().to_string()
    }

    fn named(name: &'static str) -> &'static Table {
        Box::leak(Box::new(Table { name, indexes: &[], ..*Parent::TABLE }))
    }

    #[test]
    fn our_own_tables_fit_together() {
        assert_eq!(check(TABLES), Ok(()));
    }

    #[test]
    fn a_missing_parent_is_found() {
        assert_eq!(
            error(&[Project::TABLE]),
            "`projects.owner_user_id` refers to `users.id`, which is not declared"
        );
    }

    #[test]
    fn a_synced_child_of_a_private_table_is_found() {
        #[table(name = "children", policy = append_only("a test"), scope = parent)]
        struct Child {
            #[pk]
            id: String,
            #[references(parents.id)]
            parent: String,
        }
        assert_eq!(
            error(&[Child::TABLE]),
            "synced table `children` refers to private table `parents`"
        );
    }

    #[test]
    fn a_reference_to_what_may_repeat_is_found() {
        #[table(name = "children", policy = private("a test"))]
        struct Child {
            #[pk]
            id: String,
            #[references(parents.code)]
            unique: String,
            #[references(parents.first)]
            repeats: String,
        }
        assert_eq!(
            error(&[Child::TABLE]),
            "`children.repeats` refers to `parents.first`, which is neither the key nor unique"
        );
    }

    #[test]
    fn a_null_where_none_may_be_is_found() {
        #[table(name = "children", policy = private("a test"))]
        struct Child {
            #[pk]
            id: String,
            #[references(parents.id, on_delete = set_null)]
            fine: Option<String>,
            #[references(parents.id, on_delete = set_null)]
            parent: String,
        }
        let error = error(&[Child::TABLE]);
        assert!(error.starts_with("`children.parent` is set null on delete"), "{error}");
    }

    #[test]
    fn a_name_that_is_taken_or_reserved_is_found() {
        assert_eq!(error(&[named("Parents")]), "table `parents` is declared twice");
        for name in ["sqlite_a", "SQLite_a", "_cf_a", "d1_migrations", "fastest_a", "fastest_packs"]
        {
            let error = error(&[named(name)]);
            assert!(error.contains("are reserved"), "{name}: {error}");
        }
        assert_eq!(check(&[named("fastestNotes"), named("d1")]), Ok(()));
    }

    #[test]
    fn what_tells_of_others_tables_is_for_those() {
        let rules: &[UniqueRule] = &[UniqueRule { terms: &["a"], filter: None }];
        let table = |external, replaces, unique_rules| -> &'static Table {
            let table = Table { external, replaces, unique_rules, ..*named("told") };
            Box::leak(Box::new(table))
        };
        assert_eq!(check(&[table(true, true, rules)]), Ok(()));
        assert!(error(&[table(false, true, &[])]).contains("`replaces` tells of a table that is"));
        assert!(error(&[table(false, false, rules)]).contains("`unique_sql` tells of a table"));
    }

    #[test]
    fn a_long_name_is_found() {
        const COLUMN: Column =
            Column { name: "a_name_of_sixty_one_bytes_0123456789_0123456789_0123456789_01", ..ID };
        const ID: Column = {
            let [id, ..] = Parent::TABLE.columns else { panic!() };
            Column { references: None, ..*id }
        };
        let fits = named(&COLUMN.name[1..]);
        assert_eq!((COLUMN.name.len(), check(&[fits])), (61, Ok(())));
        assert!(error(&[named(COLUMN.name)]).contains("more than 60 bytes"));
        let long: &'static Table =
            Box::leak(Box::new(Table { columns: &[ID, COLUMN], ..*named("wide") }));
        assert!(error(&[long]).contains("more than 60 bytes"));
        let wide: &'static Table =
            Box::leak(Box::new(Table { columns: &[ID; 101], ..*named("wide") }));
        assert_eq!(error(&[wide]), "table `wide` has 101 columns; D1 takes 100");
    }

    #[test]
    fn a_pattern_that_d1_refuses_is_found() {
        #[table(name = "codes", policy = private("a test"))]
        struct Code {
            #[pk]
            id: String,
            #[check("fits GLOB '[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'")]
            fits: String,
            #[check("long GLOB '[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]?'")]
            long: String,
        }
        let error = error(&[Code::TABLE]);
        let expect = "`codes.long`: a pattern of LIKE or GLOB has 51 bytes; D1 takes 50";
        assert!(error.starts_with(expect), "{error}");
    }

    #[test]
    fn two_indexes_of_one_name_are_found() {
        #[table(name = "parents_code", policy = private("a test"), index(x), index(x))]
        struct Twice {
            #[pk]
            id: String,
            x: String,
        }
        #[table(name = "parents_first", policy = private("a test"), unique(second))]
        struct Alike {
            #[pk]
            id: String,
            second: String,
        }
        assert!(error(&[Twice::TABLE]).contains("`parents_code_x_idx` is taken"));
        assert!(error(&[Alike::TABLE]).contains("`parents_first_second_unique` is taken"));
        assert!(error(&[named("parents_code_unique")]).contains("`parents_code_unique` is taken"));
    }
}
