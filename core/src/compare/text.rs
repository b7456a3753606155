//! How the lines of a file differ.
//!
//! The algorithms are those of `gix-imara-diff`, with its rules for where an ambiguous change is shown. A line includes its line feed, so a carriage return or a missing last line feed is a difference
//! like any other. A file that has a NUL in its first bytes is binary, as in git, and has no lines.

pub(crate) mod algorithm;
mod middle;
pub mod patch;
pub mod words;

use std::ops::Range;

use gix_imara_diff::sources::byte_lines;

use crate::compare::text::algorithm::{LINES_MAX, compare_lines, count_lines, lines_of};
use crate::compare::text::middle::Middle;
use crate::object::source::Object;

/// A NUL among this many bytes makes a file binary.
const BINARY_WITHIN_BYTES: usize = 8000;
/// What two contents have in common at their ends is cut off before lines are compared, except for
/// this many lines: an ambiguous change is moved by up to 100 lines.
const MARGIN_LINES: usize = 128;

/// Returns whether a content is binary.
pub fn is_binary(content: &[u8]) -> bool {
    content[..content.len().min(BINARY_WITHIN_BYTES)].contains(&0)
}

/// How the lines of two contents differ.
#[derive(Debug, Clone)]
pub struct TextDiff {
    old: Object,
    new: Object,
    hunks: Vec<Hunk>,
}

/// Lines that differ, with the lines around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// The lines of the old content.
    pub old: Lines,
    /// The lines of the new content.
    pub new: Lines,
    edits: Vec<Edit>,
}

/// Consecutive lines of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// How many lines are before them.
    pub before: usize,
    /// How many there are.
    pub count: usize,
    bytes: Range<usize>,
}

impl Lines {
    /// Returns where they begin in their content.
    fn start(&self) -> usize {
        self.bytes.start
    }
}

/// Lines that both contents have, and then lines that only one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Edit {
    common: usize,
    removed: usize,
    added: usize,
}

/// Which content has a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Both.
    Common,
    /// Only the old one.
    Removed,
    /// Only the new one.
    Added,
}

/// A line of a hunk, with its line feed if it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Which content has it.
    pub origin: Origin,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl TextDiff {
    /// Compares two contents. Up to `context` lines around each change are part of the hunks.
    pub fn of(old: Object, new: Object, context: usize) -> Self {
        let hunks = if *old == *new { Vec::new() } else { hunks(&old, &new, context) };
        Self { old, new, hunks }
    }

    /// Returns the hunks, in order.
    pub fn hunks(&self) -> &[Hunk] {
        &self.hunks
    }

    /// Returns the old content.
    pub fn old_content(&self) -> &[u8] {
        &self.old
    }

    /// Returns the new content.
    pub fn new_content(&self) -> &[u8] {
        &self.new
    }

    /// Returns how many lines only the old content has, and how many only the new one.
    pub fn counts(&self) -> (u64, u64) {
        let edits = self.hunks.iter().flat_map(|hunk| &hunk.edits);
        edits.fold((0, 0), |(removed, added), edit| {
            (removed + edit.removed as u64, added + edit.added as u64)
        })
    }

    /// Returns the lines of a hunk: of a change, first the removed ones.
    pub fn lines<'a>(&'a self, hunk: &'a Hunk) -> impl Iterator<Item = Line<'a>> {
        let mut old = byte_lines(&self.old[hunk.old.bytes.clone()]);
        let mut new = byte_lines(&self.new[hunk.new.bytes.clone()]);
        let origins = hunk.edits.iter().flat_map(|edit| {
            let Edit { common, removed, added } = *edit;
            let of = |origin, count| std::iter::repeat_n(origin, count);
            of(Origin::Common, common)
                .chain(of(Origin::Removed, removed))
                .chain(of(Origin::Added, added))
        });
        origins.map_while(move |origin| {
            let bytes = match origin {
                Origin::Common => {
                    old.next();
                    new.next()
                }
                Origin::Removed => old.next(),
                Origin::Added => new.next(),
            };
            Some(Line { origin, bytes: bytes? })
        })
    }
}

