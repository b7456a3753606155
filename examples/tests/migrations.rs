//! What each example declares, its folder of migrations and the list that is built in are one.
//!
//! `FASTEST_BLESS=1 cargo test -p fastest-examples --test migrations` generates what is missing.

use std::path::Path;

use fastest_examples::{basicos, chronos, compass, corates};
use fastest_schema::Schema;
use fastest_schema::record::Record;
use fastest_sync::migrations::{NewMigration, generate, read};

/// What an application was at one time, and what its last migration is about.
type Version = (&'static str, &'static Schema);

/// A folder of migrations, one for each version.
fn check(example: &str, versions: &[Version]) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(example).join("migrations");
    if std::env::var_os("FASTEST_BLESS").is_some() {
        bless(&dir, versions);
    }
    let folder = read(&dir).unwrap();
    let found: Vec<_> = folder.files.iter().map(|file| (&*file.name, &*file.sql)).collect();
    let (_, newest) = versions.last().unwrap();
    let built_in: Vec<_> =
        newest.migrations.iter().map(|migration| (migration.name, migration.sql)).collect();
    assert_eq!(found, built_in, "list the files of {}", dir.display());
    let declared = Record::of(newest.owner, newest.tables);
    assert!(
        folder.record == Some(declared),
        "the declarations of {example} changed: add a version to this test, and bless it"
    );
    generated_anew(&found, versions);
}

/// Generates the migrations of the versions that have none.
fn bless(dir: &Path, versions: &[Version]) {
    let made = read(dir).unwrap().files.len();
    for (what, schema) in &versions[made..] {
        let new = NewMigration { name: (*what).to_owned(), ..NewMigration::default() };
        generate(dir, schema, &new).unwrap();
    }
}

/// Nobody wrote by hand what is generated.
fn generated_anew(found: &[(&str, &str)], versions: &[Version]) {
    let folder = tempfile::tempdir().unwrap();
    bless(folder.path(), versions);
    let anew = read(folder.path()).unwrap();
    let anew: Vec<_> = anew.files.iter().map(|file| (&*file.name, &*file.sql)).collect();
    assert_eq!(found, anew);
}

#[test]
fn compass() {
    check("compass", &[("init", &compass::schema::COMPASS)]);
}

#[test]
fn corates() {
    check("corates", &[("init", &corates::schema::CORATES)]);
}

#[test]
fn basicos() {
    check("basicos", &[("init", &basicos::schema::BASICOS)]);
}

#[test]
fn chronos() {
    use chronos::schema::{first, second};
    check("chronos", &[("init", &first::CHRONOS), ("holidays", &second::CHRONOS)]);
}

#[test]
fn the_second_migration_of_chronos_is_additive() {
    let added = chronos::schema::second::CHRONOS.migrations[1].sql;
    assert!(added.contains("ADD COLUMN") && added.contains("CREATE TABLE"));
    for word in ["Destructive", "DROP TABLE", "DROP COLUMN", "RENAME"] {
        assert!(!added.contains(word), "{word}");
    }
}
