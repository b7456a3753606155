//! Brings a primary up to date, and says which statement stands in the way.

use fastest_schema::{Migration, numbered_statements};

use crate::migrations::error::MigrationsError;
use crate::migrations::source::Source;
use crate::remote::level::lacked;
use crate::remote::primary::{Primary, PrimaryError};

/// Fails on every SQLite, and only when it is its turn: what stands before it has run by then, and is
/// rolled back with it.
const PROBE: &str = "SELECT abs(-9223372036854775808)";

/// How SQLite words that.
const PROBED: &str = "integer overflow";

/// Applies every migration that a primary lacks, in order, each whole or not at all. Gives their
/// names. What is wrong with their text is found in memory, before the primary is touched.
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

/// Adds the file and the line to what a primary says: it names neither, for it is given one text.
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

/// The line of the first statement that fails, found by halves; the last one's, where all of them run
/// and the end does not hold, as when rows refer to nothing.
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
            Err(PrimaryError::Failed { message, .. }) if message.contains(PROBED) => {
                passed = middle + 1;
            }
            Err(PrimaryError::Failed { .. } | PrimaryError::Refused { .. }) => end = middle,
            Err(error) => return Err(error),
            Ok(()) => break,
        }
    }
    Ok(statements[passed.min(statements.len() - 1)].0)
}
