//! Brings a primary up to date, and reports which statement fails.

use fastest_schema::{Migration, numbered_statements};

use crate::migrations::error::MigrationsError;
use crate::migrations::source::Source;
use crate::remote::cause::Cause;
use crate::remote::level::lacked;
use crate::remote::primary::{Primary, PrimaryError};

/// A statement that fails on every SQLite, and only when it is reached. The statements before it
/// have succeeded by then, and are rolled back with it.
const PROBE: &str = "SELECT abs(-9223372036854775808)";

/// Applies every migration that a primary lacks, in order, each in full or not at all, and returns
/// their names. They are first run in memory, so that mistakes in their text are found before the
/// primary is touched.
pub async fn apply(
    primary: &dyn Primary,
    source: &Source,
) -> Result<Vec<&'static str>, MigrationsError> {
    let lacked = lacked(primary, source.schema).await?;
    if lacked.is_empty() {
        return Ok(Vec::new());
    }
    let rehearsal = source.rehearsal()?;
    for Migration { name, sql } in source.schema.migrations {
        rehearsal.run(name, sql)?;
    }
    let mut applied = Vec::new();
    for Migration { name, sql } in lacked {
        let statements = numbered_statements(sql);
        let texts: Vec<&str> = statements.iter().map(|(_, statement)| *statement).collect();
        if let Err(error) = primary.migrate(name, &texts).await {
            return Err(explain(primary, name, &statements, error).await);
        }
        applied.push(name);
    }
    Ok(applied)
}

/// Adds the file and the line to a primary's error, which names neither.
async fn explain(
    primary: &dyn Primary,
    name: &str,
    statements: &[(usize, &str)],
    error: PrimaryError,
) -> MigrationsError {
    let message = match &error {
        PrimaryError::Failed { message, .. } => message.clone(),
        PrimaryError::Refused { refusal, .. } => refusal.name().to_owned(),
        _ => return error.into(),
    };
    match failing(primary, statements).await {
        Ok(line) => {
            let message = format!("{}: {message}; nothing of it was applied", primary.url());
            MigrationsError::Statement { file: name.to_owned(), line, message }
        }
        Err(_) => error.into(),
    }
}

/// Returns the line of the first statement that fails, found by bisection. If all of them succeed
/// and the commit fails, as for a foreign key without a parent, it is that of the last one.
async fn failing(
    primary: &dyn Primary,
    statements: &[(usize, &str)],
) -> Result<usize, PrimaryError> {
    let (mut passed, mut end) = (0, statements.len());
    while passed < end {
        let middle = (passed + end) / 2;
        let beginning = statements[..=middle].iter().map(|(_, statement)| *statement);
        let tried: Vec<&str> = beginning.chain([PROBE]).collect();
        match primary.migrate("a probe, which never stays", &tried).await {
            // The probe failed, so all statements before it succeeded.
            Err(PrimaryError::Failed { cause: Cause::IntegerOverflow, .. }) => {
                passed = middle + 1;
            }
            Err(PrimaryError::Failed { .. } | PrimaryError::Refused { .. }) => end = middle,
            Err(error) => return Err(error),
            Ok(()) => break,
        }
    }
    Ok(statements[passed.min(statements.len() - 1)].0)
}
