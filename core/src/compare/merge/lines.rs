//! Merges the lines of three texts, by git's rules. A conflict that stands between markers in one of them is
//! merged as a whole, as if it were one line.
//!
//! Each side's changes of the base are found as `diff` finds them. What only one side changed is taken from
//! there. Changes that overlap or touch each other are one conflict, unless both sides made the
//! same of it. The rules are those of `xdl_merge` at its default level, which git's merges use.

use std::ops::Range;

use gix_imara_diff::{Hunk, InternedInput, Token};

use crate::compare::merge::blocks::units;
use crate::compare::text::algorithm::{LINES_MAX, compare_lines, count_lines, lines_of};

/// A merged text, piece by piece. A piece is a list of lines with their ends.
pub(super) enum Piece<'a> {
    /// Lines of the result.
    Merged(Vec<&'a [u8]>),
    /// Lines that both sides changed, each in its own way.
    Conflict {
        /// What they were, if that is known.
        base: Option<Vec<&'a [u8]>>,
        /// What we made of them.
        ours: Vec<&'a [u8]>,
        /// What they made of them.
        theirs: Vec<&'a [u8]>,
    },
}

/// Merges three texts; without a base, the lines that differ are in conflict. `None` if they have too many
/// lines. Whichever side is `ours`, the conflicts are the same, and so is a result without any.
pub(super) fn merge_lines<'a>(
    base: Option<&'a [u8]>,
    ours: &'a [u8],
    theirs: &'a [u8],
) -> Option<Vec<Piece<'a>>> {
    if [base.unwrap_or_default(), ours, theirs].iter().any(|text| count_lines(text) > LINES_MAX) {
        return None;
    }
    let (input, base, ours, theirs, parts) = match base {
        Some(base) => {
            let mut input = units_of(base, ours);
            let to_ours = changes(&input);
            let ours = std::mem::take(&mut input.after);
            input.update_after(units(theirs));
            let to_theirs = changes(&input);
            let theirs = std::mem::take(&mut input.after);
            let parts = parts(&to_ours, &to_theirs, &ours, &theirs);
            let base = std::mem::take(&mut input.before);
            (input, Some(base), ours, theirs, parts)
        }
        None => {
            let mut input = units_of(ours, theirs);
            let parts = changes(&input).into_iter().map(|Change { base, side }| Part {
                of: Of::Both,
                base: 0..0,
                ours: base,
                theirs: side,
            });
            let parts = parts.collect();
            let ours = std::mem::take(&mut input.before);
            let theirs = std::mem::take(&mut input.after);
            (input, None, ours, theirs, parts)
        }
    };
    let lines = |tokens: &[Token]| -> Vec<&'a [u8]> {
        tokens.iter().map(|token| input.interner[*token]).collect()
    };
    let (mut pieces, mut at) = (Vec::new(), 0);
    for part in parts {
        pieces.push(Piece::Merged(lines(&ours[at..part.ours.start])));
        let (one, other) = (&ours[part.ours.clone()], &theirs[part.theirs]);
        pieces.push(match part.of {
            Of::Ours => Piece::Merged(lines(one)),
            Of::Theirs => Piece::Merged(lines(other)),
            // Piece by piece, both sides may have come to the same.
            Of::Both if one == other => Piece::Merged(lines(one)),
            Of::Both => {
                let base = base.as_ref().map(|base| lines(&base[part.base]));
                Piece::Conflict { base, ours: lines(one), theirs: lines(other) }
            }
        });
        at = part.ours.end;
    }
    pieces.push(Piece::Merged(lines(&ours[at..])));
    Some(pieces)
}

/// Returns the lines of two texts; a conflict between markers counts as one.
fn units_of<'a>(before: &'a [u8], after: &'a [u8]) -> InternedInput<&'a [u8]> {
    let mut input = lines_of(b"", b"");
    input.update_before(units(before));
    input.update_after(units(after));
    input
}

