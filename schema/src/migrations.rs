//! The migrations of a primary: generated text, committed as files, embedded here.
//!
//! The files have the flat layout that `wrangler d1 migrations apply` reads. Each carries its
//! SHA-256 in the journal, since wrangler's own table keeps names only.

use std::sync::LazyLock;

use serde::Deserialize;

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
    /// The SHA-256 of the text, hex, as the journal records it.
    pub sha256: &'static str,
}

/// Every migration, in order.
pub fn migrations() -> &'static [Migration] {
    static MIGRATIONS: LazyLock<Vec<Migration>> = LazyLock::new(|| {
        let journal: Journal<'static> =
            serde_json::from_str(JOURNAL).expect("the embedded journal is the committed one");
        let entries = journal.entries.into_iter().zip(FILES);
        entries.map(|(entry, (name, sql))| Migration { name, sql, sha256: entry.sha256 }).collect()
    });
    &MIGRATIONS
}

/// The statements of a migration, in order, without the breakpoint lines.
pub fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(STATEMENT_BREAKPOINT).map(str::trim).filter(|statement| !statement.is_empty())
}

/// The text of the first migration, for these tables.
pub fn init_sql(tables: &[&'static Table]) -> String {
    let tables = parents_first(tables);
    let mut statements = primary_ddl();
    statements.extend(CHANGES_DDL.map(str::to_owned));
    statements.extend(tables.iter().flat_map(|table| create_table(table)));
    statements.extend(tables.iter().flat_map(|table| trigger_ddl(table)));
    statements.extend(push_ddl(&tables));
    statements.join(&format!(";\n{STATEMENT_BREAKPOINT}\n")) + ";\n"
}

const JOURNAL: &str = include_str!("../migrations/meta/_journal.json");

const FILES: [(&str, &str); 1] = [("0000_init.sql", include_str!("../migrations/0000_init.sql"))];

#[derive(Deserialize)]
struct Journal<'a> {
    #[serde(borrow)]
    entries: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    sha256: &'a str,
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use sha2::{Digest, Sha256};

    use super::*;
    use crate::TABLES;

    /// When the first migration was made: milliseconds since 1970, UTC.
    const INIT_AT_MS: u64 = 1_795_219_200_000;

    /// Run with `FASTEST_BLESS=1` to write the files anew after a declaration changed.
    #[test]
    fn the_committed_files_are_the_generated_ones() {
        let sql = init_sql(TABLES);
        let journal = journal(&[("0000_init", &sql, INIT_AT_MS)]);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        for (path, text) in [("0000_init.sql", &sql), ("meta/_journal.json", &journal)] {
            let path = folder.join(path);
            if std::env::var_os("FASTEST_BLESS").is_some() {
                std::fs::write(&path, text).unwrap();
            }
            let committed = std::fs::read_to_string(&path).unwrap();
            assert!(committed == *text, "{} is stale; see FASTEST_BLESS", path.display());
        }
        assert!(!sql.contains('\r'), "wrangler breaks on CRLF");
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
        assert_eq!(journal.entries.len(), FILES.len());
        for migration in migrations() {
            assert_eq!(migration.sha256, hex_sha256(migration.sql), "{}", migration.name);
        }
    }

    #[test]
    fn no_statement_passes_the_limit_of_d1() {
        for statement in migrations().iter().flat_map(|migration| statements(migration.sql)) {
            assert!(statement.len() < 100_000, "{} bytes: {statement:.60}", statement.len());
        }
    }

    #[test]
    fn statements_are_split_at_breakpoints_only() {
        let sql = "SELECT ';';\n--> statement-breakpoint\nSELECT 2;\n";
        assert_eq!(statements(sql).collect::<Vec<_>>(), ["SELECT ';';", "SELECT 2;"]);
    }
}
