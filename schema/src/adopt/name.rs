//! Names that can be used in declarations.

/// Keywords that cannot be Rust identifiers, not even raw ones.
const RUST_PATHS: [&str; 4] = ["crate", "self", "Self", "super"];

/// Whether a name can be a Rust field and a part of a JSON path.
pub fn is_identifier(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    begins && plain && name != "_" && !RUST_PATHS.contains(&name)
}