/// Compares two contents that differ.
fn hunks(old: &[u8], new: &[u8], context: usize) -> Vec<Hunk> {
    let middle = Middle::of(old, new, context.saturating_add(MARGIN_LINES));
    let (old, new) = (&old[middle.old.clone()], &new[middle.new.clone()]);
    let mut walk = Walk {
        context,
        // Before the middle, both sides are the same.
        old: Cursor { line: middle.lines_before, byte: middle.old.start },
        new: Cursor { line: middle.lines_before, byte: middle.new.start },
        hunks: Vec::new(),
    };
    let counts = [old, new].map(count_lines);
    // Too many lines between the common ends: all of them count as changed.
    if counts.iter().any(|count| *count > LINES_MAX) {
        walk.whole(old, new, counts);
        return walk.hunks;
    }
    let input = lines_of(old, new);
    let mut diff = compare_lines(&input);
    diff.postprocess_lines(&input);
    let lengths = |tokens: &[gix_imara_diff::Token]| {
        tokens.iter().map(|token| input.interner[*token].len()).collect::<Vec<_>>()
    };
    let (old, new) = (lengths(&input.before), lengths(&input.after));
    let (mut old_at, mut new_at) = (0, 0);
    for change in diff.hunks() {
        let [from, to] = [change.before.start as usize, change.before.end as usize];
        walk.common(&old[old_at..from], &new[new_at..change.after.start as usize]);
        let added = change.after.start as usize..change.after.end as usize;
        walk.change(&old[from..to], &new[added.clone()]);
        (old_at, new_at) = (to, added.end);
    }
    walk.end(&old[old_at..]);
    walk.hunks
}

/// A place between two lines.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    line: usize,
    byte: usize,
}

impl Cursor {
    fn pass(&mut self, lengths: &[usize]) {
        self.line += lengths.len();
        self.byte += lengths.iter().sum::<usize>();
    }
}

/// Collects changes into hunks. Lengths are those of lines, in bytes.
struct Walk {
    context: usize,
    old: Cursor,
    new: Cursor,
    hunks: Vec<Hunk>,
}

impl Walk {
    /// Passes lines that both sides have, and begins a hunk for the change after them.
    fn common(&mut self, old: &[usize], new: &[usize]) {
        let count = old.len();
        let joins = !self.hunks.is_empty() && count <= self.context.saturating_mul(2);
        if joins {
            self.old.pass(old);
            self.new.pass(new);
            if let Some(hunk) = self.hunks.last_mut() {
                hunk.edits.push(Edit { common: count, removed: 0, added: 0 });
            }
            return;
        }
        self.end(old);
        let lead = count.min(self.context);
        let skipped = count - lead;
        self.old.pass(&old[..skipped]);
        self.new.pass(&new[..skipped]);
        let lines = |at: &Cursor| Lines { before: at.line, count: 0, bytes: at.byte..at.byte };
        let (old_lines, new_lines) = (lines(&self.old), lines(&self.new));
        self.old.pass(&old[skipped..]);
        self.new.pass(&new[skipped..]);
        let edits = vec![Edit { common: lead, removed: 0, added: 0 }];
        self.hunks.push(Hunk { old: old_lines, new: new_lines, edits });
    }

    /// Adds a change to the hunk that was begun.
    fn change(&mut self, old: &[usize], new: &[usize]) {
        self.old.pass(old);
        self.new.pass(new);
        if let Some(edit) = self.hunks.last_mut().and_then(|hunk| hunk.edits.last_mut()) {
            (edit.removed, edit.added) = (old.len(), new.len());
        }
    }

