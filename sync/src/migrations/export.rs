//! Repairs exports of a primary that cannot be imported as they are.

use std::io::{self, BufRead, Write};

use fastest_schema::sql::export::Splitter;

/// An error in repairing an export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The export cannot be read, or the result cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It ends in the middle of a statement.
    #[error("it ends in the middle of a statement, line {line}: export it again")]
    CutShort {
        /// The line in which that statement begins, from 1.
        line: usize,
    },
}

/// The statements in an export.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct RepairedExport {
    /// The number of statements.
    pub statements: u64,
    /// The number of statements that create triggers, which are now at the end.
    pub triggers: u64,
}

/// Copies an export and moves its triggers to the end. `wrangler d1 export` writes triggers on
/// views before those views, and triggers must not exist while rows are inserted.
pub fn repair_export(
    mut input: impl BufRead,
    mut output: impl Write,
) -> Result<RepairedExport, ExportError> {
    let (mut mended, mut triggers) = (RepairedExport::default(), Vec::new());
    let mut splitter = Splitter::default();
    let (mut text, mut line, mut begins) = (String::new(), 0, 1);
    while input.read_line(&mut text)? > 0 {
        line += 1;
        for letter in text.chars() {
            let Some(statement) = splitter.push(letter) else { continue };
            (mended.statements, begins) = (mended.statements + 1, line);
            if statement.is_trigger {
                triggers.push(statement.text);
            } else {
                output.write_all(statement.text.as_bytes())?;
            }
        }
        text.clear();
    }
    let rest = splitter.rest();
    if rest.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with("--")) {
        return Err(ExportError::CutShort { line: begins });
    }
    mended.triggers = triggers.len() as u64;
    for trigger in triggers {
        output.write_all(trigger.as_bytes())?;
    }
    output.write_all(rest.as_bytes())?;
    output.write_all(b"\n")?;
    output.flush()?;
    Ok(mended)
}
