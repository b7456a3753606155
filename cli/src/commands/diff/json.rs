//! A comparison as JSON.

use std::io::{self, BufWriter, Seek as _, Write};

use fastest_sync::device::diff::{Body, Change};
use fastest_sync::device::report::{DiffContent, DiffFile};

use crate::commands::diff::shown::Shown;
use crate::error::CliError;
use crate::output::Output;

/// Larger output waits in a file.
const MEMORY_BYTES_MAX: usize = 8 << 20;

/// Prints one object. It is collected first: if the comparison fails, an error is printed and nothing
/// else.
pub fn print(shown: &mut Shown<'_>, out: &mut Output) -> Result<(), CliError> {
    let mut spool = BufWriter::new(tempfile::SpooledTempFile::new(MEMORY_BYTES_MAX));
    write(shown, &mut spool)?;
    let mut spool = spool.into_inner().map_err(io::IntoInnerError::into_error)?;
    spool.rewind()?;
    io::copy(&mut spool, out)?;
    Ok(())
}

fn write(shown: &mut Shown<'_>, out: &mut dyn Write) -> Result<(), CliError> {
    let report = serde_json::to_string(&shown.comparison.report).map_err(io::Error::from)?;
    // The files are the last field of the report's object.
    let open = report.strip_suffix('}').unwrap_or(&report);
    write!(out, "{open},\"files\":[")?;
    let form = &shown.asked.form;
    let (is_named, is_counted) = (form.name_only || form.name_status, form.stat);
    let mut comma = "";
    let mut file = |change: &Change, content: Option<DiffContent>| {
        let text =
            serde_json::to_string(&DiffFile::of(change, content)).map_err(io::Error::from)?;
        write!(out, "{comma}{text}")?;
        comma = ",";
        Ok::<_, CliError>(())
    };
    if is_named {
        for change in &shown.comparison.changes {
            file(change, None)?;
        }
    } else {
        shown.each(&mut |change: &Change, body: &Body| {
            let content =
                if is_counted { DiffContent::counts(body) } else { DiffContent::lines(body) };
            file(change, Some(content))
        })?;
    }
    writeln!(out, "]}}")?;
    Ok(())
}
