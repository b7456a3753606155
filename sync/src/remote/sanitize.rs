//! Makes texts of servers fit for a message.

/// Longer texts are cut, because some servers answer with a whole web page.
const CHARS_MAX: usize = 300;

/// Returns the text on one line, cut to [`CHARS_MAX`] characters, and without control characters,
/// which a terminal would obey.
pub(crate) fn sanitize(text: &str) -> String {
    let mut said = String::new();
    let clean = |word: &str| word.chars().filter(|letter| !letter.is_control()).collect::<String>();
    for word in text.split_whitespace().map(clean).filter(|word| !word.is_empty()) {
        if !said.is_empty() {
            said.push(' ');
        }
        said.push_str(&word);
        if let Some((end, _)) = said.char_indices().nth(CHARS_MAX) {
            said.truncate(end);
            said.push('…');
            break;
        }
    }
    said
}

/// Whether a text is a web page. No API answers with one, but a proxy in between may.
pub(crate) fn is_web_page(text: &[u8]) -> bool {
    text.trim_ascii_start().first() == Some(&b'<')
}

#[cfg(test)]
mod tests {
    use super::sanitize;

    #[test]
    fn sanitized_to_one_short_line() {
        assert_eq!(sanitize(" a\n\n<b>\u{1b}[31mc\u{7} "), "a <b>[31mc");
        assert_eq!(sanitize(&"é".repeat(301)), format!("{}…", "é".repeat(300)));
        assert_eq!(sanitize(&"é ".repeat(150)).chars().count(), 299);
    }
}
