//! Chronos: two owners share a database by a prefix, and a schema grows by additions.

pub mod schema;

use std::io::Write;

use fastest_sync::remote::primary::Primary;
use fastest_sync::{Database, Remote, World, migrate};
use schema::{first, second};

use crate::{Result, Scene};
use fastest_sync::remote::statement::Statement;

/// Runs the example, and prints what it does.
pub fn run(out: &mut dyn Write) -> Result<()> {
    let scene = Scene::new()?;
    let Remote { primary, .. } = &scene.remote;
    crate::run(directus(&**primary))??;
    crate::run(migrate(&**primary, &first::CHRONOS))??;
    writeln!(out, "tables: {}", crate::run(tables(&**primary))??)?;

    let file = scene.file("laptop.db");
    let mut laptop = Database::open(&file, &first::CHRONOS, World::system())?;
    let entry = |id: &str, minutes| first::Entry { id: id.into(), team: "red".into(), minutes };
    laptop.save(&entry("monday", 60))?;
    scene.sync(&mut laptop)?;
    // This row waits while both the primary and the application are upgraded.
    laptop.save(&entry("tuesday", 90))?;
    drop(laptop);

    crate::run(migrate(&**primary, &second::CHRONOS))??;
    let mut laptop = Database::open(&file, &second::CHRONOS, World::system())?;
    let holiday = second::Holiday { id: "2026-12-25 red".into(), team: "red".into() };
    laptop.save(&holiday)?;
    scene.sync(&mut laptop)?;
    for second::Entry { id, minutes, kind, .. } in laptop.all()? {
        writeln!(out, "{id}: {minutes} minutes of {kind}")?;
    }

    let mut phone =
        Database::open_for(&scene.file("phone.db"), &second::CHRONOS, "red", World::system())?;
    scene.sync(&mut phone)?;
    let (entries, holidays) =
        (phone.all::<second::Entry>()?.len(), phone.all::<second::Holiday>()?.len());
    writeln!(out, "the phone has {entries} entries and {holidays} holiday")?;
    match Database::open(&file, &first::CHRONOS, World::system()) {
        Err(error) => {
            let error = error.to_string();
            let said = error.split_once(" was ").map_or(error.as_str(), |(_, said)| said);
            writeln!(out, "the first version is refused: {said}")?;
        }
        Ok(_) => return Err("the first version took a file of the second".into()),
    }
    let left =
        crate::run(primary.run(Statement::reads("SELECT name FROM directus_migrations"), &[]))??;
    writeln!(out, "directus has its own migrations still: {}", left.len())?;
    Ok(())
}

/// Creates tables of another migration system, with its own record of applied migrations.
async fn directus(primary: &dyn Primary) -> Result<()> {
    for sql in [
        "CREATE TABLE directus_migrations(version TEXT PRIMARY KEY, name TEXT)",
        "INSERT INTO directus_migrations VALUES ('20201028A', 'Initial')",
        "CREATE TABLE directus_users(id TEXT PRIMARY KEY, email TEXT)",
    ] {
        primary.run(Statement::once(sql), &[]).await?;
    }
    Ok(())
}

async fn tables(primary: &dyn Primary) -> Result<String> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table'
               AND (name GLOB 'chronos_*' OR name GLOB 'directus_*') ORDER BY name";
    let rows = primary.run(Statement::reads(sql), &[]).await?;
    Ok(rows.into_iter().flatten().flatten().collect::<Vec<_>>().join(", "))
}
