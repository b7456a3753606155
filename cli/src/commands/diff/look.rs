//! A patch as people read it on a terminal: in colour, with changed words emphasised, and without
//! characters that a terminal obeys.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;

use fastest_sync::device::diff::patch::{Headings, hunk_range, sides, write_header, write_names};
use fastest_sync::device::diff::{Body, Change, Hunk, Origin, TextDiff, Version, words};

use crate::output::Output;
use crate::words::size;

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const CYAN: &str = "36";

/// How a patch looks.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    has_color: bool,
}

/// The lines of a change: first those that were removed.
#[derive(Default)]
pub struct Block<'a> {
    pub removed: Vec<&'a [u8]>,
    pub added: Vec<&'a [u8]>,
}

impl Block<'_> {
    fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }
}

impl Look {
    /// Returns the look for an output.
    pub fn of(out: &Output) -> Self {
        Self { has_color: out.color() }
    }

    /// Prints a change.
    pub fn print(&self, change: &Change, body: &Body, out: &mut dyn Write) -> io::Result<()> {
        if let (Change::Retyped { old, new }, Body::Retyped { old: removed, new: added }) =
            (change, body)
        {
            self.print(&Change::Deleted(old.clone()), removed, out)?;
            return self.print(&Change::Added(new.clone()), added, out);
        }
        let mut header = Vec::new();
        write_header(change, &mut header)?;
        if matches!(body, Body::Text(text) if !text.hunks().is_empty()) {
            write_names(change, &mut header)?;
        }
        for line in header.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            writeln!(out, "{}", self.paint(BOLD, &visible(line)))?;
        }
        match body {
            Body::Text(text) => self.hunks(text, out),
            Body::Binary | Body::TooLarge => {
                let [old, new] = sides(change).map(|name| visible(&name));
                let sizes = sizes(change);
                writeln!(out, "Binary files {old} and {new} differ ({sizes})")
            }
            Body::Same | Body::Retyped { .. } => Ok(()),
        }
    }

    fn hunks(&self, text: &TextDiff, out: &mut dyn Write) -> io::Result<()> {
        let mut headings = Headings::of(text);
        for hunk in text.hunks() {
            let heading = visible(headings.of_hunk(hunk));
            let space = if heading.is_empty() { "" } else { " " };
            writeln!(out, "{}{space}{heading}", self.paint(CYAN, &hunk_range(hunk)))?;
            parts(text, hunk, &mut |part| match part {
                Part::Common(line) => self.line(' ', None, line, &[], out),
                Part::Change(block) => self.block(block, out),
            })?;
        }
        Ok(())
    }

    fn block(&self, block: &Block<'_>, out: &mut dyn Write) -> io::Result<()> {
        let (removed, added) = self.emphasis(block);
        for (line, words) in block.removed.iter().zip(&removed) {
            self.line('-', Some(RED), line, words, out)?;
        }
        for (line, words) in block.added.iter().zip(&added) {
            self.line('+', Some(GREEN), line, words, out)?;
        }
        Ok(())
    }

    /// Returns the words of a change to emphasise. Without colour there is nothing to do it with.
    pub fn emphasis(&self, block: &Block<'_>) -> (words::Emphasis, words::Emphasis) {
        if self.has_color {
            return words::refine(&block.removed, &block.added);
        }
        (vec![Vec::new(); block.removed.len()], vec![Vec::new(); block.added.len()])
    }

    fn line(
        &self,
        sign: char,
        color: Option<&str>,
        line: &[u8],
        words: &[Range<usize>],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let text = line.strip_suffix(b"\n");
        let has_end = text.is_some();
        let text = text.unwrap_or(line);
        let (mut shown, mut at) = (String::from(sign), 0);
        for word in words {
            // A line feed is not shown.
            let word = word.start.min(text.len())..word.end.min(text.len());
            shown += &visible(&text[at..word.start]);
            if !word.is_empty() {
                // Reversed, and back again.
                let _ = write!(shown, "\x1b[7m{}\x1b[27m", visible(&text[word.clone()]));
            }
            at = word.end;
        }
        shown += &visible(&text[at..]);
        match color {
            Some(color) => writeln!(out, "{}", self.paint(color, &shown))?,
            None => writeln!(out, "{shown}")?,
        }
        if has_end { Ok(()) } else { writeln!(out, "\\ No newline at end of file") }
    }

    /// Returns text in a colour.
    pub fn paint(&self, code: &str, text: &str) -> String {
        if self.has_color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A part of a hunk.
pub enum Part<'p, 'a> {
    /// A line that both sides have.
    Common(&'a [u8]),
    /// Lines that differ.
    Change(&'p Block<'a>),
}

/// Calls `each` for every part of a hunk.
pub fn parts<'a>(
    text: &'a TextDiff,
    hunk: &'a Hunk,
    each: &mut dyn FnMut(Part<'_, 'a>) -> io::Result<()>,
) -> io::Result<()> {
    let mut block = Block::default();
    for line in text.lines(hunk) {
        // Removed lines after added ones begin another change.
        let ends = match line.origin {
            Origin::Common => true,
            Origin::Removed => !block.added.is_empty(),
            Origin::Added => false,
        };
        if ends && !block.is_empty() {
            each(Part::Change(&block))?;
            block = Block::default();
        }
        match line.origin {
            Origin::Common => each(Part::Common(line.bytes))?,
            Origin::Removed => block.removed.push(line.bytes),
            Origin::Added => block.added.push(line.bytes),
        }
    }
    if block.is_empty() { Ok(()) } else { each(Part::Change(&block)) }
}

/// Returns the sizes of the two sides.
pub fn sizes(change: &Change) -> String {
    let side = |version: Option<&Version>| version.map(|version| size(version.item.bytes));
    match (side(change.old_version()), side(change.new_version())) {
        (Some(old), Some(new)) => format!("{old} \u{2192} {new}"),
        (old, new) => old.or(new).unwrap_or_default(),
    }
}

/// Returns bytes as text that a terminal shows. Tabs stay; other control characters are escaped, and so are
/// bytes that are not UTF-8.
pub fn visible(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out += &crate::words::plain_lines(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_file_steers_the_terminal() {
        assert_eq!(visible(b"a\x1b[2Jb\tc\r\xff"), "a\\u{1b}[2Jb\tc\\r\\xff");
    }

    #[test]
    fn words_are_emphasised_within_a_colour() {
        let look = Look { has_color: true };
        let mut out = Vec::new();
        look.line('-', Some(RED), b"one two\n", std::slice::from_ref(&(4..8)), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\x1b[31m-one \x1b[7mtwo\x1b[27m\x1b[0m\n");
    }
}
