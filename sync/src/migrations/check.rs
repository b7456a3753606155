//! Compares a database with its migrations.

use fastest_schema::Migration;
use fastest_schema::live::compare::{Comparison, compare};
use fastest_schema::live::database::Live;
use fastest_schema::live::introspect::LIVE_SQL;

use crate::migrations::error::MigrationsError;
use crate::migrations::source::Source;
use crate::remote::primary::{Primary, PrimaryError, ask_decoded};

/// Compares a primary with the result of the migrations.
pub async fn check(primary: &dyn Primary, source: &Source) -> Result<Comparison, MigrationsError> {
    let rehearsal = source.rehearsal()?;
    for Migration { name, sql } in source.schema.migrations {
        rehearsal.run(name, sql)?;
    }
    let (mut found, expected) = (live(primary).await?, rehearsal.live()?);
    for table in source.record.tables.iter().filter(|table| table.external) {
        found.ignore_foreign_changes(&expected, &table.name);
    }
    Ok(compare(source.schema.owner, &expected, &found))
}

/// Reads the schema that a primary has.
pub async fn live(primary: &dyn Primary) -> Result<Live, PrimaryError> {
    ask_decoded(primary, LIVE_SQL, |request, answer| Live::decode(request, answer)).await
}
