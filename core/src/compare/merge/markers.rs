//! Conflicts in the text of a file, between markers.
//!
//! The form is git's with the style `diff3`. The first and the last marker of a conflict name it, so that one
//! can tell whether they still stand in a file, and tell them from others that were in the file before. A
//! marker is longer than any line of such characters in the texts.

use crate::compare::merge::lines::Piece;
use crate::object::tree::ConflictId;

/// The length of a marker, unless a text has lines that look like markers.
const MARKER_BYTES: usize = 7;

/// What the markers of a conflict say.
pub(super) struct Labels<'a> {
    pub(super) ours: &'a str,
    pub(super) theirs: &'a str,
    pub(super) id: ConflictId,
}

/// Returns the text of a merged file with its conflicts between markers.
pub(super) fn marked(pieces: &[Piece<'_>], labels: &Labels<'_>) -> Vec<u8> {
    let length = marker_length(pieces);
    let end = line_end(pieces);
    let mut text = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Merged(lines) => add(&mut text, lines, end),
            Piece::Conflict { base, ours, theirs } => {
                let Labels { ours: our_name, theirs: their_name, id } = labels;
                let mark = |letter: &str, said: &str, text: &mut Vec<u8>| {
                    let space = if said.is_empty() { "" } else { " " };
                    let line = [&letter.repeat(length), space, said].concat();
                    add(text, &[line.as_bytes(), end], end);
                };
                mark("<", &format!("{our_name} (conflict {id})"), &mut text);
                add(&mut text, ours, end);
                // Markers in it are of a conflict that both sides have settled, or have above and below.
                if let Some(base) = base.as_ref().filter(|base| !base.iter().any(is_marker)) {
                    mark("|", "base", &mut text);
                    add(&mut text, base, end);
                }
                mark("=", "", &mut text);
                add(&mut text, theirs, end);
                mark(">", &format!("{their_name} (conflict {id})"), &mut text);
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
    lists.into_iter().flatten().copied()
}

/// Returns the length of the markers: longer than any line of these texts that looks like one.
fn marker_length(pieces: &[Piece<'_>]) -> usize {
    let longest = pieces.iter().flat_map(lines_of).map(marker_at_start).max();
    match longest {
        Some(longest) if longest >= MARKER_BYTES => longest + 1,
        _ => MARKER_BYTES,
    }
}

/// Returns how many equal characters of a marker a line begins with.
fn marker_at_start(line: &[u8]) -> usize {
    match line.first() {
        Some(first @ (b'<' | b'|' | b'=' | b'>')) => {
            line.iter().take_while(|byte| *byte == first).count()
        }
        _ => 0,
    }
}

/// Returns whether a line is a marker that names a conflict.
fn is_marker(line: &&[u8]) -> bool {
    let line = line.trim_ascii_end();
    let named = line.iter().rposition(|&byte| byte == b'(').map(|at| &line[at..]);
    matches!(line.first(), Some(b'<' | b'>'))
        && marker_at_start(line) >= MARKER_BYTES
        && named.is_some_and(|named| named.starts_with(b"(conflict ") && named.ends_with(b")"))
}

/// Returns whether a text has a marker of this conflict.
pub(crate) fn has_markers_of(text: &[u8], id: ConflictId) -> bool {
    let named = format!("(conflict {id})");
    text.split(|&byte| byte == b'\n').any(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        matches!(line.first(), Some(b'<' | b'>'))
            && marker_at_start(line) >= MARKER_BYTES
            && line.ends_with(named.as_bytes())
    })
}

/// A side of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Ours.
    Ours,
    /// Theirs.
    Theirs,
}

/// Returns a text with one side's lines in place of each conflict of this id; what both sides changed without
/// a conflict stays. `None` if its markers are not as they were written. `has_end` says whether the last line
/// of that side's file has an end.
pub fn pick(text: &[u8], id: ConflictId, side: Side, has_end: bool) -> Option<Vec<u8>> {
    let named = format!("(conflict {id})");
    let plain = |line: &'_ [u8]| -> Vec<u8> { line.trim_ascii_end().to_vec() };
    let is_named = |line: &[u8], letter: u8, length: usize| {
        line.first() == Some(&letter)
            && marker_at_start(line) == length
            && line.ends_with(named.as_bytes())
    };
    let is_bare = |line: &[u8], letter: u8, length: usize| {
        marker_at_start(line) == length
            && line.first() == Some(&letter)
            && matches!(&line[length..], b"" | b" base")
    };
    let mut picked: Vec<u8> = Vec::new();
    let mut lines = text.split_inclusive(|&byte| byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let length = marker_at_start(line);
        if length < MARKER_BYTES || !is_named(&plain(line), b'<', length) {
            picked.extend_from_slice(line);
            continue;
        }
        let mut part = Part::Ours;
        loop {
            let line = lines.next()?;
            let bare = plain(line);
            match part {
                Part::Ours if is_bare(&bare, b'|', length) => part = Part::Base,
                Part::Ours | Part::Base if is_bare(&bare, b'=', length) => part = Part::Theirs,
                Part::Theirs if is_named(&bare, b'>', length) => break,
                Part::Ours if side == Side::Ours => picked.extend_from_slice(line),
                Part::Theirs if side == Side::Theirs => picked.extend_from_slice(line),
                _ => {}
            }
        }
        if lines.peek().is_none() && !has_end {
            let end =
                picked.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
            let length = end.map(<[u8]>::len);
            picked.truncate(length.unwrap_or(picked.len()));
        }
    }
    Some(picked).filter(|picked| !has_markers_of(picked, id))
}

/// A part of a conflict between its markers.
#[derive(Clone, Copy)]
enum Part {
    Ours,
    Base,
    Theirs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::merge::lines::merge_lines;
    use crate::object::tree::Conflict;

    fn id() -> ConflictId {
        let form = crate::object::tree::Form::Kept;
        let (ours_name, theirs_name) = ("a".to_owned(), "b".to_owned());
        let (base, ours, theirs) = (None, None, None);
        Conflict { path: b"f".to_vec(), form, ours_name, theirs_name, base, ours, theirs }.id()
    }

    fn shown(base: Option<&str>, ours: &str, theirs: &str) -> String {
        let base = base.map(str::as_bytes);
        let pieces = merge_lines(base, ours.as_bytes(), theirs.as_bytes()).unwrap();
        let labels = Labels { ours: "agent", theirs: "main", id: id() };
        let text = marked(&pieces, &labels);
        assert!(has_markers_of(&text, id()));
        String::from_utf8(text).unwrap().replace(&id().to_string(), "ID")
    }

    #[test]
    fn both_versions_stand_between_markers() {
        assert_eq!(
            shown(Some("a\nb\nc\nd\ne\n"), "a\nX\nc\nd\nE\n", "a\nY\nZ\nc\nd\ne\n"),
            "a\n<<<<<<< agent (conflict ID)\nX\n||||||| base\nb\n=======\nY\nZ\n\
             >>>>>>> main (conflict ID)\nc\nd\nE\n"
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
            (None, "a\nX\n", "a\nc\n", "a\nX\n", "a\nc\n"),
            (Some("a\n"), "<<<<<<< x\n", "=======\n", "<<<<<<< x\n", "=======\n"),
        ] {
            let pieces =
                merge_lines(base.map(str::as_bytes), ours.as_bytes(), theirs.as_bytes()).unwrap();
            let text = marked(&pieces, &Labels { ours: "agent", theirs: "main", id: id() });
            let one = pick(&text, id(), Side::Ours, ends(ours)).unwrap();
            assert_eq!(String::from_utf8(one).unwrap(), with_ours);
            let other = pick(&text, id(), Side::Theirs, ends(theirs)).unwrap();
            assert_eq!(String::from_utf8(other).unwrap(), with_theirs);
            for cut in 1..text.len() {
                // Never a text with half a conflict.
                let half = pick(&text[..cut], id(), Side::Ours, true);
                assert!(half.is_none_or(|half| !has_markers_of(&half, id())));
            }
        }
    }

    #[test]
    fn markers_that_were_there_are_not_taken_for_ours() {
        let text = "<<<<<<<< x\na\n========\n";
        let merged = shown(Some("a\n"), text, "b\n");
        assert!(merged.contains(&format!("\n{} main (conflict ID)", ">".repeat(9))), "{merged}");
        assert!(!has_markers_of(text.as_bytes(), id()));
        let spoken = format!("see (conflict {})\n<< (conflict {})\n", id(), id());
        assert!(!has_markers_of(spoken.as_bytes(), id()));
    }
}
