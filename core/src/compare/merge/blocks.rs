//! Conflicts between markers, as they are found in a text (`merge/markers.rs` writes them).

/// The length of a marker, unless a text has lines that look like markers.
pub(super) const MARKER_BYTES: usize = 7;

/// Returns how many equal characters of a marker a line begins with.
pub(super) fn run_at_start(line: &[u8]) -> usize {
    match line.first() {
        Some(first @ (b'<' | b'|' | b'=' | b'>')) => {
            line.iter().take_while(|byte| *byte == first).count()
        }
        _ => 0,
    }
}

/// A conflict in a text, from its first marker to its last.
pub(super) struct Block<'a> {
    pub(super) whole: &'a [u8],
    /// What the markers call it, such as `(conflict 02b7e3555f0d)`.
    pub(super) named: &'a [u8],
    /// The lines of the side that comes first.
    pub(super) first: &'a [u8],
    /// The lines of the other side.
    pub(super) second: &'a [u8],
    /// What ends its last marker.
    pub(super) end: &'a [u8],
}

impl<'a> Block<'a> {
    /// Returns the block at the start of a text, if there is one whose markers are as they were written.
    pub(super) fn at_start(text: &'a [u8]) -> Option<Self> {
        let mut lines = text.split_inclusive(|&byte| byte == b'\n');
        let opening = lines.next()?;
        let (length, named) = (run_at_start(opening), name_in(opening)?);
        if length < MARKER_BYTES || opening.first() != Some(&b'<') {
            return None;
        }
        let (mut at, mut first, mut second) = (opening.len(), None, None);
        for line in lines {
            let said = line.trim_ascii_end();
            let is_mark = run_at_start(said) == length;
            let place = at;
            at += line.len();
            match said.first() {
                Some(b'|') if is_mark && &said[length..] == b" base" && first.is_none() => {
                    first = Some(opening.len()..place);
                }
                Some(b'=') if is_mark && said.len() == length => {
                    // Another one was written by somebody, and nobody can tell them apart.
                    if second.is_some() {
                        return None;
                    }
                    first.get_or_insert(opening.len()..place);
                    second = Some(at);
                }
                Some(b'>') if is_mark && name_in(line) == Some(named) => {
                    let (first, second) = (&text[first?], &text[second?..place]);
                    let end = &line[said.len()..];
                    return Some(Self { whole: &text[..at], named, first, second, end });
                }
                _ => {}
            }
        }
        None
    }
}

/// Returns the name of a conflict at the end of a line.
fn name_in(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii_end();
    let named = &line[line.iter().rposition(|&byte| byte == b'(')?..];
    (named.starts_with(b"(conflict ") && named.ends_with(b")")).then_some(named)
}

/// Splits a text into what is merged as a whole: lines, and conflicts between their markers.
pub(super) fn units(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    // Where many markers open and none of them is closed, the search for the ends is given up.
    let mut patience = (64 << 20) + 64 * text.len();
    std::iter::from_fn(move || {
        let line = rest.split_inclusive(|&byte| byte == b'\n').next()?;
        let may_open = run_at_start(line) >= MARKER_BYTES && line.starts_with(b"<");
        let block = if may_open && patience >= rest.len() { Block::at_start(rest) } else { None };
        if may_open && block.is_none() {
            patience = patience.saturating_sub(rest.len());
        }
        let unit = block.map_or(line, |block| block.whole);
        rest = &rest[unit.len()..];
        Some(unit)
    })
}
