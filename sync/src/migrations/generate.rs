//! Generates the next migration of a folder.

use std::path::Path;

use fastest_schema::live::compare::compare;
use fastest_schema::migrate::diff::migration;
use fastest_schema::migrate::folder::Folder;
use fastest_schema::migrate::plan::Plan;
use fastest_schema::record::model::Record;
use fastest_schema::{STATEMENT_BREAKPOINT, Schema};

use crate::base::world::World;
use crate::migrations::error::MigrationsError;
use crate::migrations::folder;
use crate::migrations::rehearsal::Rehearsal;

/// A request for a new migration.
#[derive(Debug, Clone, Default)]
pub struct NewMigration {
    /// The descriptive part of the file's name: lower-case letters, digits and `_`.
    pub name: String,
    /// Statements of the caller, run after the generated ones: for changes to rows that only the
    /// application understands.
    pub sql: Option<String>,
    /// Whether steps are allowed that lose data, or that may fail because of existing rows.
    pub allow_destructive: bool,
}

/// The outcome of [`generate`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Generated {
    /// The name of the new file; `None` if there is nothing to migrate.
    pub name: Option<String>,
    /// How many statements it has.
    pub statements: usize,
    /// Its destructive steps.
    pub destructive: Vec<String>,
}

/// Compares the declarations with the folder's recorded schema, and writes the migration between
/// the two. Before that, the migration is run after all others on a database in memory, whose
/// schema must then be the declared one. The journal records the time of `world`.
pub fn generate(
    dir: &Path,
    schema: &Schema,
    new: &NewMigration,
    world: &World,
) -> Result<Generated, MigrationsError> {
    let _lock = folder::lock(dir)?;
    generate_locked(dir, schema, new, world)
}

/// Works as [`generate`], for a caller that holds the folder's lock.
pub fn generate_locked(
    dir: &Path,
    schema: &Schema,
    new: &NewMigration,
    world: &World,
) -> Result<Generated, MigrationsError> {
    schema.check()?;
    let folder = folder::read_locked(dir)?;
    let record = Record::of(schema.owner, schema.tables);
    let mut plan = migration(folder.record.as_ref(), &record)?;
    plan.statements.extend(new.sql.iter().flat_map(|sql| own_statements(sql)));
    if plan.statements.is_empty() {
        return Ok(Generated { name: None, statements: 0, destructive: Vec::new() });
    }
    if !plan.destructive.is_empty() && !new.allow_destructive {
        return Err(MigrationsError::Destructive(plan.destructive));
    }
    let now_ms = world.timestamp().as_millisecond().unsigned_abs();
    let addition = folder.add(&new.name, &plan, &record, now_ms);
    let addition =
        addition.map_err(|source| MigrationsError::Folder { dir: dir.to_owned(), source })?;
    rehearse(&folder, &record, &addition.name, &addition.sql)?;
    folder::add(dir, &addition)?;
    let Plan { statements, destructive, .. } = plan;
    Ok(Generated { name: Some(addition.name), statements: statements.len(), destructive })
}

/// Splits the caller's statements at breakpoints.
fn own_statements(sql: &str) -> Vec<String> {
    let sql = sql.replace("\r\n", "\n");
    let texts = sql.split(STATEMENT_BREAKPOINT).map(|text| text.trim().trim_end_matches(';'));
    let texts = texts.filter(|text| !text.is_empty());
    // A semicolon is appended later, and must not become part of a comment.
    let ends_in_comment = |text: &str| text.lines().last().is_some_and(|line| line.contains("--"));
    texts
        .map(|text| if ends_in_comment(text) { format!("{text}\n") } else { text.into() })
        .collect()
}

/// Fails if the folder's migrations and the new one do not result in the declared schema.
fn rehearse(
    folder: &Folder,
    record: &Record,
    name: &str,
    sql: &str,
) -> Result<(), MigrationsError> {
    let rehearsal = Rehearsal::new(Some(record))?;
    for file in &folder.files {
        rehearsal.run(&file.name, &file.sql)?;
    }
    rehearsal.run(name, sql)?;
    let declared = Rehearsal::new(Some(record))?;
    let statements = migration(None, record)?.statements;
    declared
        .run("the declared schema", &statements.join(&format!(";\n{STATEMENT_BREAKPOINT}\n")))?;
    let comparison = compare(&record.owner, &declared.live()?, &rehearsal.live()?);
    let differences: Vec<String> = comparison.differences.iter().map(ToString::to_string).collect();
    if differences.is_empty() { Ok(()) } else { Err(MigrationsError::NotDeclared(differences)) }
}
