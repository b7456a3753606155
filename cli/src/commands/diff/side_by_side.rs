//! The old lines on the left, the new ones on the right.

use std::io::{self, Write};
use std::ops::Range;

use fastest_sync::device::diff::patch::hunk_range;
use fastest_sync::device::diff::{Body, Change, TextDiff};
use fastest_sync::device::report::DiffStatus;
use unicode_width::UnicodeWidthChar as _;

use crate::commands::diff::look::{Block, Look, Part, parts, sizes, visible};
use crate::commands::diff::shown::path_of;
use crate::output::{Output, terminal_columns};

const TAB: usize = 8;
/// What is between the columns.
const GUTTER: usize = 3;
/// A column is never narrower.
const COLUMN_MIN: usize = 16;

/// Two columns.
pub struct Columns {
    look: Look,
    width: usize,
}

/// A line of one column: its letters, and whether each is emphasised.
type Cell = Vec<(char, bool)>;

impl Columns {
    /// Returns columns that fill the terminal.
    pub fn of(out: &Output) -> Self {
        let width = terminal_columns().saturating_sub(GUTTER) / 2;
        Self { look: Look::of(out), width: width.max(COLUMN_MIN) }
    }

    /// Prints a change.
    pub fn print(&self, change: &Change, body: &Body, out: &mut dyn Write) -> io::Result<()> {
        let title = format!("{} {}", DiffStatus::of(change).letter(), path_of(change));
        writeln!(out, "{}", self.look.paint("1", &crate::words::plain(&title)))?;
        if let (Some(old), Some(new)) = (change.old_version(), change.new_version())
            && old.mode() != new.mode()
        {
            writeln!(out, "mode {} \u{2192} {}", old.mode(), new.mode())?;
        }
        self.body(change, body, out)
    }

    fn body(&self, change: &Change, body: &Body, out: &mut dyn Write) -> io::Result<()> {
        match body {
            Body::Text(text) => self.hunks(text, out),
            Body::Binary | Body::TooLarge => writeln!(out, "binary, {}", sizes(change)),
            Body::Retyped { old, new } => {
                self.body(change, old, out)?;
                self.body(change, new, out)
            }
            Body::Same => Ok(()),
        }
    }

    fn hunks(&self, text: &TextDiff, out: &mut dyn Write) -> io::Result<()> {
        for hunk in text.hunks() {
            writeln!(out, "{}", self.look.paint("36", &hunk_range(hunk)))?;
            parts(text, hunk, &mut |part| match part {
                Part::Common(line) => {
                    let cell = cell(line, &[]);
                    self.row(&cell, &cell, ' ', out)
                }
                Part::Change(block) => self.block(block, out),
            })?;
        }
        Ok(())
    }

    /// Prints a change: the first removed line beside the first added one, and so on.
    fn block(&self, block: &Block<'_>, out: &mut dyn Write) -> io::Result<()> {
        let (removed, added) = self.look.emphasis(block);
        for at in 0..block.removed.len().max(block.added.len()) {
            let side = |lines: &[&[u8]], words: &[Vec<Range<usize>>]| {
                lines.get(at).map(|line| cell(line, &words[at]))
            };
            let (old, new) = (side(&block.removed, &removed), side(&block.added, &added));
            let sign = match (&old, &new) {
                (Some(_), Some(_)) => '|',
                (Some(_), None) => '<',
                _ => '>',
            };
            self.row(&old.unwrap_or_default(), &new.unwrap_or_default(), sign, out)?;
        }
        Ok(())
    }

    /// Prints a row. Long lines go on below.
    fn row(&self, old: &Cell, new: &Cell, sign: char, out: &mut dyn Write) -> io::Result<()> {
        let [old, new] = [old, new].map(|cell| wrapped(cell, self.width));
        for at in 0..old.len().max(new.len()) {
            let part = |parts: &[(Cell, usize)]| parts.get(at).cloned().unwrap_or_default();
            let ((left, used), (right, _)) = (part(&old), part(&new));
            let pad = " ".repeat(self.width.saturating_sub(used));
            let is_common = sign == ' ';
            let left = self.painted(&left, if is_common { None } else { Some("31") });
            let right = self.painted(&right, if is_common { None } else { Some("32") });
            let line = format!("{left}{pad} {sign} {right}");
            writeln!(out, "{}", line.trim_end_matches(' '))?;
        }
        Ok(())
    }

    fn painted(&self, cell: &Cell, color: Option<&str>) -> String {
        let mut text = String::new();
        for run in cell.chunk_by(|a, b| a.1 == b.1) {
            let letters: String = run.iter().map(|(letter, _)| letter).collect();
            match (color, run[0].1) {
                (Some(color), true) => text += &self.look.paint(&format!("{color};7"), &letters),
                (Some(color), false) => text += &self.look.paint(color, &letters),
                (None, _) => text += &letters,
            }
        }
        text
    }
}

/// Returns a line as letters, with tabs expanded.
fn cell(line: &[u8], words: &[Range<usize>]) -> Cell {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let (mut cell, mut at, mut column) = (Cell::new(), 0, 0);
    let mut add = |bytes: &[u8], is_emphasised: bool| {
        for letter in visible(bytes).chars() {
            let count = if letter == '\t' { TAB - column % TAB } else { 1 };
            let letter = if letter == '\t' { ' ' } else { letter };
            column += count * letter.width().unwrap_or(0);
            cell.extend(std::iter::repeat_n((letter, is_emphasised), count));
        }
    };
    for word in words {
        let word = word.start.min(line.len())..word.end.min(line.len());
        add(&line[at..word.start], false);
        add(&line[word.clone()], true);
        at = word.end;
    }
    add(&line[at..], false);
    cell
}

/// Cuts a cell into parts that fit, each with its width. There is at least one.
fn wrapped(cell: &Cell, width: usize) -> Vec<(Cell, usize)> {
    let mut parts = vec![(Cell::new(), 0)];
    for &(letter, is_emphasised) in cell {
        let letter_width = letter.width().unwrap_or(0);
        if parts.last().is_some_and(|(_, used)| used + letter_width > width) {
            parts.push((Cell::new(), 0));
        }
        if let Some((part, used)) = parts.last_mut() {
            part.push((letter, is_emphasised));
            *used += letter_width;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str, width: usize) -> Vec<String> {
        let parts = wrapped(&cell(line.as_bytes(), &[]), width);
        parts
            .into_iter()
            .map(|(part, _)| part.into_iter().map(|(letter, _)| letter).collect())
            .collect()
    }

    #[test]
    fn long_lines_go_on_below() {
        assert_eq!(texts("\n", 4), [""]);
        assert_eq!(texts("abcdef\n", 4), ["abcd", "ef"]);
        assert_eq!(texts("\u{4f60}\u{597d}\u{5417}", 4), ["\u{4f60}\u{597d}", "\u{5417}"]);
        assert_eq!(texts("a\tb", 20), ["a       b"]);
    }
}