/// Returns the changes from the base to one side.
fn changes(input: &InternedInput<&[u8]>) -> Vec<Change> {
    let mut diff = compare_lines(input);
    diff.postprocess_no_heuristic(input);
    diff.hunks().map(Change::from).collect()
}

/// Lines of the base that a side replaced by others.
#[derive(Debug, Clone)]
struct Change {
    base: Range<usize>,
    side: Range<usize>,
}

impl From<Hunk> for Change {
    fn from(hunk: Hunk) -> Self {
        let range = |range: Range<u32>| range.start as usize..range.end as usize;
        Self { base: range(hunk.before), side: range(hunk.after) }
    }
}

/// Whose change a part of the result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Ours,
    Theirs,
    Both,
}

/// A part of the result that somebody changed, as it was and as it is on each side.
#[derive(Debug, Clone)]
struct Part {
    of: Of,
    base: Range<usize>,
    ours: Range<usize>,
    theirs: Range<usize>,
}

/// Joins the changes of both sides, in order. What both changed in the same way is left out: the result has
/// ours there.
fn parts(to_ours: &[Change], to_theirs: &[Change], ours: &[Token], theirs: &[Token]) -> Vec<Part> {
    let (mut parts, mut a, mut b) = (Vec::new(), 0, 0);
    // How far a side is ahead of the base, after its changes so far.
    let (mut our_shift, mut their_shift) = (0, 0);
    loop {
        let (one, other) = (to_ours.get(a), to_theirs.get(b));
        let is_first = |one: &Change, other: Option<&Change>| {
            other.is_none_or(|other| one.base.end < other.base.start)
        };
        match (one, other) {
            (None, None) => return parts,
            (Some(one), other) if is_first(one, other) => {
                let theirs = shifted(&one.base, their_shift);
                let (base, ours) = (one.base.clone(), one.side.clone());
                append(&mut parts, Part { of: Of::Ours, base, ours, theirs });
                our_shift = shift(one);
                a += 1;
            }
            (one, Some(other)) if is_first(other, one) => {
                let ours = shifted(&other.base, our_shift);
                let (base, theirs) = (other.base.clone(), other.side.clone());
                append(&mut parts, Part { of: Of::Theirs, base, ours, theirs });
                their_shift = shift(other);
                b += 1;
            }
            (Some(one), Some(other)) => {
                let is_same =
                    one.base == other.base && ours[one.side.clone()] == theirs[other.side.clone()];
                if !is_same {
                    append(&mut parts, overlap(one, other));
                }
                let (one_end, other_end) = (one.base.end, other.base.end);
                if one_end >= other_end {
                    their_shift = shift(other);
                    b += 1;
                }
                if other_end >= one_end {
                    our_shift = shift(one);
                    a += 1;
                }
            }
            // One of the two guards holds if a side has no change left.
            _ => return parts,
        }
    }
}

/// Returns how far a side is ahead of the base after a change.
fn shift(change: &Change) -> isize {
    change.side.end as isize - change.base.end as isize
}

fn shifted(range: &Range<usize>, by: isize) -> Range<usize> {
    range.start.saturating_add_signed(by)..range.end.saturating_add_signed(by)
}

/// Returns the part that two changes have together: all that either of them changed.
fn overlap(one: &Change, other: &Change) -> Part {
    let base = one.base.start.min(other.base.start)..one.base.end.max(other.base.end);
    let side = |change: &Change| {
        // It may reach into an earlier change. Then this part is joined to that one, and only its end counts.
        let start = change.side.start.saturating_sub(change.base.start - base.start);
        start..change.side.end + (base.end - change.base.end)
    };
    let (ours, theirs) = (side(one), side(other));
    Part { of: Of::Both, base, ours, theirs }
}

