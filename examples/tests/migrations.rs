//! Each example's declarations, its folder of migrations and its built-in list agree.
//!
//! `FASTEST_BLESS=1 cargo test -p fastest-examples --test migrations` generates what is missing.

use std::path::Path;

use fastest_examples::{basicos, chronos, compass, corates};
use fastest_schema::Schema;
use fastest_schema::record::model::Record;
use fastest_sync::World;
use fastest_sync::migrations::{NewMigration, generate, read};

/// A version of an application: the name of its last migration, and its schema.
type Version = (&'static str, &'static Schema);

/// Checks a folder of migrations, one for each version, and returns their names and SQL.
fn check(example: &str, versions: &[Version]) -> Vec<(&'static str, &'static str)> {
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
    built_in
}

/// Generates the migrations of the versions that have none.
fn bless(dir: &Path, versions: &[Version]) {
    let made = read(dir).unwrap().files.len();
    for (what, schema) in &versions[made..] {
        let new = NewMigration { name: (*what).to_owned(), ..NewMigration::default() };
        generate(dir, schema, &new, &World::system()).unwrap();
    }
}

/// Checks that the migrations are as they are generated now, not edited by hand. This does not hold
/// for the other examples: an older version of the engine generated their first file.
fn generated_anew(found: &[(&str, &str)], versions: &[Version]) {
    let folder = tempfile::tempdir().unwrap();
    bless(folder.path(), versions);
    let anew = read(folder.path()).unwrap();
    let anew: Vec<_> = anew.files.iter().map(|file| (&*file.name, &*file.sql)).collect();
    assert_eq!(found, anew);
}

#[test]
fn compass() {
    check(
        "compass",
        &[
            ("init", &compass::schema::COMPASS),
            ("exact_values", &compass::schema::COMPASS),
            ("marks", &compass::schema::COMPASS),
        ],
    );
}

#[test]
fn corates() {
    check(
        "corates",
        &[
            ("init", &corates::schema::CORATES),
            ("exact_values", &corates::schema::CORATES),
            ("marks", &corates::schema::CORATES),
        ],
    );
}

#[test]
fn basicos() {
    check(
        "basicos",
        &[
            ("init", &basicos::schema::BASICOS),
            ("exact_values", &basicos::schema::BASICOS),
            ("marks", &basicos::schema::BASICOS),
        ],
    );
}

#[test]
fn chronos() {
    use chronos::schema::{first, second};
    let versions: &[Version] = &[("init", &first::CHRONOS), ("holidays", &second::CHRONOS)];
    generated_anew(&check("chronos", versions), versions);
}

#[test]
fn the_second_migration_of_chronos_is_additive() {
    let added = chronos::schema::second::CHRONOS.migrations[1].sql;
    assert!(added.contains("ADD COLUMN") && added.contains("CREATE TABLE"));
    for word in ["Destructive", "DROP TABLE", "DROP COLUMN", "RENAME"] {
        assert!(!added.contains(word), "{word}");
    }
}
