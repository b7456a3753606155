//! Rows as SQL reads them, without the engine.

use rusqlite::Connection;

use crate::rows::application::Version;
use crate::rows::model::{Row, Rows};

/// Returns all rows of an application's tables.
pub fn read(connection: &Connection, version: &Version) -> rusqlite::Result<Rows> {
    let mut rows = Rows::new();
    for table in &version.tables {
        let columns = table.columns.join(", ");
        let sql = format!("SELECT id, team, {columns} FROM {}", table.name);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let mut values = Row::from([("team".to_owned(), row.get(1)?)]);
            for (place, column) in table.columns.iter().enumerate() {
                values.insert((*column).to_owned(), row.get(place + 2)?);
            }
            rows.insert((table.name.to_owned(), row.get(0)?), values);
        }
    }
    Ok(rows)
}

/// Returns the version of the application whose tables a primary has.
pub fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let sql = "SELECT EXISTS (SELECT 1 FROM d1_migrations WHERE name GLOB '0001_desk_*')";
    Ok(usize::from(connection.query_row(sql, [], |row| row.get::<_, bool>(0))?))
}
