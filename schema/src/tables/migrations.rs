//! Fastest's own migrations: generated, committed as files, and embedded here.
//!
//! The files are in the flat layout that `wrangler d1 migrations apply` reads. The journal holds
//! the SHA-256 of each, because wrangler's own table records names only.

use crate::declare::schema::Migration;

/// All migrations, oldest first. A file never changes once it is released.
pub(crate) const MIGRATIONS: [Migration; 7] = [
    Migration { name: "0000_init.sql", sql: include_str!("../../migrations/0000_init.sql") },
    Migration {
        name: "0001_fastest_push_history.sql",
        sql: include_str!("../../migrations/0001_fastest_push_history.sql"),
    },
    Migration {
        name: "0002_fastest_intelligence.sql",
        sql: include_str!("../../migrations/0002_fastest_intelligence.sql"),
    },
    Migration {
        name: "0003_fastest_atlas_and_infrastructure.sql",
        sql: include_str!("../../migrations/0003_fastest_atlas_and_infrastructure.sql"),
    },
    Migration {
        name: "0004_fastest_exact_values.sql",
        sql: include_str!("../../migrations/0004_fastest_exact_values.sql"),
    },
    Migration {
        name: "0005_fastest_marks.sql",
        sql: include_str!("../../migrations/0005_fastest_marks.sql"),
    },
    Migration {
        name: "0006_fastest_conflicts.sql",
        sql: include_str!("../../migrations/0006_fastest_conflicts.sql"),
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use rusqlite::Connection;

    use super::*;
    use crate::live::database::Live;
    use crate::live::introspect::LIVE_SQL;
    use crate::migrate::folder::{Folder, JOURNAL, SCHEMA};
    use crate::migrate::text::init_sql;
    use crate::record::model::Record;
    use crate::sql::statements::statements;
    use crate::tables::fastest::TABLES;
    use crate::value::hex;

    fn read(place: &str) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        std::fs::read_to_string(folder.join(place)).unwrap()
    }

    /// Databases have run these files, so neither they nor the journal may change.
    #[test]
    fn released_files_never_change() {
        let released = [
            "4bee5373997a942b4701b878bfbab27dd3f8767d24c0f95b96bcc2a5e1ca5b8c",
            "1ac2643981bde48fd8115b112608a9ebfa2cd24894ffce48ef8cdd3503c318cf",
            "cc35dd60d8f2bae3e184be4a7c328b07e6ba37d9e4506af46dfef9950a682b6a",
            "4f1b3e47fa16d8d87626bce64655158fe4180704ac11348b9111346ab754d1f2",
            "72a119507711fe136a156f04e31276f1cd4998f6db54920e3db39a23be2ceffd",
            "93fbb74b1b69cadf4d432ba9756a1da90f764cc66325d2bb4480acc3d8b3009e",
            "76525cfb4e0bb65472cba4cc45a5f9ecaf3bd3e744e7c1d31a2627b3ccd674b4",
        ];
        for (sha256, migration) in released.iter().zip(MIGRATIONS) {
            assert_eq!(*sha256, hex::sha256(migration.sql), "{}", migration.name);
        }
    }

    #[test]
    fn the_folder_is_whole_and_all_of_it_is_here() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap());
        let files: BTreeMap<String, String> =
            names.filter(|name| name != "meta").map(|name| (name.clone(), read(&name))).collect();
        let folder = Folder::check(files, Some(&read(JOURNAL)), Some(&read(SCHEMA))).unwrap();
        let found: Vec<_> = folder.files.iter().map(|file| (&*file.name, &*file.sql)).collect();
        assert_eq!(found, MIGRATIONS.map(|migration| (migration.name, migration.sql)));
        assert!(
            folder.record.unwrap() == Record::of("fastest", TABLES),
            "declarations changed: run `fastest schema generate --name WHAT`, and list the file here"
        );
    }

    #[test]
    fn the_migrations_come_to_the_declared_schema() {
        let live = |texts: &[&str]| {
            let database = Connection::open_in_memory().unwrap();
            for statement in texts.iter().flat_map(|text| statements(text)) {
                database.execute_batch(statement).unwrap();
            }
            let mut asked = database.prepare(LIVE_SQL).unwrap();
            let rows = asked.query_map([""], |row| Ok(vec![row.get(0)?, row.get(1)?])).unwrap();
            let rows: Vec<_> = rows.map(Result::unwrap).collect();
            Live::decode("", &rows).unwrap().unwrap()
        };
        let files = MIGRATIONS.map(|migration| migration.sql);
        assert_eq!(live(&files), live(&[&init_sql(TABLES)]));
    }

    /// The statements of a migration are sent to D1 as one text, so that either all apply or none.
    #[test]
    fn no_migration_passes_the_limit_of_d1() {
        for Migration { name, sql } in MIGRATIONS {
            assert!(sql.len() < 100_000, "{name} has {} bytes", sql.len());
        }
    }

    #[test]
    fn no_statement_passes_the_limit_of_d1() {
        for statement in MIGRATIONS.iter().flat_map(|migration| statements(migration.sql)) {
            assert!(statement.len() < 100_000, "{} bytes: {statement:.60}", statement.len());
        }
    }
}
