//! Runs migrations on an empty database in memory: this finds mistakes in their text before any
//! other database is touched, and shows the schema that results.

use fastest_schema::live::database::Live;
use fastest_schema::live::introspect::LIVE_SQL;
use fastest_schema::record::model::Record;
use fastest_schema::{D1_MIGRATIONS_DDL, numbered_statements};
use rusqlite::Connection;

use crate::base::sqlite::words;
use crate::migrations::error::MigrationsError;

/// A database in memory that migrations are run on.
#[derive(Debug)]
pub struct Rehearsal {
    database: Connection,
}

impl Rehearsal {
    /// Creates an empty database, except for the tables of other tools that `record` describes.
    pub fn new(record: Option<&Record>) -> Result<Self, MigrationsError> {
        let database = Connection::open_in_memory()?;
        database.pragma_update(None, "foreign_keys", true)?;
        database.execute_batch(D1_MIGRATIONS_DDL)?;
        let theirs = record.iter().flat_map(|record| &record.tables);
        for statement in theirs.filter(|table| table.external).flat_map(|table| table.ddl()) {
            database.execute_batch(&statement)?;
        }
        Ok(Self { database })
    }

    /// Runs a migration, all of it or nothing. An error names the line.
    pub fn run(&self, name: &str, sql: &str) -> Result<(), MigrationsError> {
        let transaction = self.database.unchecked_transaction()?;
        for (line, statement) in numbered_statements(sql) {
            transaction.execute_batch(statement).map_err(|error| MigrationsError::Statement {
                file: name.to_owned(),
                line,
                message: words(&error),
            })?;
        }
        transaction.commit().map_err(|error| MigrationsError::Statement {
            file: name.to_owned(),
            line: sql.lines().count().max(1),
            message: words(&error),
        })
    }

    /// Reads the schema that results.
    pub fn live(&self) -> Result<Live, MigrationsError> {
        let mut statement = self.database.prepare(LIVE_SQL)?;
        let rows = statement.query_map([""], |row| Ok(vec![row.get(0)?, row.get(1)?]))?;
        let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
        let live = Live::decode("", &rows).ok().flatten();
        Ok(live.expect("SQLite answers what it is asked"))
    }
}