    /// Ends the last hunk, if there is one, with the first of the lines that follow it.
    fn end(&mut self, following: &[usize]) {
        let tail = following.len().min(self.context);
        let (mut old, mut new) = (self.old, self.new);
        old.pass(&following[..tail]);
        new.pass(&following[..tail]);
        let Some(hunk) = self.hunks.last_mut() else { return };
        if tail > 0 {
            hunk.edits.push(Edit { common: tail, removed: 0, added: 0 });
        }
        for (lines, end) in [(&mut hunk.old, old), (&mut hunk.new, new)] {
            lines.count = end.line - lines.before;
            lines.bytes.end = end.byte;
        }
    }

    /// Makes everything one change.
    fn whole(&mut self, old: &[u8], new: &[u8], [removed, added]: [usize; 2]) {
        let lines = |at: &Cursor, count, bytes| Lines {
            before: at.line,
            count,
            bytes: at.byte..at.byte + bytes,
        };
        self.hunks.push(Hunk {
            old: lines(&self.old, removed, old.len()),
            new: lines(&self.new, added, new.len()),
            edits: vec![Edit { common: 0, removed, added }],
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(old: &str, new: &str, context: usize) -> TextDiff {
        let object = |text: &str| Object::from(text.as_bytes().to_vec());
        TextDiff::of(object(old), object(new), context)
    }

    /// Applies a diff to its old content.
    fn apply(diff: &TextDiff) -> Vec<u8> {
        let (mut out, mut at) = (Vec::new(), 0);
        for hunk in diff.hunks() {
            out.extend(&diff.old_content()[at..hunk.old.bytes.start]);
            assert_eq!(count_lines(&diff.old_content()[..hunk.old.bytes.start]), hunk.old.before);
            assert_eq!(count_lines(&out), hunk.new.before);
            for line in diff.lines(hunk).filter(|line| line.origin != Origin::Removed) {
                out.extend(line.bytes);
            }
            let is_of = |side| move |line: &Line<'_>| [Origin::Common, side].contains(&line.origin);
            assert_eq!(diff.lines(hunk).filter(is_of(Origin::Removed)).count(), hunk.old.count);
            assert_eq!(diff.lines(hunk).filter(is_of(Origin::Added)).count(), hunk.new.count);
            at = hunk.old.bytes.end;
        }
        out.extend(&diff.old_content()[at..]);
        out
    }

    #[test]
    fn hunks_lead_from_one_content_to_the_other() {
        let texts = ["", "a\n", "a", "a\nb\nc\n", "a\nc\n", "\n\n\n", "a\r\nb\r\n", "b\na\nb\nc"];
        for old in texts {
            for new in texts {
                for context in [0, 1, 3, usize::MAX] {
                    let diff = diff(old, new, context);
                    assert_eq!(apply(&diff), new.as_bytes(), "{old:?} {new:?} {context}");
                    assert_eq!(diff.hunks().is_empty(), old == new);
                }
            }
        }
    }

    #[test]
    fn common_ends_are_not_compared_line_by_line() {
        let lines = |count: usize| (0..count).map(|n| format!("line {n}\n")).collect::<String>();
        let (top, bottom) = (lines(20_000), lines(10_000));
        for (old, new) in [("x\n", "y\n"), ("", "line 19999\n"), ("line 19999\n", ""), ("x", "y")] {
            let diff = diff(&format!("{top}{old}{bottom}"), &format!("{top}{new}{bottom}"), 3);
            assert_eq!(apply(&diff), diff.new_content());
            assert_eq!(diff.hunks().len(), 1);
            assert!(diff.hunks()[0].old.count <= 8, "{:?}", diff.hunks());
        }
    }

    #[test]
    fn changes_that_are_close_share_a_hunk() {
        let hunks = |between: usize| {
            let lines = "x\n".repeat(between);
            diff(&format!("a\n{lines}b\n"), &format!("A\n{lines}B\n"), 3).hunks().len()
        };
        assert_eq!((hunks(0), hunks(6), hunks(7)), (1, 1, 2));
    }

    #[test]
    fn a_nul_makes_a_file_binary() {
        assert!(is_binary(b"a\0"));
        assert!(!is_binary(b""));
        assert!(!is_binary(&[&[b'x'; BINARY_WITHIN_BYTES][..], b"\0"].concat()));
    }
}
