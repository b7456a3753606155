//! The schema of one application, and how its own migrations are recognised among those recorded.

use crate::declare::table::{Policy, Table};
use crate::sql::quote::literal;

/// The tables that one owner declares, and the migrations that create them on a primary.
#[derive(Debug)]
pub struct Schema {
    /// Who declares them: lower-case letters and digits. The owner is part of the name of each of
    /// its migration files. `fastest` is reserved.
    pub owner: &'static str,
    /// The tables, in any order.
    pub tables: &'static [&'static Table],
    /// The migrations, in order, each named `NNNN_{owner}_{what}.sql`. If there are none, the
    /// engine does not create the tables: they must be set up on the primary in another way.
    pub migrations: &'static [Migration],
}

/// One migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The name of the file, as `d1_migrations` records it, such as `0000_init.sql`.
    pub name: &'static str,
    /// The text of the file.
    pub sql: &'static str,
}

/// The owner of Fastest's own schema.
pub(crate) const FASTEST_OWNER: &str = "fastest";

/// The first migration of Fastest, released before names carried the owner.
const FIRST: &str = "0000_init.sql";

/// The prefix of the mark that a migration leaves in `d1_migrations`. The migration's name follows.
const MARK: &str = "fastest:";

/// Returns the last statement of each migration that is generated for an application. It records a
/// mark that identifies the migration as ours, because the form of the name alone is no proof.
/// `None` for Fastest's own migrations.
pub(crate) fn mark_sql(owner: &str, name: &str) -> Option<String> {
    let mark = literal(&format!("{MARK}{name}"));
    (owner != FASTEST_OWNER)
        .then(|| format!("INSERT OR IGNORE INTO d1_migrations(name) VALUES ({mark})"))
}

impl Schema {
    /// Returns the synced tables.
    pub fn synced(&self) -> impl Iterator<Item = &'static Table> {
        self.tables.iter().copied().filter(|table| table.policy != Policy::Private)
    }

    /// Returns the synced table of this name, if there is one.
    pub fn synced_table(&self, name: &str) -> Option<&'static Table> {
        self.synced().find(|table| table.name == name)
    }

    /// Whether a name has the form of this schema's migrations. A migration of the application's
    /// own tool may have that form by chance.
    pub fn owns(&self, name: &str) -> bool {
        let numbered = name
            .split_at_checked(4)
            .filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
        let rest = numbered.and_then(|(_, rest)| rest.strip_prefix('_'));
        let rest = rest.and_then(|rest| rest.strip_prefix(self.owner));
        rest.is_some_and(|rest| rest.starts_with('_'))
            || self.owner == FASTEST_OWNER && name == FIRST
    }

    /// Returns an SQL condition over `name` in `d1_migrations`: whether the migration belongs to
    /// this schema. It also holds for migrations of this schema that this build does not know.
    ///
    /// Generated migrations leave a mark beside their names ([`mark_sql`]). If no mark is recorded,
    /// all migrations are older than marks, and the names decide: ours are numbered from 0 without
    /// gaps, so a number that is not below their count belongs to the application.
    pub(crate) fn owns_sql(&self) -> String {
        // D1 refuses a GLOB of more than 50 bytes, and an owner may be long.
        let rest = format!("_{}_", self.owner);
        let named = |prefix: &str| {
            let (begins, at) = (format!("{prefix}[0-9][0-9][0-9][0-9]_*"), prefix.len() + 5);
            format!("(name GLOB '{begins}' AND substr(name, {at}, {}) = '{rest}')", rest.len())
        };
        let ours = named("");
        if self.owner == FASTEST_OWNER {
            return format!("(name = '{FIRST}' OR {ours})");
        }
        let count =
            |condition: &str| format!("(SELECT count(*) FROM d1_migrations WHERE {condition})");
        format!(
            "({ours} AND iif({} > 0, ('{MARK}' || name) IN (SELECT name FROM d1_migrations), \
             CAST(substr(name, 1, 4) AS INTEGER) < {}))",
            count(&named(MARK)),
            count(&ours)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::fastest::FASTEST;
    use crate::wire::engine::D1_MIGRATIONS_DDL;

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
        let owned = |schema: &Schema| recorded_of(schema, &names);
        assert_eq!(owned(&FASTEST), ["0000_init.sql", "0001_fastest_x.sql"]);
        const LONG: &str = "anapplicationwhoseownerhasanamelongerthanfiftyletters12";
        assert!(LONG.len() > 50 && owned(&schema(LONG, &[])).is_empty());
        let name: &'static str = format!("0001_{LONG}_x.sql").leak();
        assert!(schema(LONG, &[]).owns(name));
        let sql = schema(LONG, &[]).owns_sql();
        let pattern = sql.split('\'').nth(1).unwrap();
        assert!(pattern.len() < 50, "{sql}");
        // Two names of this form are recorded, so number 2 is past their count.
        assert!(owned(&schema("notes", &[])).is_empty());
        let notes = names.into_iter().filter(|name| schema("notes", &[]).owns(name));
        assert_eq!(notes.collect::<Vec<_>>(), ["0002_notes_fastest_x.sql", "0002_notes_init.sql"]);
    }

    /// The names that belong to the schema, given all recorded names.
    fn recorded_of<'a>(schema: &Schema, names: &[&'a str]) -> Vec<&'a str> {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        database.execute_batch(D1_MIGRATIONS_DDL).unwrap();
        for name in names {
            database.execute("INSERT INTO d1_migrations(name) VALUES (?1)", [name]).unwrap();
        }
        let sql = format!("SELECT {} FROM d1_migrations WHERE name = ?1", schema.owns_sql());
        let is_owned = |name: &&&str| database.query_row(&sql, [name], |row| row.get(0)).unwrap();
        let owned: Vec<&str> = names.iter().filter(is_owned).copied().collect();
        assert!(owned.iter().all(|name| schema.owns(name)), "{owned:?}");
        owned
    }

    #[test]
    fn an_applications_own_migrations_are_told_from_ours() {
        let app = schema("app", &[]);
        let check = |recorded: &[&str], ours: &[&str]| {
            assert_eq!(recorded_of(&app, recorded), ours, "{recorded:?}");
        };
        // These are older than marks: the numbers decide.
        check(&["0000_app_a.sql", "0001_app_b.sql"], &["0000_app_a.sql", "0001_app_b.sql"]);
        check(&["0000_app_a.sql", "0007_app_settings.sql"], &["0000_app_a.sql"]);
        check(&["0012_app_settings.sql"], &[]);
        // With one mark recorded, only marked migrations are ours.
        let mark = "fastest:0001_app_b.sql";
        check(
            &["0000_app_a.sql", "0001_app_b.sql", mark, "0002_app_settings.sql"],
            &["0001_app_b.sql"],
        );
        let other = "fastest:0001_apple_b.sql";
        check(&["0000_app_a.sql", "0001_apple_b.sql", other], &["0000_app_a.sql"]);
    }
}
