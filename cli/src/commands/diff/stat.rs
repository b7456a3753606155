//! How many lines of each file changed, as a table.

use std::io;

use fastest_sync::device::diff::{Body, Change};
use fastest_sync::device::report::DiffContent;

use crate::commands::diff::look::sizes;
use crate::commands::diff::shown::{Shown, path_of};
use crate::error::CliError;
use crate::output::{Output, terminal_columns};
use crate::words::count;

/// The longest bar of signs, as in git.
const BAR_MAX: usize = 40;

/// A line of the table.
struct Row {
    path: String,
    added: u64,
    removed: u64,
    /// Instead of lines: the sizes of a binary file.
    sizes: Option<String>,
}

impl Row {
    fn of(change: &Change, body: &Body) -> Self {
        let content = DiffContent::counts(body);
        let (added, removed) = (content.lines_added, content.lines_removed);
        let sizes = content.binary.then(|| sizes(change));
        Self { path: path_of(change), added, removed, sizes }
    }

    fn lines(&self) -> u64 {
        self.added + self.removed
    }
}

/// Prints the table.
pub fn print(shown: &mut Shown<'_>, out: &mut Output) -> Result<(), CliError> {
    let mut rows = Vec::new();
    shown.each(&mut |change, body| {
        rows.push(Row::of(change, body));
        Ok(())
    })?;
    for folder in &shown.comparison.report.folders {
        let what = if folder.is_added { "empty folder, added" } else { "empty folder, deleted" };
        let (path, sizes) = (format!("{}/", folder.path), Some(what.to_owned()));
        rows.push(Row { path, added: 0, removed: 0, sizes });
    }
    Ok(table(&rows, shown.comparison.changes.len(), out)?)
}

fn table(rows: &[Row], files: usize, out: &mut Output) -> io::Result<()> {
    let longest = rows.iter().map(|row| row.path.chars().count()).max().unwrap_or(0);
    let most = rows.iter().map(Row::lines).max().unwrap_or(0);
    let digits = most.to_string().len();
    let room = terminal_columns().saturating_sub(longest + digits + 5).clamp(10, BAR_MAX) as u64;
    for row in rows {
        let pad = " ".repeat(longest - row.path.chars().count());
        let path = &row.path;
        match &row.sizes {
            Some(sizes) => out.line(format_args!(" {path}{pad} | {sizes}"))?,
            None => {
                let bar = |lines: u64| scaled(lines, most, room);
                let lines = row.lines();
                let start = format!(" {path}{pad} | {lines:>digits$}");
                out.counts_line(&start, bar(row.added), bar(row.removed))?;
            }
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let sum = |of: fn(&Row) -> u64| rows.iter().map(of).sum::<u64>();
    let (added, removed) = (sum(|row| row.added), sum(|row| row.removed));
    let files = count(files as u64, "file");
    let (added, removed) = (count(added, "line"), count(removed, "line"));
    out.line(format_args!(" {files} changed, {added} added, {removed} removed"))
}

/// Returns the length of a bar. What is not nothing is seen.
fn scaled(lines: u64, most: u64, room: u64) -> usize {
    let length = if most <= room { lines } else { (lines * room).div_ceil(most) };
    usize::try_from(length).unwrap_or(BAR_MAX)
}

#[cfg(test)]
mod tests {
    use super::scaled;

    #[test]
    fn bars_fit() {
        assert_eq!([scaled(0, 9, 40), scaled(5, 9, 40), scaled(1, 9000, 40)], [0, 5, 1]);
        assert_eq!(scaled(9000, 9000, 40), 40);
    }
}
