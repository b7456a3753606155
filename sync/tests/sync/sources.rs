//! Reads the sources of a crate, for tests of how they are built.

use std::collections::BTreeMap;
use std::path::Path;

/// The sources of a crate, by their paths below `src`.
pub type Sources = BTreeMap<String, String>;

/// A word or punctuation mark of a source, and its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// Returns the end of a comment, string or character literal that begins at the start of `rest`;
/// `None` if none does.
fn skipped(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    let prefix = rest.find(|c| !matches!(c, 'b' | 'r' | 'c')).unwrap_or(rest.len());
    let hashes = rest[prefix..].bytes().take_while(|byte| *byte == b'#').count();
    let open = prefix + hashes;
    if prefix <= 2 && rest[open..].starts_with('"') {
        if rest[..prefix].ends_with('r') {
            let close = format!("\"{}", "#".repeat(hashes));
            return rest[open + 1..].find(&close).map(|end| open + 1 + end + close.len());
        }
        return (hashes == 0).then(|| open + quoted(&rest[open..], '"'));
    }
    let letter = rest.strip_prefix("b'").map_or(0, |_| 1);
    let mut letters = rest[letter..].chars();
    match (letters.next(), letters.next(), letters.next()) {
        (Some('\''), Some('\\'), _) => Some(letter + quoted(&rest[letter..], '\'')),
        (Some('\''), Some(_), Some('\'')) => Some(letter + quoted(&rest[letter..], '\'')),
        _ => None,
    }
}

/// Returns the length of a quoted text, with both quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        if letter == quote && !is_escaped {
            return at + letter.len_utf8();
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    text.len()
}

/// Returns the words and punctuation marks of a source. Two colons are one token.
pub fn tokens(source: &str) -> Vec<Token> {
    let (mut rest, mut line, mut all) = (source, 1, Vec::new());
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (end, is_token) = match skipped(rest) {
            Some(end) => (end, false),
            None if first.is_whitespace() => (first.len_utf8(), false),
            None if is_word(first) => (rest.find(|c| !is_word(c)).unwrap_or(rest.len()), true),
            None if rest.starts_with("::") => (2, true),
            None => (first.len_utf8(), true),
        };
        if is_token {
            all.push(Token { text: rest[..end].to_owned(), line });
        }
        line += rest[..end].matches('\n').count();
        rest = &rest[end..];
    }
    all
}

/// The tokens before an item that only tests have.
pub const TESTS: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];

/// Whether [`TESTS`] is at `at`.
pub fn is_of_tests(tokens: &[Token], at: usize) -> bool {
    let here = tokens.iter().skip(at).map(|token| token.text.as_str());
    here.take(TESTS.len()).eq(TESTS)
}

/// Returns the position after the item that begins at `at`.
pub fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    let mut depth = 0;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => return at + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Adds the sources in the folder `below` of `src`.
pub fn read(src: &Path, below: &str, sources: &mut Sources) {
    for entry in std::fs::read_dir(src.join(below)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type().unwrap().is_dir() {
            read(src, &path, sources);
        } else if path.ends_with(".rs") {
            sources.insert(path, std::fs::read_to_string(entry.path()).unwrap());
        }
    }
}
