//! Conflicts in the text of a file, between markers.
//!
//! The form is git's with the style `diff3`. The first and the last marker of a conflict name it, so that one
//! can tell whether they still stand in a file, and tell them from others that were in the file before. A
//! marker is longer than any line of such characters in the texts, those of conflicts that stand there
//! included. So a conflict with all that is between its markers can be told apart, and is merged as a whole:
//! a change of somebody else's that falls between markers is in conflict with them.

use crate::compare::merge::blocks::{Block, MARKER_BYTES, run_at_start, units};
use crate::compare::merge::lines::Piece;
use crate::object::tree::{Conflict, ConflictId};

/// Returns the text of a merged file with what conflicts between markers.
pub(super) fn marked(pieces: &[Piece<'_>], conflict: &Conflict) -> Vec<u8> {
    let length = marker_length(pieces);
    let end = line_end(pieces);
    let id = conflict.id();
    let mut text = Vec::new();
    let mark = |letter: &str, said: &str, text: &mut Vec<u8>| {
        let space = if said.is_empty() { "" } else { " " };
        let line = [&letter.repeat(length), space, said].concat();
        add(text, &[line.as_bytes(), end], end);
    };
    for piece in pieces {
        match piece {
            Piece::Merged(lines) => add(&mut text, lines, end),
            Piece::Conflict { base, ours, theirs } => {
                let sides = [(&conflict.ours_name, ours), (&conflict.theirs_name, theirs)];
                let [first, second] = if conflict.ours_is_first() { [0, 1] } else { [1, 0] };
                let ((name, lines), (last_name, last_lines)) = (sides[first], sides[second]);
                mark("<", &format!("{name} (conflict {id})"), &mut text);
                add(&mut text, lines, end);
                // Markers in it are of a conflict that both sides have settled, or have above and below.
                if let Some(base) = base.as_ref().filter(|base| !has_blocks(base)) {
                    mark("|", "base", &mut text);
                    add(&mut text, base, end);
                }
                mark("=", "", &mut text);
                add(&mut text, last_lines, end);
                mark(">", &format!("{last_name} (conflict {id})"), &mut text);
            }
        }
    }
    text
}

/// Adds lines, the first of them on a line of its own.
fn add(text: &mut Vec<u8>, lines: &[&[u8]], end: &[u8]) {
    if !lines.is_empty() && text.last().is_some_and(|last| *last != b'\n') {
        text.extend_from_slice(end);
    }
    lines.iter().for_each(|line| text.extend_from_slice(line));
}

/// Returns what ends a line in these texts: that of the first line that has an end.
fn line_end<'a>(pieces: &[Piece<'a>]) -> &'a [u8] {
    let first = pieces.iter().flat_map(lines_of).find(|line| line.ends_with(b"\n"));
    if first.is_some_and(|line| line.ends_with(b"\r\n")) { b"\r\n" } else { b"\n" }
}

fn lines_of<'p, 'a>(piece: &'p Piece<'a>) -> impl Iterator<Item = &'a [u8]> + use<'p, 'a> {
    let lists: [&[&[u8]]; 3] = match piece {
        Piece::Merged(lines) => [lines, &[], &[]],
        Piece::Conflict { base, ours, theirs } => {
            [ours, base.as_deref().unwrap_or_default(), theirs]
        }
    };
    lists.into_iter().flatten().flat_map(|unit| unit.split_inclusive(|&byte| byte == b'\n'))
}

