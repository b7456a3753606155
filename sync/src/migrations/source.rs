//! The source of migrations: this build, or a folder.

use std::path::Path;

use fastest_schema::migrate::diff::migration;
use fastest_schema::migrate::plan::Plan;
use fastest_schema::record::model::Record;
use fastest_schema::{FASTEST, Migration, Schema};

use crate::migrations::error::MigrationsError;
use crate::migrations::folder;
use crate::migrations::rehearsal::Rehearsal;

/// Migrations, and the schema that results.
#[derive(Debug, Clone)]
pub struct Source {
    /// The owner and the migrations. Only Fastest's own schema has its tables here; for a folder,
    /// they are in `record`.
    pub schema: &'static Schema,
    /// The tables, as recorded.
    pub record: Record,
}

impl Source {
    /// Returns Fastest's own schema, as this build declares it.
    pub fn own() -> Self {
        Self { schema: &FASTEST, record: Record::of(FASTEST.owner, FASTEST.tables) }
    }

    /// Reads a folder. Its texts are leaked, and live as long as the process.
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

    /// Creates an empty database in memory, on which no migration has run.
    pub(crate) fn rehearsal(&self) -> Result<Rehearsal, MigrationsError> {
        Rehearsal::new(Some(&self.record))
    }

    /// Returns the statements that create a table, or all tables, as the migrations leave them.
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
