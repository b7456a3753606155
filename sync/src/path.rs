//! Paths as text.

use std::fmt::Write;

/// A path for people and for JSON: bytes that are not UTF-8 become `\xNN`, control characters
/// `\n`, `\t`, `\u{…}` and so on, and a backslash `\\`, so that no two paths look the same.
pub fn show(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' => out.push_str("\\\\"),
                letter if letter.is_control() => out.extend(letter.escape_default()),
                letter => out.push(letter),
            }
        }
        for byte in chunk.invalid() {
            write!(out, "\\x{byte:02x}").expect("a string takes all text");
        }
    }
    out
}

/// Each path for people and for JSON.
pub fn show_all(paths: &[Vec<u8>]) -> Vec<String> {
    paths.iter().map(|path| show(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::show;

    #[test]
    fn no_two_paths_look_the_same() {
        let paths: [(&[u8], &str); 6] = [
            (b"src/main.rs", "src/main.rs"),
            ("caf\u{e9}".as_bytes(), "caf\u{e9}"),
            (b"caf\xe9", "caf\\xe9"),
            (b"caf\\xe9", "caf\\\\xe9"),
            (b"a\nb\x1b[1m", "a\\nb\\u{1b}[1m"),
            (b"", ""),
        ];
        for (path, text) in paths {
            assert_eq!(show(path), text);
        }
    }
}
