//! The migrations of a primary: generated text, committed as files, embedded here.
//!
//! The files have the flat layout that `wrangler d1 migrations apply` reads. Each carries its
//! SHA-256 in the journal, since wrangler's own table keeps names only.

use crate::ddl::{create_table, parents_first};
use crate::engine::{CHANGES_DDL, primary_ddl};
use crate::{Table, push_ddl, trigger_ddl};

/// The line between two statements of a file; a comment to SQLite.
pub const STATEMENT_BREAKPOINT: &str = "--> statement-breakpoint";

/// One migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// The name of the file, as `d1_migrations` records it, such as `0000_init.sql`.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
}

/// The statements of a migration, in order, without the breakpoint lines.
pub fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(STATEMENT_BREAKPOINT).map(str::trim).filter(|statement| !statement.is_empty())
}

/// A whole schema in one text, for these tables: what all migrations together come to.
pub fn init_sql(tables: &[&'static Table]) -> String {
    let tables = parents_first(tables);
    let mut statements = primary_ddl();
    statements.extend(CHANGES_DDL.map(str::to_owned));
    statements.extend(tables.iter().flat_map(|table| create_table(table)));
    statements.extend(tables.iter().flat_map(|table| trigger_ddl(table)));
    statements.extend(push_ddl(&tables));
    statements.join(&format!(";\n{STATEMENT_BREAKPOINT}\n")) + ";\n"
}

/// What a database without any migration is brought to, and each one since. A file never changes
/// once it is released: its checksum is in the journal.
pub(crate) const MIGRATIONS: [Migration; 2] = [
    Migration { name: "0000_init.sql", sql: include_str!("../migrations/0000_init.sql") },
    Migration {
        name: "0001_fastest_push_history.sql",
        sql: include_str!("../migrations/0001_fastest_push_history.sql"),
    },
];

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use serde::Deserialize;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::TABLES;

    const JOURNAL: &str = include_str!("../migrations/meta/_journal.json");

    #[derive(Deserialize)]
    struct Journal<'a> {
        #[serde(borrow)]
        entries: Vec<Entry<'a>>,
    }

    #[derive(Deserialize)]
    struct Entry<'a> {
        tag: &'a str,
        sha256: &'a str,
    }

    /// The SHA-256 of each released file.
    const RELEASED: [(&str, &str); 1] =
        [("0000_init.sql", "4bee5373997a942b4701b878bfbab27dd3f8767d24c0f95b96bcc2a5e1ca5b8c")];

    #[test]
    fn released_files_never_change() {
        for ((name, sha256), file) in RELEASED.iter().zip(MIGRATIONS) {
            assert_eq!((*name, sha256.to_string()), (file.name, hex_sha256(file.sql)));
        }
    }

    /// Run with `FASTEST_BLESS=1` to write the last file anew after a declaration changed.
    #[test]
    fn the_last_file_is_the_generated_one() {
        let [view, trigger] = push_ddl(TABLES);
        let statements = ["DROP VIEW fastest_push".to_owned(), view, trigger];
        let sql = statements.join(&format!(";\n{STATEMENT_BREAKPOINT}\n")) + ";\n";
        let journal = journal(&[
            ("0000_init", MIGRATIONS[0].sql, 1_795_219_200_000),
            ("0001_fastest_push_history", &sql, 1_795_262_400_000),
        ]);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        for (path, text) in
            [("0001_fastest_push_history.sql", &sql), ("meta/_journal.json", &journal)]
        {
            let path = folder.join(path);
            if std::env::var_os("FASTEST_BLESS").is_some() {
                std::fs::write(&path, text).unwrap();
            }
            let committed = std::fs::read_to_string(&path).unwrap();
            assert!(committed == *text, "{} is stale; see FASTEST_BLESS", path.display());
        }
        assert!(!sql.contains('\r'), "wrangler breaks on CRLF");
    }

    #[test]
    fn the_migrations_come_to_the_declared_schema() {
        let schema = |texts: &[&str]| -> Vec<(String, String)> {
            let database = rusqlite::Connection::open_in_memory().unwrap();
            for statement in texts.iter().flat_map(|text| statements(text)) {
                database.execute_batch(statement).unwrap();
            }
            let sql = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name";
            let mut found = database.prepare(sql).unwrap();
            let rows = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let files = MIGRATIONS.map(|migration| migration.sql);
        assert_eq!(schema(&files), schema(&[&init_sql(TABLES)]));
    }

    fn journal(files: &[(&str, &str, u64)]) -> String {
        let mut text = "{\n  \"version\": 1,\n  \"entries\": [".to_owned();
        for (idx, (tag, sql, when)) in files.iter().enumerate() {
            let comma = if idx == 0 { "" } else { "," };
            let sha256 = hex_sha256(sql);
            write!(
                text,
                "{comma}\n    {{ \"idx\": {idx}, \"tag\": \"{tag}\", \"when\": {when}, \"sha256\": \"{sha256}\" }}"
            )
            .unwrap();
        }
        text + "\n  ]\n}\n"
    }

    fn hex_sha256(text: &str) -> String {
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn every_file_is_in_the_journal() {
        let journal: Journal = serde_json::from_str(JOURNAL).unwrap();
        assert_eq!(journal.entries.len(), MIGRATIONS.len());
        for (entry, migration) in journal.entries.iter().zip(MIGRATIONS) {
            assert_eq!(format!("{}.sql", entry.tag), migration.name);
            assert_eq!(entry.sha256, hex_sha256(migration.sql), "{}", migration.name);
        }
    }

    #[test]
    fn no_statement_passes_the_limit_of_d1() {
        for statement in MIGRATIONS.iter().flat_map(|migration| statements(migration.sql)) {
            assert!(statement.len() < 100_000, "{} bytes: {statement:.60}", statement.len());
        }
    }

    #[test]
    fn statements_are_split_at_breakpoints_only() {
        let sql = "SELECT ';';\n--> statement-breakpoint\nSELECT 2;\n";
        assert_eq!(statements(sql).collect::<Vec<_>>(), ["SELECT ';';", "SELECT 2;"]);
    }
}
