//! What one application declares: its tables, and the migrations that bring a primary to them.

use crate::declare::table::{Policy, Table};
use crate::sql::quote::literal;

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

/// One migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The name of the file, as `d1_migrations` records it, such as `0000_init.sql`.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
}

/// Who owns the schema of Fastest itself.
pub(crate) const FASTEST_OWNER: &str = "fastest";

/// The first migration of Fastest, released before names carried the owner.
const FIRST: &str = "0000_init.sql";

/// How the mark begins that a migration leaves in `d1_migrations`; its name follows.
const MARK: &str = "fastest:";

/// The last statement of a migration that an application's schema generates: whose names are recorded
/// there is told by more than their form.
pub(crate) fn mark_sql(owner: &str, name: &str) -> Option<String> {
    let mark = literal(&format!("{MARK}{name}"));
    (owner != FASTEST_OWNER)
        .then(|| format!("INSERT OR IGNORE INTO d1_migrations(name) VALUES ({mark})"))
}

impl Schema {
    /// The tables whose rows travel.
    pub fn synced(&self) -> impl Iterator<Item = &'static Table> {
        self.tables.iter().copied().filter(|table| table.policy != Policy::Private)
    }

    /// The table of this name, if rows of it travel.
    pub fn synced_table(&self, name: &str) -> Option<&'static Table> {
        self.synced().find(|table| table.name == name)
    }

    /// Whether a name is of the form that this schema's migrations have. An application may have named
    /// some of its own so.
    pub fn owns(&self, name: &str) -> bool {
        let numbered = name
            .split_at_checked(4)
            .filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
        let rest = numbered.and_then(|(_, rest)| rest.strip_prefix('_'));
        let rest = rest.and_then(|rest| rest.strip_prefix(self.owner));
        rest.is_some_and(|rest| rest.starts_with('_'))
            || self.owner == FASTEST_OWNER && name == FIRST
    }

    /// A condition in SQL over `name` in `d1_migrations`: whether it is one of this schema's, known to this
    /// build or not.
    ///
    /// A migration that was generated leaves a mark beside its name ([`mark_sql`]). Where there are none,
    /// for all of them are older, names must do: then ours are numbered without gaps, and what is past
    /// their count is the application's.
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
        // Two of them are recorded, so none has the number 2.
        assert!(owned(&schema("notes", &[])).is_empty());
        let notes = names.into_iter().filter(|name| schema("notes", &[]).owns(name));
        assert_eq!(notes.collect::<Vec<_>>(), ["0002_notes_fastest_x.sql", "0002_notes_init.sql"]);
    }

    /// The names that are the schema's, where these are recorded.
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
        // Of before there were marks: numbers tell.
        check(&["0000_app_a.sql", "0001_app_b.sql"], &["0000_app_a.sql", "0001_app_b.sql"]);
        check(&["0000_app_a.sql", "0007_app_settings.sql"], &["0000_app_a.sql"]);
        check(&["0012_app_settings.sql"], &[]);
        // One mark, and every later one of ours has its own.
        let mark = "fastest:0001_app_b.sql";
        check(
            &["0000_app_a.sql", "0001_app_b.sql", mark, "0002_app_settings.sql"],
            &["0001_app_b.sql"],
        );
        let other = "fastest:0001_apple_b.sql";
        check(&["0000_app_a.sql", "0001_apple_b.sql", other], &["0000_app_a.sql"]);
    }
}