/// Returns the length of the markers: longer than any line of these texts that looks like one.
fn marker_length(pieces: &[Piece<'_>]) -> usize {
    let longest = pieces.iter().flat_map(lines_of).map(run_at_start).max();
    match longest {
        Some(longest) if longest >= MARKER_BYTES => longest + 1,
        _ => MARKER_BYTES,
    }
}

fn has_blocks(lines: &[&[u8]]) -> bool {
    lines.iter().any(|unit| Block::at_start(unit).is_some())
}

/// Returns whether a text names this conflict, as its markers do.
pub(crate) fn has_markers_of(text: &[u8], id: ConflictId) -> bool {
    let named = format!("(conflict {id})");
    let letter = named.as_bytes()[0];
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte == letter) {
        if rest[at..].starts_with(named.as_bytes()) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// A side of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Ours.
    Ours,
    /// Theirs.
    Theirs,
}

/// Returns a text with one side's lines in place of the markers of a conflict; what both sides changed
/// without a conflict stays. `None` if its markers are not as they were written. `has_end` says whether the
/// last line of that side's file has an end.
pub fn pick(text: &[u8], conflict: &Conflict, side: Side, has_end: bool) -> Option<Vec<u8>> {
    let is_first = (side == Side::Ours) == conflict.ours_is_first();
    let named = format!("(conflict {})", conflict.id());
    let mut picked = picked(text, named.as_bytes(), is_first, 0);
    let last = units(text).last().and_then(Block::at_start);
    if let Some(last) = last.filter(|last| last.named == named.as_bytes() && !has_end)
        && let Some(shorter) = picked.strip_suffix(last.end)
    {
        picked.truncate(shorter.len());
    }
    Some(picked).filter(|picked| !has_markers_of(picked, conflict.id()))
}

/// How deep conflicts nest in which a side is picked.
const DEPTH_MAX: usize = 100;

/// Puts one side's lines in place of each conflict of this name, also within others.
fn picked(text: &[u8], named: &[u8], is_first: bool, depth: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for unit in units(text) {
        match Block::at_start(unit).filter(|_| depth < DEPTH_MAX) {
            Some(block) if block.named == named => {
                let side = if is_first { block.first } else { block.second };
                out.extend(picked(side, named, is_first, depth + 1));
            }
            Some(block) => {
                // Its markers stay, and what is between them may have the conflict.
                let mut rest = block.whole;
                for part in [block.first, block.second] {
                    let at = part.as_ptr() as usize - rest.as_ptr() as usize;
                    out.extend_from_slice(&rest[..at]);
                    out.extend(picked(part, named, is_first, depth + 1));
                    rest = &rest[at + part.len()..];
                }
                out.extend_from_slice(rest);
            }
            None => out.extend_from_slice(unit),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::merge::lines::merge_lines;
    use crate::object::id::BlobId;
    use crate::object::item::{Item, Kind};
    use crate::object::tree::Form;

    /// A conflict between two texts. Which of them comes first depends on their ids.
    fn between(ours: &str, theirs: &str) -> Conflict {
        let item = |text: &str| {
            let id = BlobId::of(text.as_bytes()).0;
            Some(Item { kind: Kind::File, id, bytes: text.len() as u64, files: 1, list: None })
        };
        let (ours_name, theirs_name) = ("agent".to_owned(), "main".to_owned());
        let (path, form, base) = (b"f".to_vec(), Form::Markers, None);
        let (ours, theirs) = (item(ours), item(theirs));
        Conflict { path, form, ours_name, theirs_name, base, ours, theirs }
    }

    fn merged(base: Option<&str>, ours: &str, theirs: &str) -> (String, Conflict) {
        let conflict = between(ours, theirs);
        let base = base.map(str::as_bytes);
        let pieces = merge_lines(base, ours.as_bytes(), theirs.as_bytes()).unwrap();
        let text = marked(&pieces, &conflict);
        assert!(has_markers_of(&text, conflict.id()));
        (String::from_utf8(text).unwrap(), conflict)
    }

    /// Returns the merged text as it reads with ours first.
    fn shown(base: Option<&str>, ours: &str, theirs: &str) -> String {
        let (text, conflict) = merged(base, ours, theirs);
        let mirrored = Conflict {
            ours: conflict.theirs,
            theirs: conflict.ours,
            ours_name: conflict.theirs_name.clone(),
            theirs_name: conflict.ours_name.clone(),
            ..conflict.clone()
        };
        let pieces = merge_lines(base.map(str::as_bytes), theirs.as_bytes(), ours.as_bytes());
        assert_eq!(
            marked(&pieces.unwrap(), &mirrored),
            text.as_bytes(),
            "merged by the other side"
        );
        text.replace(&conflict.id().to_string(), "ID")
    }

    #[test]
    fn both_versions_stand_between_markers() {
        assert_eq!(
            shown(Some("a\nb\nc\nd\ne\n"), "a\nX\nc\nd\nE\n", "a\nY\nZ\nc\nd\ne\n"),
            "a\n<<<<<<< main (conflict ID)\nY\nZ\n||||||| base\nb\n=======\nX\n\
             >>>>>>> agent (conflict ID)\nc\nd\nE\n"
        );
    }

    #[test]
    fn without_a_base_what_differs_is_in_conflict() {
        assert_eq!(
            shown(None, "a\nX\nc\n", "a\nc\nd\n"),
            "a\n<<<<<<< agent (conflict ID)\nX\n=======\n>>>>>>> main (conflict ID)\nc\n\
             <<<<<<< agent (conflict ID)\n=======\nd\n>>>>>>> main (conflict ID)\n"
        );
    }

    #[test]
    fn markers_have_the_ends_of_the_texts_lines_and_lines_of_their_own() {
        assert_eq!(
            shown(Some("a\r\nb"), "a\r\nX", "a\r\nY"),
            "a\r\n<<<<<<< agent (conflict ID)\r\nX\r\n||||||| base\r\nb\r\n=======\r\nY\r\n\
             >>>>>>> main (conflict ID)\r\n"
        );
    }

    #[test]
    fn a_side_is_picked_and_what_did_not_conflict_stays() {
        let ends = |text: &str| text.ends_with('\n');
        for (base, ours, theirs, with_ours, with_theirs) in [
            (
                Some("a\nb\nc\nd\ne\n"),
                "a\nX\nc\nd\nE\n",
                "A\nb\nY\nd\ne\n",
                "a\nX\nc\nd\nE\n",
                "A\nb\nY\nd\nE\n",
            ),
            (Some("a\nb"), "a\nX", "a\nY\n", "a\nX", "a\nY\n"),
            (Some("a\r\nb"), "a\r\nX", "a\r\nY", "a\r\nX", "a\r\nY"),
            (Some("1\n2"), "1\n3A\r", "1\n3B", "1\n3A\r", "1\n3B"),
            (None, "a\nX\n", "a\nc\n", "a\nX\n", "a\nc\n"),
            (Some("a\n"), "<<<<<<< x\n", "=======\n", "<<<<<<< x\n", "=======\n"),
        ] {
            let (text, conflict) = merged(base, ours, theirs);
            let one = pick(text.as_bytes(), &conflict, Side::Ours, ends(ours)).unwrap();
            assert_eq!(String::from_utf8(one).unwrap(), with_ours);
            let other = pick(text.as_bytes(), &conflict, Side::Theirs, ends(theirs)).unwrap();
            assert_eq!(String::from_utf8(other).unwrap(), with_theirs);
            for cut in 1..text.len() {
                // Never a text with half a conflict.
                let half = pick(&text.as_bytes()[..cut], &conflict, Side::Ours, true);
                assert!(half.is_none_or(|half| !has_markers_of(&half, conflict.id())));
            }
        }
    }

    /// What somebody else changes between markers would be dropped with the side that is not picked.
    #[test]
    fn a_change_between_markers_is_in_conflict_with_them() {
        let (text, _) = merged(Some("1\n2\n3\n4\n5\n"), "1\nA\n5\n", "1\nB\n5\n");
        let both = merge_lines(Some(b"1\n2\n3\n4\n5\n"), text.as_bytes(), b"1\n2\nC\n4\n5\n");
        let conflict = between(&text, "C");
        let both = marked(&both.unwrap(), &conflict);
        assert!(has_markers_of(&both, conflict.id()));
        for side in [Side::Ours, Side::Theirs] {
            let picked = String::from_utf8(pick(&both, &conflict, side, true).unwrap()).unwrap();
            let expect = if side == Side::Ours { text.as_str() } else { "1\n2\nC\n4\n5\n" };
            assert_eq!(picked, expect);
        }
        // The conflict within can be settled first.
        let inner = between("1\nA\n5\n", "1\nB\n5\n");
        let picked = String::from_utf8(pick(&both, &inner, Side::Ours, true).unwrap()).unwrap();
        assert!(picked.contains("\nA\n") && !picked.contains("\nB\n"), "{picked}");
    }

    #[test]
    fn markers_that_were_there_are_not_taken_for_ours() {
        let text = "<<<<<<<< x\na\n========\n";
        let (marked, conflict) = merged(Some("a\n"), text, "b\n");
        assert!(marked.contains(&format!("\n{}\n", "=".repeat(9))), "{marked}");
        assert!(!has_markers_of(text.as_bytes(), conflict.id()));
    }

    #[test]
    fn a_line_that_looks_like_a_marker_between_ours_is_not_cut() {
        let (text, conflict) = merged(Some("1\n2\n3\n"), "1\nA\n3\n", "1\nB\n3\n");
        let edited = text.replace("A\n", "title\n=======\nA\n");
        assert_eq!(pick(edited.as_bytes(), &conflict, Side::Ours, true), None);
    }

    #[test]
    fn markers_that_never_end_are_given_up() {
        let text = "<<<<<<< x (conflict 000000000000)\n".repeat(300_000);
        assert_eq!(units(text.as_bytes()).count(), 300_000);
    }
}