/// Adds a part. One that overlaps or touches the part before it is joined to it.
fn append(parts: &mut Vec<Part>, part: Part) {
    match parts.last_mut() {
        Some(last) if part.ours.start <= last.ours.end || part.theirs.start <= last.theirs.end => {
            if last.of != part.of {
                last.of = Of::Both;
            }
            last.base.end = last.base.end.max(part.base.end);
            last.ours.end = part.ours.end;
            last.theirs.end = part.theirs.end;
        }
        _ => parts.push(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the merged text, unless there is a conflict.
    fn clean(base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Vec<u8>> {
        let pieces = merge_lines(Some(base), ours, theirs)?.into_iter();
        let lines = pieces.map(|piece| match piece {
            Piece::Merged(lines) => Some(lines.concat()),
            Piece::Conflict { .. } => None,
        });
        Some(lines.collect::<Option<Vec<_>>>()?.concat())
    }

    /// Merges texts of one letter a line, both ways.
    fn merged(base: &str, ours: &str, theirs: &str) -> Option<String> {
        let text = |letters: &str| letters.chars().map(|c| format!("{c}\n")).collect::<String>();
        let [base, ours, theirs] = [base, ours, theirs].map(text);
        let merge = |a: &str, b: &str| clean(base.as_bytes(), a.as_bytes(), b.as_bytes());
        let result = merge(&ours, &theirs);
        assert_eq!(result, merge(&theirs, &ours), "mirrored: {base:?} {ours:?} {theirs:?}");
        result.map(|bytes| String::from_utf8(bytes).unwrap().replace('\n', ""))
    }

    #[test]
    fn what_one_side_changed_is_taken_from_there() {
        for (base, ours, theirs, expect) in [
            ("abcdef", "Abcdef", "abcdeF", "AbcdeF"),
            ("abcdef", "bcdef", "abcde", "bcde"),
            ("abcdef", "xabcdef", "abcdefy", "xabcdefy"),
            ("abcdef", "abXdef", "abcdef", "abXdef"),
            ("abcdef", "aXcdeYf", "abcZef", "aXcZeYf"),
            // Both made the same change, and one of them another one.
            ("abcdef", "aXcdef", "aXcdeF", "aXcdeF"),
            ("abcdef", "acdef", "acdeF", "acdeF"),
            ("abcdef", "aXcdef", "aXcdef", "aXcdef"),
            ("", "a", "a", "a"),
        ] {
            assert_eq!(merged(base, ours, theirs).as_deref(), Some(expect), "{ours} {theirs}");
        }
    }

    #[test]
    fn changes_that_overlap_or_touch_are_a_conflict() {
        for (base, ours, theirs) in [
            ("abcdef", "aXcdef", "aYcdef"),
            ("abcdef", "aXcdef", "abYdef"),
            ("abcdef", "abcdefx", "abcdefy"),
            ("abcdef", "adef", "abcYef"),
            ("", "a", "b"),
            // A deletion of what the other side changed.
            ("abcdef", "af", "abcXef"),
            // Three changes of one side in one of the other.
            ("abcdefghi", "i", "aXcdYfgZi"),
            ("abcdefghij", "ABCDEFGHIJ", "fghj"),
        ] {
            assert_eq!(merged(base, ours, theirs), None, "{ours} {theirs}");
        }
    }

    #[test]
    fn bytes_are_kept_as_they_are() {
        let merge = |base: &str, ours: &str, theirs: &str| {
            let merged = clean(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
            merged.map(|bytes| String::from_utf8(bytes).unwrap())
        };
        let expect = "A\r\nb\nc\r\nd";
        assert_eq!(
            merge("a\r\nb\nc\r\nd\n", "A\r\nb\nc\r\nd\n", "a\r\nb\nc\r\nd").as_deref(),
            Some(expect)
        );
        // A last line without an end is another line.
        assert_eq!(merge("a\nb\nc", "a\nb\nc\n", "A\nb\nc").as_deref(), Some("A\nb\nc\n"));
        assert_eq!(merge("a\nb", "a\nb\n", "a\nB"), None);
    }
}
