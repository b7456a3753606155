//! Cuts names that are too long, but not within a letter (roughly: a grapheme cluster).

use unicode_normalization::char::is_combining_mark;

/// A letter whose combining marks take more bytes than this is cut anyway.
const LETTER_BYTES_MAX: usize = 64;

const JOINER: char = '\u{200d}';

/// Returns the beginning of a name, of at most `room` bytes. It is not cut within a UTF-8 sequence,
/// nor before a mark that belongs to the letter in front of it. Bytes that are not UTF-8 are cut
/// anywhere.
pub(crate) fn cut_between_letters(name: &[u8], room: usize) -> &[u8] {
    if name.len() <= room {
        return name;
    }
    let mut start = 0;
    for chunk in name.utf8_chunks() {
        let text = chunk.valid();
        if room < start + text.len() {
            return &name[..start + boundary(text, room - start)];
        }
        start += text.len() + chunk.invalid().len();
        if room < start {
            break;
        }
    }
    &name[..room]
}

/// Returns the last position at or before `at` where the text may be cut.
fn boundary(text: &str, at: usize) -> usize {
    let latest = text.floor_char_boundary(at);
    let mut at = latest;
    while at > 0 && is_within_letter(text, at) {
        at = text.floor_char_boundary(at - 1);
    }
    if at == 0 || latest - at > LETTER_BYTES_MAX { latest } else { at }
}

/// Returns whether what is before and after a position is displayed as one letter.
fn is_within_letter(text: &str, at: usize) -> bool {
    let is_mark = |letter: char| {
        letter == JOINER
            || is_combining_mark(letter)
            || matches!(letter, '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
    };
    text[at..].chars().next().is_some_and(is_mark) || text[..at].ends_with(JOINER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_between_letters() {
        let couple = "\u{1f468}\u{200d}\u{1f469}";
        for letter in ["a", "\u{434}", "\u{6587}", "\u{1f980}", "e\u{301}", couple] {
            let name = letter.repeat(30);
            for room in 30..60 {
                let cut = cut_between_letters(name.as_bytes(), room).len();
                assert_eq!(cut, (room / letter.len() * letter.len()).min(name.len()), "{letter}");
            }
        }
    }

    #[test]
    fn what_has_no_letters_to_cut_between_is_cut_all_the_same() {
        let marks = "\u{301}".repeat(100);
        let many = format!("e{marks}");
        for (name, room) in [(marks.as_bytes(), 101), (many.as_bytes(), 101), (&[0x80; 200], 101)] {
            let cut = cut_between_letters(name, room).len();
            assert!((100..=101).contains(&cut), "{cut}");
        }
        // After bytes that are not text, letters are kept whole again.
        let mixed = [b"\xff\xfe".as_slice(), "\u{434}".repeat(9).as_bytes()].concat();
        assert_eq!(cut_between_letters(&mixed, 7), &mixed[..6]);
    }
}
