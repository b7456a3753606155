//! Names that can be declared.

/// Words that Rust allows for no name, however written.
const RUST_PATHS: [&str; 4] = ["crate", "self", "Self", "super"];

/// Whether it can name a field, and a part of a JSON path.
pub fn is_identifier(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    begins && plain && name != "_" && !RUST_PATHS.contains(&name)
}
