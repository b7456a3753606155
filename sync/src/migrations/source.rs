//! Whose migrations: those of this build, or those of a folder.

use std::path::Path;

use fastest_schema::migrate::diff::migration;
use fastest_schema::migrate::plan::Plan;
use fastest_schema::record::model::Record;
use fastest_schema::{FASTEST, Migration, Schema};

use crate::migrations::error::MigrationsError;
use crate::migrations::folder;
use crate::migrations::rehearsal::Rehearsal;

/// Migrations, and what they come to.
#[derive(Debug, Clone)]
pub struct Source {
    /// The owner and the migrations; the tables of Fastest's own schema only.
    pub schema: &'static Schema,
    /// The tables, as they are recorded.
    pub record: Record,
}

impl Source {
    /// What this build of Fastest declares for itself.
    pub fn own() -> Self {
        Self { schema: &FASTEST, record: Record::of(FASTEST.owner, FASTEST.tables) }
    }

    /// A folder's. Its texts live as long as the process, as those of a build do.
    pub fn folder(dir: &Path) -> Result<Self, MigrationsError> {
        let folder = folder::read(dir)?;
        let Some(record) = folder.record else {
            return Err(MigrationsError::Empty { dir: dir.to_owned() });
        };
        let migrations: Vec<Migration> = folder
            .files
            .into_iter()
            .map(|file| Migration { name: file.name.leak(), sql: file.sql.leak() })
            .collect();
        let owner = record.owner.clone().leak();
        let schema =
            Box::leak(Box::new(Schema { owner, tables: &[], migrations: migrations.leak() }));
        Ok(Self { schema, record })
    }

    /// A database in memory without any of the migrations.
    pub(crate) fn rehearsal(&self) -> Result<Rehearsal, MigrationsError> {
        Rehearsal::new(Some(&self.record))
    }

    /// The statements that make a table, or all of them: what the migrations come to.
    pub fn ddl(&self, table: Option<&str>) -> Result<Vec<String>, MigrationsError> {
        let Some(name) = table else {
            let Plan { statements, .. } = migration(None, &self.record)?;
            return Ok(statements);
        };
        let Some(table) = self.record.table(name) else {
            let known = self.record.tables.iter().map(|table| table.name.clone()).collect();
            return Err(MigrationsError::UnknownTable { name: name.to_owned(), known });
        };
        let on_table = format!(" ON `{name}`");
        let triggers = self.record.objects.iter().map(|object| object.sql.clone());
        Ok(table.ddl().into_iter().chain(triggers.filter(|sql| sql.contains(&on_table))).collect())
    }
}
