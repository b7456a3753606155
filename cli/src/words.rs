//! Numbers, names and addresses in sentences.

use std::borrow::Cow;

/// `1 file`, `2 files`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `12 B`, `1.5 KiB`, `3.0 GiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // A value that would be rounded to 1024.0 is 1.0 of the next unit.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `2 files added, 1 modified`, without zeros.
pub fn changes(added: u64, modified: u64, deleted: u64) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (number, what) in [(added, "added"), (modified, "modified"), (deleted, "deleted")] {
        match number {
            0 => {}
            _ if parts.is_empty() => parts.push(format!("{} {what}", count(number, "file"))),
            _ => parts.push(format!("{number} {what}")),
        }
    }
    if parts.is_empty() { "no files changed".into() } else { parts.join(", ") }
}

/// Like [`changes`], for lists of paths. A path that ends with `/` is an empty folder.
pub fn listed(added: &[String], modified: &[String], deleted: &[String]) -> String {
    let files = |paths: &[String]| paths.iter().filter(|path| !path.ends_with('/')).count() as u64;
    match (files(added), files(modified), files(deleted)) {
        (0, 0, 0) if added.len() + modified.len() + deleted.len() > 0 => "folders changed".into(),
        (added, modified, deleted) => changes(added, modified, deleted),
    }
}

/// Returns text from elsewhere on one line. Control characters are escaped, and so are characters
/// that reorder or break a line: the text can neither control the terminal nor imitate other
/// output.
pub fn plain(text: &str) -> Cow<'_, str> {
    escaped(text, is_steering)
}

/// Like [`plain`], but keeps line breaks and tabs.
pub fn plain_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| is_steering(letter) && !matches!(letter, '\n' | '\t'))
}

fn escaped(text: &str, is_escaped: fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if is_escaped(letter) { out.extend(letter.escape_default()) } else { out.push(letter) }
    }
    Cow::Owned(out)
}

/// Whether a character is a control character, a line or paragraph separator, or a mark that sets
/// the direction of text (Unicode's `Bidi_Control`).
fn is_steering(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Quotes an argument for a shell, if necessary.
pub fn argument(text: &str) -> String {
    let safe = |letter: char| letter.is_alphanumeric() || "-_./:@%+=,".contains(letter);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", plain(text).replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{argument, changes, count, listed, plain, plain_lines, size};

    #[test]
    fn sizes_are_short() {
        let sizes = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (bytes, text) in sizes {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn counts_agree_with_their_nouns() {
        assert_eq!(count(0, "file"), "0 files");
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(changes(0, 0, 0), "no files changed");
        assert_eq!(changes(0, 1, 2), "1 file modified, 2 deleted");
    }

    #[test]
    fn folders_are_no_files() {
        let (folder, file) = (["a/".to_owned()], ["b".to_owned()]);
        assert_eq!(listed(&folder, &file, &[]), "1 file modified");
        assert_eq!(listed(&folder, &[], &[]), "folders changed");
        assert_eq!(listed(&[], &[], &[]), "no files changed");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(plain("a\x1b[1mb\n"), "a\\u{1b}[1mb\\n");
        assert_eq!(plain("caf\u{e9}"), "caf\u{e9}");
        assert_eq!(plain_lines("a\n\tb\r\x1bc\u{2028}"), "a\n\tb\\r\\u{1b}c\\u{2028}");
        for code in
            [0x61c, 0x200e, 0x200f, 0x202f - 1, 0x202a, 0x2028, 0x2029, 0x2066, 0x2069, 0x85]
        {
            let letter = char::from_u32(code).unwrap();
            assert_eq!(plain(&format!("a{letter}b")), format!("a\\u{{{code:x}}}b"));
        }
        for harmless in ["\u{200d}", "\u{202f}", "\u{5d0}", "\u{2065}", "\u{206a}"] {
            assert_eq!(plain(harmless), harmless);
        }
    }

    #[test]
    fn arguments_can_be_pasted() {
        assert_eq!(argument("demo"), "demo");
        assert_eq!(argument("my project"), "'my project'");
        assert_eq!(argument("it's"), r"'it'\''s'");
    }
}
